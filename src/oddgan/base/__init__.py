"""The contract that every detector keeps: what it is told, what it returns, and what it may be able to do besides."""

from oddgan._core.card import KINDS, Card, Kind, kind_of
from oddgan._core.hyperparameters import hyperparameters
from oddgan._core.notices import Notice
from oddgan.base.calibration import Calibration
from oddgan.base.capabilities import Encodes, Reconstructs, Samples
from oddgan.base.components import Component, ScoreParts, standard_components
from oddgan.base.detector import Detector
from oddgan.base.explanation import Explanation
from oddgan.base.fitting import Fitting
from oddgan.base.pyod import PyODView, as_pyod
from oddgan.base.scoring import Progress
from oddgan.inputs.rows import Rows

__all__ = [
    "KINDS",
    "Calibration",
    "Card",
    "Component",
    "Detector",
    "Encodes",
    "Explanation",
    "Fitting",
    "Kind",
    "Notice",
    "Progress",
    "PyODView",
    "Reconstructs",
    "Rows",
    "Samples",
    "ScoreParts",
    "as_pyod",
    "hyperparameters",
    "kind_of",
    "standard_components",
]
