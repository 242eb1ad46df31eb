"""How long a fit will take, and fits of so many minutes."""

import numpy as np
import pytest
import torch

from oddgan import ADGAN, AutoEncoder, DeepSVDD, FAnoGAN, InputError
from oddgan.families import PhaseTime, TrainingTime, training_time
from oddgan.networks import MLP

X = np.random.default_rng(0).normal(size=(200, 4))
SMALL = {"backbone": MLP(hidden=(4,)), "latent_dim": 2, "random_state": 0}
TIME = TrainingTime(
    (PhaseTime("first", 1000, 0.03), PhaseTime("second", 500, 0.06)), {"steps": 1000, "encoder_steps": 500}
)


def test_time_is_that_of_all_steps():
    assert (TIME.steps, TIME.seconds) == (1500, 60)
    assert str(TIME) == "1500 training steps take about 60 s on this machine."


def test_minutes_cut_or_stretch_all_phases_alike():
    assert TIME.within(0.5) == {"steps": 500, "encoder_steps": 250}
    assert TIME.within(3) == {"steps": 3000, "encoder_steps": 1500}
    assert TIME.within(0.0015)["encoder_steps"] == 1


@pytest.mark.parametrize(
    ("time", "minutes", "said"),
    [
        (TIME, 0, "minutes must be a finite number above 0, not 0"),
        (TIME, float("nan"), "minutes must be a finite number"),
        (TIME, 1e-5, "too short for one training step: all take 60 s"),
        (TrainingTime(TIME.phases, {}), 1, "Give minutes, or steps or epochs, not both"),
        (TrainingTime((), {"steps": 3}), 1, "Nothing is trained here"),
    ],
)
def test_what_can_not_be_limited_is_refused(time, minutes, said):
    with pytest.raises(InputError, match=said):
        time.within(minutes)


def test_every_phase_is_measured_by_its_own_steps():
    detector = FAnoGAN(**SMALL, n_critic=3)
    before = torch.random.get_rng_state()
    time = training_time(detector, X)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not hasattr(detector, "networks_")
    steps = FAnoGAN.default_steps.table
    assert [(p.name, p.steps) for p in time.phases] == [
        ("wasserstein", steps),
        ("encoder", time.lengths["encoder_steps"]),
    ]
    assert all(0 < p.seconds < 1 for p in time.phases)
    assert time.lengths["steps"] == steps


def test_passes_count_all_rows_that_are_trained_on():
    (phase,) = training_time(AutoEncoder(**SMALL, epochs=3, calibration=0.5, batch_size=10), X).phases
    assert phase.steps == 3 * 10
    assert training_time(AutoEncoder(**SMALL, epochs=3), X).lengths == {}


def test_no_pretraining_is_no_length():
    settings = {"latent_dim": 2, "random_state": 0}
    lengths = training_time(DeepSVDD(**settings, pretrain_epochs=0), X).lengths
    assert lengths == {"steps": DeepSVDD.default_steps.table}
    assert training_time(DeepSVDD(**settings), X).lengths.keys() == {"steps", "pretrain_steps"}


def test_searches_are_not_measured():
    assert training_time(ADGAN(**SMALL, budget_ms=1e-9), X).seconds > 0
