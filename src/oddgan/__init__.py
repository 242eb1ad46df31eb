"""oddgan finds the odd one out with generative adversarial networks: images, time series and tables.

Importing the package is instant: torch is loaded when a detector is first named.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from oddgan._core.errors import InputError, MissingExtraError, ModelError, OddganError, TrainingError
from oddgan._core.lazy import import_quickly
from oddgan._core.version import VERSION

if TYPE_CHECKING:
    from oddgan.base import Detector, as_pyod
    from oddgan.detectors import *  # noqa: F403
    from oddgan.detectors import load

__version__ = VERSION
_BASE = ("Detector", "as_pyod")


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    # `from oddgan import data` asks here first: a folder must not cost the import of torch, or of itself in a circle.
    if importlib.util.find_spec(f"oddgan.{name}") is not None:
        return import_quickly(f"oddgan.{name}")
    import_quickly("oddgan.base")
    module = importlib.import_module("oddgan.base" if name in _BASE else "oddgan.detectors")
    try:
        return getattr(module, name)
    except AttributeError:
        raise AttributeError(f"oddgan has no {name!r}: `oddgan methods` lists the detectors.") from None


def __dir__() -> list[str]:
    detectors = importlib.import_module("oddgan.detectors")
    return sorted([*globals(), *_BASE, *detectors.__all__])


__all__ = [
    "Detector",
    "InputError",
    "MissingExtraError",
    "ModelError",
    "OddganError",
    "TrainingError",
    "as_pyod",
    "load",
]
