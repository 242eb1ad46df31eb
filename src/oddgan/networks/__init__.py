"""Networks by the shape of a sample: encoders, decoders, and critics that return a logit and features."""

from oddgan.networks.auto import Auto
from oddgan.networks.autoregressive import Autoregressive
from oddgan.networks.base import Backbone, Judgement
from oddgan.networks.base import CodeOutput as CodeOutput
from oddgan.networks.base import SampleOutput as SampleOutput
from oddgan.networks.headed import HeadedLadder
from oddgan.networks.heads import FirstChannels
from oddgan.networks.ladder import ConvLadder
from oddgan.networks.layers import reinitialise
from oddgan.networks.mlp import MLP
from oddgan.networks.prepared import prepare
from oddgan.networks.presets import (
    BEATGAN_1D,
    DCGAN_32,
    FANOGAN_RESNET_64,
    GANOMALY_32,
    LSA_RESNET_28,
    VAEGAN_1D,
    WASSERSTEIN,
)
from oddgan.networks.private import Private, private
from oddgan.networks.resnet import ResNet

__all__ = [
    "BEATGAN_1D",
    "DCGAN_32",
    "FANOGAN_RESNET_64",
    "GANOMALY_32",
    "LSA_RESNET_28",
    "MLP",
    "VAEGAN_1D",
    "WASSERSTEIN",
    "Auto",
    "Autoregressive",
    "Backbone",
    "ConvLadder",
    "FirstChannels",
    "HeadedLadder",
    "Judgement",
    "Private",
    "ResNet",
    "prepare",
    "private",
    "reinitialise",
]
