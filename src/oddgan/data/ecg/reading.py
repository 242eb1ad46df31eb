"""From WFDB records on the disk to beats."""

from pathlib import Path

from oddgan._core.errors import InputError
from oddgan.data.ecg.beats import Beats, cut
from oddgan.data.ecg.mitbih import NAME, mitbih_folder
from oddgan.data.ecg.options import EcgOptions
from oddgan.data.ecg.records import read_record, record_paths
from oddgan.data.ecg.splits import PACED


def read_beats(source: str | Path, options: EcgOptions | None = None) -> Beats:
    """Cut all beats of a folder of records, of one record, or of MIT-BIH.

    Parameters
    ----------
    source : a folder with .hea files; one record, with a suffix or without; or `mitbih`, which is taken from the cache
        folder or downloaded, unless a folder of that name is there.
    options : how; None cuts like the published set of beats. `cut=beatgan` passes over the records 102, 104, 107 and
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
    options = options or EcgOptions()
    named = str(source) == NAME and not Path(source).exists()
    paths = record_paths(mitbih_folder() if named else source)
    if options.cut == "beatgan":
        paths = [path for path in paths if path.name not in PACED]
    if not paths:
        raise InputError(f"{source} is no WFDB record, nor a folder of records: there is no .hea file to read.")
    return Beats.join([cut(read_record(path), options) for path in paths])
