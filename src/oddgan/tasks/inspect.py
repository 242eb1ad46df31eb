"""Inspect data before training: columns, labels, duplicates, intrinsic dimension, suspect rows."""

import dataclasses

from oddgan._core.errors import InputError
from oddgan.data import Dataset, Inspection, Options, read
from oddgan.data import inspect as look
from oddgan.options import InspectSpec, SplitName


def inspect(spec: InspectSpec) -> Inspection:
    """Read a source and say what is in it; of a source with two halves, train is looked at unless options name one.

    Parameters
    ----------
    spec : the source, and how to read it.

    Raises
    ------
    InputError
        If the source can't be read.
    """
    data = read(spec.source, spec.options, finite=False)
    other, notes = _other_half(spec.source, spec.options, data)
    found = look(data, source=spec.source, other=other, normal=spec.options.normal, seed=spec.seed)
    return dataclasses.replace(found, notes=(*notes, *found.notes))


def _other_half(source: str, options: Options, data: Dataset) -> tuple[Dataset | None, tuple[str, ...]]:
    """The half that was not read, where the source has one."""
    if data.reading.split is None:
        return None, ()
    split: SplitName = "test" if data.reading.split == "train" else "train"
    try:
        other = read(source, dataclasses.replace(options, split=split), finite=False)
    except InputError as error:
        return None, (f"The {split} half could not be compared: {error}",)
    if other.x.shape[1:] != data.x.shape[1:]:
        return None, (f"The {split} half could not be compared: its rows have the shape {other.x.shape[1:]}.",)
    return other, ()
