"""The families that methods build on: detectors made of networks, of scikit-learn estimators, of other detectors."""

from oddgan.families.bidirectional import BidirectionalDetector
from oddgan.families.classical import ClassicalDetector, ProjectedDetector, principal_components
from oddgan.families.coding import CodingDetector, PriorDetector, VariationalDetector
from oddgan.families.ensemble import EnsembleDetector, drawn
from oddgan.families.games import Game
from oddgan.families.modules import Stored
from oddgan.families.neural import NeuralDetector
from oddgan.families.parallel import ParallelDetector
from oddgan.families.partial_fit import Changes
from oddgan.families.search import Inversion, SearchDetector, SearchReport, generator_of
from oddgan.families.timing import PhaseTime, TrainingTime, training_time

__all__ = [
    "BidirectionalDetector",
    "Changes",
    "ClassicalDetector",
    "CodingDetector",
    "EnsembleDetector",
    "Game",
    "Inversion",
    "NeuralDetector",
    "ParallelDetector",
    "PhaseTime",
    "PriorDetector",
    "ProjectedDetector",
    "SearchDetector",
    "SearchReport",
    "Stored",
    "TrainingTime",
    "VariationalDetector",
    "drawn",
    "generator_of",
    "principal_components",
    "training_time",
]
