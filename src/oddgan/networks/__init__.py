"""Networks by the shape of a sample: encoders, decoders, and critics that return a logit and features."""

from oddgan.networks import backbones
from oddgan.networks.backbones import *
from oddgan.networks.base import Backbone, Judgement
from oddgan.networks.base import CodeOutput as CodeOutput
from oddgan.networks.base import SampleOutput as SampleOutput
from oddgan.networks.blocks import Autoregressive, FirstChannels, MinibatchStdDev, at_rest, reinitialise
from oddgan.networks.blocks import Growing as Growing
from oddgan.networks.compiled import HalfPrecision, Listener, Logits, prepare
from oddgan.networks.per_sample import Private, private

__all__ = [
    "Autoregressive",
    "Backbone",
    "FirstChannels",
    "HalfPrecision",
    "Judgement",
    "Listener",
    "Logits",
    "MinibatchStdDev",
    "Private",
    "at_rest",
    "prepare",
    "private",
    "reinitialise",
]
__all__ += backbones.__all__
