"""Similarities among a detector's hyperparameters, fitted to normal rows."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from oddgan.similarities import Similarity


def fitted_similarities(parameters: Mapping[str, Any], reference: Callable[[], Tensor]) -> dict[str, Similarity]:
    """The similarities that take something from normal rows, fitted to some of them, by parameter.

    Parameters
    ----------
    parameters : all hyperparameters by name.
    reference : gives normal rows as network input (n, ...); called if there is a similarity.
    """
    given = {name: value for name, value in parameters.items() if isinstance(value, Similarity)}
    if not given:
        return {}
    rows = reference()
    fitted = {name: value.fit(rows) for name, value in given.items()}
    return {name: value for name, value in fitted.items() if value != given[name]}
