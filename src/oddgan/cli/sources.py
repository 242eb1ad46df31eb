"""From the options of a command line to how a source is read."""

from dataclasses import fields
from typing import TYPE_CHECKING

from cyclopts import CycloptsError

import oddgan
from oddgan._core.memory import parse_size
from oddgan.cli.options import DataOptions

if TYPE_CHECKING:
    import oddgan.data
    import oddgan.tasks
    from oddgan.data import Options


def reading(options: DataOptions) -> "Options":
    """Return how the data is read."""
    given = {field.name: getattr(options, field.name) for field in fields(DataOptions)}
    size = None if options.resize is None else _size(options.resize)
    values = oddgan.tasks.parse_assignments(options.ecg)
    ecg = oddgan.data.EcgOptions.of(values) if values else None
    memory = None if options.max_memory is None else _memory(options.max_memory)
    return oddgan.data.Options(**given | {"resize": size, "ecg": ecg, "max_memory": memory})


def _memory(text: str) -> int:
    try:
        return parse_size(text)
    except oddgan.InputError as error:
        raise CycloptsError(msg=f"--max-memory: {error}") from error


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().partition("x")
    if not height.isdigit() or not (width.isdigit() or not width) or text.lower().endswith("x"):
        raise CycloptsError(msg=f"--resize is {text!r}: give a size such as 64, or 64x48 for height x width.")
    return int(height), int(width or height)
