"""Stabilisers: what keeps an adversarial game steady, as parts that every detector with a critic takes."""

from oddgan.training.stabilisers.base import Setting, Stabiliser, check
from oddgan.training.stabilisers.game import Game, stabilised
from oddgan.training.stabilisers.losses import FeatureMatching, InstanceNoise, LabelSmoothing, Penalised
from oddgan.training.stabilisers.networks import CriticEnsemble, MinibatchDiscrimination, MinibatchStdDev
from oddgan.training.stabilisers.schedules import CriticWarmUp, TwoTimescale

__all__ = [
    "CriticEnsemble",
    "CriticWarmUp",
    "FeatureMatching",
    "Game",
    "InstanceNoise",
    "LabelSmoothing",
    "MinibatchDiscrimination",
    "MinibatchStdDev",
    "Penalised",
    "Setting",
    "Stabiliser",
    "TwoTimescale",
    "check",
    "stabilised",
]
