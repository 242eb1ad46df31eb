"""How long training takes: what is given for a part, for all of it, or by the method."""

from typing import ClassVar

import numpy as np
import pytest

from oddgan import AutoEncoder, DeepSVDD, FAnoGAN, InputError
from oddgan.base import hyperparameters
from oddgan.networks import MLP
from oddgan.training import Steps
from oddgan.training.length import Length, length_of

X = np.random.default_rng(0).normal(size=(40, 4))
SMALL = {"backbone": MLP(hidden=(4,)), "random_state": 0, "batch_size": 20, "latent_dim": 2}  # two batches a pass


@hyperparameters
class Short(FAnoGAN):
    default_steps: ClassVar = Steps(table=3, series=4, image=5)
    n_critic: int = 1


def updates(detector):
    history = detector.fit(X).history_
    return [sum(r.updates for r in history if r.phase_index == i) for i in range(2)]


@pytest.mark.parametrize(("shape", "steps"), [((4,), 3), ((1, 4), 4), ((1, 4, 4), 5)])
def test_a_method_has_steps_for_each_kind_of_data(shape, steps):
    detector = Short()
    detector.shape_ = shape
    assert length_of(detector, "") == Length(None, steps)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [3, 3]),
        ({"steps": 7}, [7, 7]),
        ({"epochs": 2}, [4, 4]),
        ({"encoder_steps": 1}, [3, 1]),
        ({"encoder_epochs": 1}, [3, 2]),
        ({"steps": 7, "encoder_epochs": 1}, [7, 2]),
        ({"epochs": 2, "encoder_steps": 1}, [4, 1]),
    ],
)
def test_the_part_wins_over_the_whole_and_what_is_given_over_the_default(given, expected):
    assert updates(Short(**SMALL, **given)) == expected


@pytest.mark.parametrize(
    ("cls", "given", "said"),
    [
        (AutoEncoder, {"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        (AutoEncoder, {"steps": 0}, "steps must be a whole number of at least 1, not 0"),
        (AutoEncoder, {"epochs": 3, "steps": 4}, "Give steps or epochs, not both: they are 4 and 3"),
        (FAnoGAN, {"encoder_epochs": 3, "encoder_steps": 4}, "Give encoder_steps or encoder_epochs, not both"),
        (FAnoGAN, {"encoder_epochs": 0}, "encoder_epochs must be a whole number of at least 1"),
        (DeepSVDD, {"pretrain_epochs": -1}, "pretrain_epochs must be a whole number of at least 0"),
        (DeepSVDD, {"pretrain_steps": 0}, "pretrain_steps must be a whole number of at least 1"),
    ],
)
def test_lengths_that_make_no_sense_are_refused(cls, given, said):
    with pytest.raises(InputError, match=said):
        cls(**given).fit(X)
