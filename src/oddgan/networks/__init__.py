"""Networks by the shape of a sample: encoders, decoders, and critics that return a logit and features."""

from oddgan.networks.auto import Auto
from oddgan.networks.autoregressive import Autoregressive
from oddgan.networks.base import Backbone, Judgement
from oddgan.networks.base import CodeOutput as CodeOutput
from oddgan.networks.base import SampleOutput as SampleOutput
from oddgan.networks.bigan import Bidirectional, DenseLadder
from oddgan.networks.flat import FlatMLP
from oddgan.networks.growing import Growing as Growing
from oddgan.networks.headed import HeadedLadder
from oddgan.networks.heads import FirstChannels
from oddgan.networks.ladder import ConvLadder
from oddgan.networks.layers import at_rest, reinitialise
from oddgan.networks.lenet import LeNet
from oddgan.networks.minibatch import MinibatchStdDev
from oddgan.networks.mlp import MLP
from oddgan.networks.pooled import Pooled
from oddgan.networks.precision import HalfPrecision
from oddgan.networks.prepared import prepare
from oddgan.networks.presets import (
    AAE_MLP,
    ALAD_ARRHYTHMIA,
    ALAD_CIFAR10,
    ALAD_KDD,
    ALAD_PAIRS,
    ALOCC_CRITIC,
    ALOCC_REFINER,
    ARAE_MLP,
    BEATGAN_1D,
    DCGAN_32,
    DEEP_SVDD,
    DEEP_SVDD_32,
    EGBAD_KDD,
    EGBAD_MNIST,
    FANOGAN_RESNET_64,
    GANOMALY_32,
    GPND_32,
    LSA_RESNET_28,
    NAE_28,
    OCGAN_64,
    VAEGAN_1D,
    WASSERSTEIN,
)
from oddgan.networks.private import Private, private
from oddgan.networks.progressive import Progressive
from oddgan.networks.refiner import Refiner
from oddgan.networks.resnet import ResNet
from oddgan.networks.slope import Listener, Logits

__all__ = [
    "AAE_MLP",
    "ALAD_ARRHYTHMIA",
    "ALAD_CIFAR10",
    "ALAD_KDD",
    "ALAD_PAIRS",
    "ALOCC_CRITIC",
    "ALOCC_REFINER",
    "ARAE_MLP",
    "BEATGAN_1D",
    "DCGAN_32",
    "DEEP_SVDD",
    "DEEP_SVDD_32",
    "EGBAD_KDD",
    "EGBAD_MNIST",
    "FANOGAN_RESNET_64",
    "GANOMALY_32",
    "GPND_32",
    "LSA_RESNET_28",
    "MLP",
    "NAE_28",
    "OCGAN_64",
    "VAEGAN_1D",
    "WASSERSTEIN",
    "Auto",
    "Autoregressive",
    "Backbone",
    "Bidirectional",
    "ConvLadder",
    "DenseLadder",
    "FirstChannels",
    "FlatMLP",
    "HalfPrecision",
    "HeadedLadder",
    "Judgement",
    "LeNet",
    "Listener",
    "Logits",
    "MinibatchStdDev",
    "Pooled",
    "Private",
    "Progressive",
    "Refiner",
    "ResNet",
    "at_rest",
    "prepare",
    "private",
    "reinitialise",
]
