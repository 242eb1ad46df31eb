"""Small detectors for tests of the contract itself; which method they are plays no part."""

import numpy as np

from oddgan import AutoEncoder
from oddgan.networks import MLP, Auto, ConvLadder

SMALL = Auto(table=MLP(hidden=(8,)), series=ConvLadder(width=4, max_width=8), image=ConvLadder(width=4, max_width=8))


def detector(**settings):
    return AutoEncoder(**{"latent_dim": 3, "epochs": 1, "backbone": SMALL, "random_state": 0} | settings)


def table(n=30, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 4))
