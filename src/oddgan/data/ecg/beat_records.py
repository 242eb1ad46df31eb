"""Records of beats: WFDB records on the disk are read together and cut into beats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oddgan._core.errors import InputError, printable
from oddgan._core.notices import notice
from oddgan._core.paths import odd_name, walk
from oddgan._core.text import texts_if
from oddgan.data.ecg.beats import RATE, Beats, Cut, cut_and_count
from oddgan.data.ecg.headers import files_of
from oddgan.data.ecg.mitbih import NAME, mitbih_folder
from oddgan.data.ecg.records import read_record, record_paths
from oddgan.data.ecg.splits import PACED
from oddgan.options import EcgOptions

_SHOWN = 5


@dataclass(frozen=True)
class Records:
    """Records that are read together.

    Parameters
    ----------
    source : the folder, or the one record.
    paths : the records without a suffix.
    skip_bad : leave out records that can't be read or cut, with a note.
    max_memory : bytes that a record may take; None goes by the size of its files.
    """

    source: Path
    paths: Sequence[Path]
    skip_bad: bool = False
    max_memory: int | None = None

    @property
    def names(self) -> list[str]:
        """Names of the records; those of sub-folders begin with the folder's."""
        inside = self.source.is_dir()
        return [path.relative_to(self.source).as_posix() if inside else path.name for path in self.paths]

    def beats(self, options: EcgOptions) -> tuple[Beats, tuple[str, ...]]:
        """Cut all beats, and tell what was left out.

        Parameters
        ----------
        options : how.

        Returns
        -------
        the beats in the order of the records, then of time, and sentences for the user.

        Raises
        ------
        InputError
            If a record can't be used, and bad ones are not to be left out, or none can.
        """
        cuts: dict[str, Cut] = {}
        bad: dict[str, InputError] = {}
        paced = [name for name in self.names if options.cut == "beatgan" and name in PACED]
        for path, name in zip(self.paths, self.names, strict=True):
            if name in paced:
                continue
            try:
                cuts[name] = _alike(self._cut(path, name, options), name, cuts)
            except InputError as error:
                if not self.skip_bad:
                    way_out = "; or leave out records that can't be used with --skip-bad" * (len(self.paths) > 1)
                    raise InputError(f"{str(error).rstrip('.')}{way_out}.") from error
                bad[name] = error
        if not cuts:
            raise InputError(f"{self.source} holds no record that can be used{_reasons(bad)}.")
        notes = texts_if(
            (bad, f"Left out of {self.source}: {len(bad)} of {len(self.paths)} records{_reasons(bad)}."),
            (paced, f"{len(paced)} records of paced hearts were left out: {', '.join(paced)}."),
        )
        told = (*notes, *_left_out(cuts), *_differences(cuts, options), *self._others())
        return Beats.join([cut.beats for cut in cuts.values()]), tuple(map(printable, told))

    def _cut(self, path: Path, name: str, options: EcgOptions) -> Cut:
        wrong = odd_name(name)
        if wrong is not None:
            raise InputError(f"The record {name!a} has a name with {wrong}: rename it.")
        return cut_and_count(read_record(path, name, self.max_memory), options)

    def _others(self) -> list[str]:
        """What looks like data in the folder, and belongs to no record."""
        if not self.source.is_dir():
            return []
        known = {file for path in record_paths(self.source, segments=True) for file in files_of(path)}
        others = sorted(
            file.relative_to(self.source).as_posix()
            for file in walk(self.source)
            if file.suffix.lower() in _DATA and file not in known
        )
        text = f"{len(others)} files of {self.source} belong to no record and were left out: {_some(others)}."
        return texts_if((others, text))


_DATA = (".dat", ".atr", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".csv", ".tsv", ".parquet", ".npy", ".npz")


def read_beats(source: str | Path, options: EcgOptions | None = None) -> Beats:
    """Cut all beats of a folder of records, of one record, or of MIT-BIH; a notice tells what was left out.

    Parameters
    ----------
    source : a folder with .hea files; one record, with a suffix or without; or `mitbih`, which is taken from the cache
        folder or downloaded, unless a folder of that name is there.
    options : how; None takes the defaults of `EcgOptions`. `cut=beatgan` passes over the records 102, 104, 107 and
        217, in which MIT-BIH has paced hearts.

    Returns
    -------
    the beats in the order of the records' names, then of time.

    Raises
    ------
    InputError
        If there is no record, or one can't be used.
    MissingExtraError
        Without the extra `ecg`.
    """
    named = str(source) == NAME and not Path(source).exists()
    place = mitbih_folder() if named else Path(source)
    paths = record_paths(place)
    if not paths:
        raise InputError(f"{source} is no WFDB record, nor a folder of records: there is no .hea file to read.")
    beats, notes = Records(place, paths).beats(options or EcgOptions())
    for note in notes:
        notice(note)
    return beats


def _alike(cut: Cut, name: str, others: Mapping[str, Cut]) -> Cut:
    """Refuse beats of another length than those of the other records, as windows at another sampling rate have."""
    for other, known in others.items():
        here, there = cut.beats.x.shape[2], known.beats.x.shape[2]
        if here != there:
            raise InputError(
                f"Record {name} has {cut.rate:g} samples a second and record {other} has {known.rate:g}, so that their "
                f"windows have {here} and {there} values: give windows one rate, e.g. by --ecg rate=120."
            )
        break
    return cut


def _differences(cuts: Mapping[str, Cut], options: EcgOptions) -> list[str]:
    """In what the records differ, although their beats are put together."""
    leads: dict[str, list[str]] = {}
    for name, cut in cuts.items():
        leads.setdefault(cut.lead, []).append(name)
    shown = "; ".join(f"{lead} in {_some(names)}" for lead, names in leads.items())
    differ = f"The records' leads differ: {shown}: choose one by its name with --ecg lead=NAME."
    notes = texts_if((len(leads) > 1, differ))
    rates = {name: cut.rate for name, cut in cuts.items() if cut.rate != RATE}
    if rates and options.cut == "beat-to-beat":
        where = _some([f"{name} ({rate:g})" for name, rate in rates.items()])
        notes.append(f"Beats of {len(rates)} records have another number of values a second than {RATE}: {where}.")
    return notes


def _left_out(cuts: Mapping[str, Cut]) -> list[str]:
    gaps = {name: cut.gaps for name, cut in cuts.items() if cut.gaps}
    ends, unconfirmed = (sum(getattr(cut, name) for cut in cuts.values()) for name in ("ends", "unconfirmed"))
    where = _some([f"{name} ({count})" for name, count in gaps.items()])
    parts = texts_if(
        (gaps, f"{sum(gaps.values())} in gaps of the signal, in {where}"),
        (ends, f"{ends} that an end of the recording cuts off"),
        (unconfirmed, f"{unconfirmed} normal ones without a detected peak"),
    )
    total = sum(gaps.values()) + ends + unconfirmed
    unsearched = [f"{name} ({cut.unsearched:.3g} s)" for name, cut in cuts.items() if cut.unsearched]
    return texts_if(
        (parts, f"{total} beats were left out: {'; '.join(parts)}."),
        (unsearched, f"No beats were looked for in gaps of the signal: {_some(unsearched)}."),
    )


def _reasons(bad: Mapping[str, InputError]) -> str:
    shown = [f"{name} ({str(error).rstrip('.')})" for name, error in list(bad.items())[:_SHOWN]]
    return f": {', '.join(shown)}{_more(len(bad))}" if bad else ""


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + _more(len(names))


def _more(count: int) -> str:
    return f" and {count - _SHOWN} more" if count > _SHOWN else ""
