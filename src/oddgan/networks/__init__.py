"""Networks by the shape of a sample: encoders, decoders, and critics that return a logit and features."""

from oddgan.networks.backbones.auto import Auto
from oddgan.networks.backbones.autoregressive import Autoregressive
from oddgan.networks.backbones.bigan import Bidirectional, DenseLadder
from oddgan.networks.backbones.flat import FlatMLP
from oddgan.networks.backbones.growing import Growing as Growing
from oddgan.networks.backbones.ladder import ConvLadder
from oddgan.networks.backbones.lenet import LeNet
from oddgan.networks.backbones.mlp import MLP
from oddgan.networks.backbones.pooled import Pooled
from oddgan.networks.backbones.presets import (
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
from oddgan.networks.backbones.progressive import Progressive
from oddgan.networks.backbones.refiner import Refiner
from oddgan.networks.backbones.resnet import ResNet
from oddgan.networks.base import Backbone, Judgement
from oddgan.networks.base import CodeOutput as CodeOutput
from oddgan.networks.base import SampleOutput as SampleOutput
from oddgan.networks.blocks.headed import HeadedLadder
from oddgan.networks.blocks.heads import FirstChannels
from oddgan.networks.blocks.layers import at_rest, reinitialise
from oddgan.networks.blocks.minibatch import MinibatchStdDev
from oddgan.networks.compiled.precision import HalfPrecision
from oddgan.networks.compiled.prepared import prepare
from oddgan.networks.compiled.slope import Listener, Logits
from oddgan.networks.per_sample.private import Private, private

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
