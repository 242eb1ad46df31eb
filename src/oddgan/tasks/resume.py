"""Resume a killed fit: where its checkpoints are, how often they are written, and whether it is finished."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oddgan import storage
from oddgan._core.errors import InputError
from oddgan._core.parts import to_spec
from oddgan.base import Detector
from oddgan.options import FitSpec, UsageError
from oddgan.tasks.models import model_to_continue
from oddgan.tasks.settings import detector_of
from oddgan.training import Checkpoints

_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def checkpoint_folder(out: Path) -> Path:
    """Where a training keeps its checkpoints: beside the model, as OUT.ckpt."""
    return out.with_name(f"{out.name}.ckpt")


def checkpoints_of(spec: FitSpec) -> Checkpoints | None:
    """The checkpoints that a fit asks for; None if it asks for none.

    Raises
    ------
    UsageError
        If they have no place, or "every" is no number of steps or time.
    """
    if spec.checkpoint_every is None and not spec.resume:
        return None
    if spec.out is None:
        raise UsageError("Checkpoints are kept beside the model: name its folder with --out.")
    steps, seconds = _every(spec.checkpoint_every or "60s")
    found = Checkpoints(checkpoint_folder(spec.out), steps=steps, seconds=seconds, resume=spec.resume)
    if spec.force and not spec.resume:
        found.remove()
    return found


@contextmanager
def resumable(spec: FitSpec) -> Iterator[None]:
    """Say after an interruption that a fit can be resumed, if it has left checkpoints."""
    try:
        yield
    except KeyboardInterrupt:
        kept = spec.resume or spec.checkpoint_every is not None
        if kept and spec.out is not None and (folder := checkpoint_folder(spec.out)).exists():
            raise KeyboardInterrupt(
                f"Interrupted: checkpoints are kept in {folder}; --resume continues from there."
            ) from None
        raise


def _every(text: str) -> tuple[int | None, float]:
    """Steps, or seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|h|)", text.strip())
    if found is None or (not found[2] and ("." in found[1] or int(found[1]) < 1)):
        raise UsageError(f"--checkpoint-every takes steps or a time, e.g. 500, 30s or 5min, but is {text!r}.")
    return (None, float(found[1]) * _UNITS[found[2]]) if found[2] else (int(found[1]), 60.0)


def finished(spec: FitSpec) -> bool:
    """Whether the fit that is to be resumed has left its model already; its checkpoints go then.

    Raises
    ------
    InputError
        If the folder holds something else.
    """
    if not spec.resume or spec.out is None or not spec.out.exists() or spec.force:
        return False
    detector = detector_of(spec) if spec.onto is None else model_to_continue(spec).detector
    try:
        head = json.loads((spec.out / "detector.json").read_text(encoding="utf-8"))
        same = (head["class"], head["parameters"]) == (type(detector).__name__, _stored(detector))
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise InputError(
            f"{spec.out} exists already and is not what this fit makes: give another name, or --force to replace it."
        )
    Checkpoints(checkpoint_folder(spec.out)).remove()
    return True


def _stored(detector: Detector) -> dict[str, object]:
    """The parameters as they stand in a model's file."""
    given = {name: to_spec(value, {}, name) for name, value in storage.stored_parameters(detector).items()}
    found: dict[str, object] = json.loads(json.dumps(given))
    return found
