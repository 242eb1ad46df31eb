"""The contract that every detector keeps, and the families that methods build on."""

from oddgan._core.card import KINDS, Card, Kind, kind_of
from oddgan._core.notices import Notice
from oddgan.base.adversarial import adversarial_updates, critic_loss
from oddgan.base.bidirectional import BidirectionalDetector, Pair, flipped_loss, pair_loss
from oddgan.base.capabilities import Encodes, Reconstructs, Samples
from oddgan.base.classical import ClassicalDetector, ProjectedDetector, principal_components
from oddgan.base.coding import CodingDetector, PriorDetector, VariationalDetector
from oddgan.base.components import Component, standard_components
from oddgan.base.detector import Detector
from oddgan.base.ensemble import EnsembleDetector
from oddgan.base.explanation import Explanation
from oddgan.base.fitting import Fitting
from oddgan.base.going_on import Changes
from oddgan.base.joint import JointDetector, drawn
from oddgan.base.latent_critic import LatentCritic
from oddgan.base.neural import NeuralDetector
from oddgan.base.private import PrivateDetector
from oddgan.base.pyod import PyODView, as_pyod
from oddgan.base.rows import Rows
from oddgan.base.scoring import Progress
from oddgan.base.search import Inversion, SearchDetector
from oddgan.base.storage import known_parts
from oddgan.base.weights import Stored

__all__ = [
    "KINDS",
    "BidirectionalDetector",
    "Card",
    "Changes",
    "ClassicalDetector",
    "CodingDetector",
    "Component",
    "Detector",
    "Encodes",
    "EnsembleDetector",
    "Explanation",
    "Fitting",
    "Inversion",
    "JointDetector",
    "Kind",
    "LatentCritic",
    "NeuralDetector",
    "Notice",
    "Pair",
    "PriorDetector",
    "PrivateDetector",
    "Progress",
    "ProjectedDetector",
    "PyODView",
    "Reconstructs",
    "Rows",
    "Samples",
    "SearchDetector",
    "Stored",
    "VariationalDetector",
    "adversarial_updates",
    "as_pyod",
    "critic_loss",
    "drawn",
    "flipped_loss",
    "kind_of",
    "known_parts",
    "pair_loss",
    "principal_components",
    "standard_components",
]
