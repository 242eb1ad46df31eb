"""Inversion of a generator: from a sample to the latent point whose image is nearest to it."""

from oddgan.inversion.encoder import EncoderInversion, Hybrid
from oddgan.inversion.execution import Execution, Slots
from oddgan.inversion.joint import Joint, JointSearch
from oddgan.inversion.optimisers import LatentAdam, LatentOptimiser, LatentRMSProp, LatentSGD
from oddgan.inversion.restriction import Accepted, Projected, Restriction, SupportPenalty
from oddgan.inversion.result import Inverted, Loss, Map
from oddgan.inversion.search import LatentSearch
from oddgan.inversion.second_order import LatentLBFGS, LatentLM

__all__ = [
    "Accepted",
    "EncoderInversion",
    "Execution",
    "Hybrid",
    "Inverted",
    "Joint",
    "JointSearch",
    "LatentAdam",
    "LatentLBFGS",
    "LatentLM",
    "LatentOptimiser",
    "LatentRMSProp",
    "LatentSGD",
    "LatentSearch",
    "Loss",
    "Map",
    "Projected",
    "Restriction",
    "Slots",
    "SupportPenalty",
]
