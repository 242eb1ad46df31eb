"""Backbones: recipes from which detectors build encoders, decoders and critics, and the published ones by name."""

from oddgan.networks.backbones.auto import Auto
from oddgan.networks.backbones.bigan import Bidirectional, DenseLadder
from oddgan.networks.backbones.dcgan import ConvLadder
from oddgan.networks.backbones.lenet import LeNet
from oddgan.networks.backbones.mlp import MLP, FlatMLP
from oddgan.networks.backbones.pooled import Pooled
from oddgan.networks.backbones.presets import (
    AAE_MLP,
    ALAD_ARRHYTHMIA,
    ALAD_CIFAR10,
    ALAD_DENSE,
    ALAD_DENSE_PAIRS,
    ALAD_KDD,
    ALAD_PAIRS,
    ALOCC_CRITIC,
    ALOCC_REFINER,
    ARAE_MLP,
    BEATGAN_1D,
    DCGAN_32,
    DEEP_SVDD,
    DEEP_SVDD_32,
    EGBAD_DENSE,
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
    WASSERSTEIN_FLAT,
)
from oddgan.networks.backbones.progressive import Progressive
from oddgan.networks.backbones.refiner import Refiner
from oddgan.networks.backbones.resnet import ResNet
from oddgan.networks.backbones.vaegan import HeadedLadder

__all__ = [
    "AAE_MLP",
    "ALAD_ARRHYTHMIA",
    "ALAD_CIFAR10",
    "ALAD_DENSE",
    "ALAD_DENSE_PAIRS",
    "ALAD_KDD",
    "ALAD_PAIRS",
    "ALOCC_CRITIC",
    "ALOCC_REFINER",
    "ARAE_MLP",
    "BEATGAN_1D",
    "DCGAN_32",
    "DEEP_SVDD",
    "DEEP_SVDD_32",
    "EGBAD_DENSE",
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
    "WASSERSTEIN_FLAT",
    "Auto",
    "Bidirectional",
    "ConvLadder",
    "DenseLadder",
    "FlatMLP",
    "HeadedLadder",
    "LeNet",
    "Pooled",
    "Progressive",
    "Refiner",
    "ResNet",
]
