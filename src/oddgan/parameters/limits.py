"""Limits for numbers that cost time or memory."""

import math
from collections.abc import Mapping
from typing import Any

from oddgan._core.errors import InputError, ModelError
from oddgan._core.parts import to_spec
from oddgan._core.text import shown

MOST_MEMBERS = 1000
# Far above what anybody has a use for: a larger one would keep a score busy for hours, or fill the memory.
_LARGEST = {
    "n_max": 100_000, "steps": 100_000, "n_seed": 100_000, "n_draws": 100_000, "bank": 10_000_000, "levels": 64,
    "depth": 1000, "n": 1000, "n_members": MOST_MEMBERS, "history": 10_000, "memory_mb": 1_000_000,
    "kernel": 10_000, "bins": 1_000_000, "attack_steps": 100_000,
}  # fmt: skip
# Steps of a search, which every score takes; those of training, a detector's own, may be as many as one likes.
_OF_PARTS = frozenset({"steps"})


def check_numbers(spec: Any, name: str = "") -> None:
    """Refuse numbers above the largest that make sense for a field of this name.

    Parameters
    ----------
    spec : a value as it is stored, see `to_spec`; `fit` asks, too, so that what is fitted can be loaded again.
    name : the field that holds it.

    Raises
    ------
    ModelError
        The message names the field.
    """
    if isinstance(spec, dict):
        for key, value in spec.items():
            check_numbers(value, "" if key in _OF_PARTS and "type" not in spec else key)
    elif isinstance(spec, list):
        for value in spec:
            check_numbers(value, name)
    elif isinstance(spec, int | float):
        most = _LARGEST.get(name, 2**63 if isinstance(spec, int) else math.inf)
        if spec > most:
            raise ModelError(f"{name} is {shown(spec)}, but must be at most {most}.")


def check_sizes(who: str, values: Mapping[str, Any]) -> None:
    """Refuse hyperparameters that loading would refuse, before anything is trained in vain.

    Parameters
    ----------
    who : the detector, for messages.
    values : hyperparameters by name, as they are.

    Raises
    ------
    InputError
        The message names the first one.
    """
    for name, value in values.items():
        try:
            check_numbers({name: to_spec(value, {}, name)})
        except ModelError as error:
            raise InputError(f"{who} can't be fitted: {error}") from error
        except InputError:  # a value of somebody's own, which can't be saved
            continue
