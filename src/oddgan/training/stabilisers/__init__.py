"""Stabilisers: techniques that stabilise adversarial training, as parts that every detector with a critic takes."""

from oddgan.training.stabilisers.base import Setting, Stabiliser, check, rebuilt, stabilised
from oddgan.training.stabilisers.losses import FeatureMatching, InstanceNoise, LabelSmoothing, Penalised
from oddgan.training.stabilisers.networks import CriticEnsemble, MinibatchDiscrimination, MinibatchStdDev
from oddgan.training.stabilisers.schedules import CriticWarmUp, TwoTimescale

__all__ = [
    "CriticEnsemble",
    "CriticWarmUp",
    "FeatureMatching",
    "InstanceNoise",
    "LabelSmoothing",
    "MinibatchDiscrimination",
    "MinibatchStdDev",
    "Penalised",
    "Setting",
    "Stabiliser",
    "TwoTimescale",
    "check",
    "rebuilt",
    "stabilised",
]
