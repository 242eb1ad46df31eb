"""Folders of WFDB records, and MIT-BIH by name, as series of heartbeats."""

import dataclasses
from pathlib import Path

import numpy as np

from oddgan._core.errors import InputError
from oddgan.data.arrays import choose_split
from oddgan.data.dataset import Dataset, Raw, Reading
from oddgan.data.download import cache_folder
from oddgan.data.ecg import CLASSES, DS1, DS2, EcgOptions, split_beats
from oddgan.data.ecg.beat_records import Records
from oddgan.data.ecg.beats import UNLABELLED
from oddgan.data.ecg.records import record_paths
from oddgan.data.ecg.splits import PACED
from oddgan.options import Options, SplitName

_PROTOCOL = "patient-wise"
_TESTED = "heartbeat_mitbih_test.npz"  # the published set's test part, with the records and positions of its beats
_SHOWN = 5
_MITBIH = frozenset(DS1 + DS2 + PACED)


def read_recordings(source: Path, options: Options, like: Reading | None, default_split: SplitName) -> Raw:
    """Read records as beats (1, t), or (4, t) with rhythm channels; labels 0 N, 1 S, 2 V, 3 F, 4 Q, -1 unknown.

    A folder of all 48 records of MIT-BIH holds two halves; other records are read as a whole.

    Parameters
    ----------
    source : a folder of records, or one record.
    options : its ecg, protocol, split, skip_bad and max_memory apply.
    like : the reading of a fitted model, whose ecg and protocol apply where the options have none.
    default_split : the half that is read when the options name none.

    Raises
    ------
    InputError
        If a record can't be used, or a half is asked for where there are none.
    """
    cut = options.ecg or (like.ecg if like else None) or EcgOptions()
    records = Records(source, record_paths(source), options.skip_bad, options.max_memory)
    complete = set(records.names) == _MITBIH
    if not complete and (options.split or options.protocol):
        raise InputError(f"{source} is not the whole of MIT-BIH, so it has no halves for --split or --protocol.")
    protocol = (options.protocol or (like.protocol if like else None) or _PROTOCOL) if complete else None
    beats, notes = records.beats(cut)
    split = None if protocol is None else choose_split(str(source), ("train", "test"), options.split, default_split)
    if protocol is not None:
        divided = split_beats(beats, protocol, published=_tested(source))
        rows = divided.test if split == "test" else np.sort(np.append(divided.train, divided.validation))
        beats = beats.take(rows)
        notes += (f"The {split} half of {divided.protocol} has {len(beats)} beats.",)
    return Raw(
        source=str(source),
        x=beats.x,
        y=beats.label if (beats.label >= 0).any() else None,
        ids=beats.ids,
        kind="series",
        split=split,
        notes=notes,
        ecg=cut,
        protocol=None if protocol is None else divided.protocol,
        classes=CLASSES,
    )


def with_known_labels(dataset: Dataset) -> Dataset:
    """Leave out beats without a label, unless none has one: learning and evaluating need them."""
    if dataset.y is None:
        return dataset
    known = dataset.y != UNLABELLED
    if known.all():
        return dataset
    records = dict.fromkeys(name.rpartition("/")[0] for name in dataset.ids[~known].tolist())
    shown = ", ".join(list(records)[:_SHOWN]) + (f" and {len(records) - _SHOWN} more" if len(records) > _SHOWN else "")
    note = f"{int((~known).sum())} detected beats that nobody annotated were left out, in {shown}."
    return dataclasses.replace(dataset.take(known), notes=(*dataset.notes, note))


def _tested(source: Path) -> Path | None:
    """The file with the published test beats, beside the records or in the cache folder."""
    places = (source, source.parent, cache_folder(), cache_folder() / "mitbih")
    return next((place / _TESTED for place in places if (place / _TESTED).is_file()), None)
