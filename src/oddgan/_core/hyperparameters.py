"""Hyperparameters are dataclass fields: the generated constructor only stores."""

import dataclasses
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, eq_default=False)
def hyperparameters(cls: type[T]) -> type[T]:
    """Make the annotated fields of an estimator its keyword-only constructor arguments.

    scikit-learn reads the parameters from the constructor's signature and expects a constructor that stores and does
    nothing else. A subclass changes a default by declaring the field again.
    """
    return dataclasses.dataclass(kw_only=True, eq=False, repr=False)(cls)
