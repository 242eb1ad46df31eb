"""A notice when training was too short to mean anything."""

import warnings

import numpy as np
import pytest

from oddgan import AutoEncoder
from oddgan.base import Notice
from oddgan.networks import MLP

X = np.random.default_rng(0).normal(size=(100, 4))


def test_too_few_steps_are_named_with_the_remedy() -> None:
    # 100 rows in batches of at most 50 make 2 steps an epoch.
    with pytest.warns(Notice, match=r"took only 6 training steps on 100 rows.*more steps.*epochs \(now 3\)"):
        AutoEncoder(epochs=3, batch_size=50, backbone=MLP(hidden=(4,)), random_state=0).fit(X)


def test_enough_steps_say_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Notice)
        AutoEncoder(epochs=75, batch_size=25, backbone=MLP(hidden=(4,)), random_state=0).fit(X)  # 75 x 4 = 300 steps
