"""Train a stored model on."""

import dataclasses

import numpy as np

from oddgan._core.errors import InputError
from oddgan.families import NeuralDetector
from oddgan.options import FitSpec, UsageError
from oddgan.tasks.models import Memory, Model, open_model

_OWN = ("settings", "calibration", "rate", "threshold", "seed")


def model_to_go_on(spec: FitSpec) -> Model:
    """The model that a fit goes on with.

    Raises
    ------
    UsageError
        If parameters are given, which the model has, or it can't be trained on.
    """
    if spec.onto is None:
        raise UsageError("There is no model to go on with: name it with --continue.")
    given = [name for name in _OWN if getattr(spec, name) not in (None, {})]
    if given:
        raise UsageError(f"--continue takes the model's own parameters: leave {', '.join(given)} out.")
    if spec.out is None and not spec.force:
        raise UsageError(f"Where should the model go? Give --out FOLDER, or --force to replace {spec.onto}.")
    model = open_model(spec.onto, spec.device, trust_changes=spec.trust_changes)
    if not isinstance(model.detector, NeuralDetector):
        name = type(model.detector).__name__
        raise UsageError(f"{name} is fitted at once and can't be trained on: fit it anew on all rows.")
    if model.memory is None:
        raise InputError(f"{spec.onto} was not made by `oddgan fit`: go on with partial_fit in Python.")
    return model


def together(old: Memory, new: Memory) -> Memory:
    """What the model remembers after both trainings."""
    marks = [m for m in (old.trained, new.trained) if m is not None]
    trained = np.unique(np.concatenate(marks)) if marks else None
    return dataclasses.replace(new, n_train=old.n_train + new.n_train, trained=trained, labelled=old.labelled)
