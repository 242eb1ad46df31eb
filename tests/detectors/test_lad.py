"""LAD: the critic's loss between rows and their copies, its bound, and a sanity check on real data."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.metrics import roc_auc_score

from oddgan import InputError
from oddgan.detectors import LAD
from oddgan.networks import MLP, ConvLadder
from oddgan.objectives import WGANGP, GradientPenalty, Wasserstein
from oddgan.training import Adam, CriticWarmUp, FeatureMatching, GaussianCorruption, LabelSmoothing, PatchCorruption

ERASE = PatchCorruption(size=1.0, how="erase")
X = torch.tensor([[3.0, 4.0], [0.0, 2.0]])


def test_loss_by_hand(ready, losses, judge):
    # D(x) = x_1 + x_2, and every copy is erased: D(x̃) - D(x) = -7 and -2; the slope is √2 everywhere.
    detector = ready(LAD(corruption=ERASE), 2, critic=judge([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0]))
    penalty = 10 * (2**0.5 - 1) ** 2
    assert losses(detector._against_copies, X)["critic"].tolist() == pytest.approx([penalty - 7, penalty - 2])


def test_penalty_lies_between_a_row_and_its_own_copy(ready, losses, judge, monkeypatch):
    seen = {}

    def note(_self, _critic, real, fake):
        seen["pair"] = (real, fake)
        return torch.zeros(len(real))

    monkeypatch.setattr(GradientPenalty, "__call__", note)
    detector = ready(LAD(corruption=ERASE), 2, critic=judge([[1.0, 0.0]], [1.0]))
    losses(detector._against_copies, X)
    assert torch.equal(seen["pair"][0], X)
    assert torch.equal(seen["pair"][1], torch.zeros(2, 2))


def test_score_is_what_the_critic_likes_less(ready, judge):
    detector = ready(LAD(), 2, critic=judge([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0]))
    assert detector.anomaly_score(X.numpy()).tolist() == [-7.0, -2.0]
    assert detector.component_names_[0] == "critic"


@pytest.mark.parametrize(
    "settings",
    [{}, {"objective": Wasserstein(clip=None), "spectral_norm": True}],
    ids=["penalty", "spectral norm"],
)
def test_scores_of_neighbours_are_near(settings):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(256, 4))
    detector = LAD(random_state=0, epochs=40, backbone=MLP(hidden=(32,)), optimiser=Adam(lr=3e-3), **settings).fit(rows)
    a, b = rng.normal(size=(2, 500, 4))
    scaled = [torch.from_numpy(detector.scaling_(v)) for v in (a, b)]
    distance = (scaled[0] - scaled[1]).norm(dim=1).numpy()
    steepest = (np.abs(detector.anomaly_score(a) - detector.anomaly_score(b)) / distance).max()
    # Spectral norm is a bound up to the power iteration's error; the penalty is soft.
    assert steepest < (1.05 if settings else 1.5)


def test_spectral_norm_is_on_every_weight():
    detector = LAD(spectral_norm=True, backbone=MLP(hidden=(8, 8)), epochs=1).fit(
        np.random.default_rng(0).normal(size=(20, 3))
    )
    assert sum("parametrizations.weight.original" in name for name in detector.networks_.state_dict()) == 3


def test_one_corruption_finds_what_looks_like_it():
    # Rows on a line: noise leaves it, and so does an anomaly.
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 1)) * [1.0, 1.0] + 0.05 * rng.normal(size=(400, 2))
    off = rng.choice([-1.5, 1.5], size=(200, 1)) * [1.0, -1.0]
    detector = LAD(
        corruption=GaussianCorruption(std=0.5), epochs=40, batch_size=50, backbone=MLP(hidden=(64, 64)),
        objective=WGANGP(regulariser=GradientPenalty(weight=1.0)), optimiser=Adam(lr=3e-3, betas=(0.0, 0.9)),
        random_state=0,
    ).fit(rows[:300])  # fmt: skip
    scores = detector.anomaly_score(np.concatenate([rows[300:], off]))
    assert roc_auc_score(np.repeat([0, 1], [100, 200]), scores) > 0.9


def test_breast_cancer():
    # Half of the benign rows; chance is 0.5.
    rows, benign = load_breast_cancer(return_X_y=True)
    normal = np.flatnonzero(benign)
    detector = LAD(epochs=60, batch_size=32, random_state=0)
    detector.fit(rows[normal[::2]])
    test = np.concatenate([normal[1::2], np.flatnonzero(benign == 0)])
    assert roc_auc_score(benign[test] == 0, detector.anomaly_score(rows[test])) > 0.85


def test_digits_as_images():
    # Threes against the other digits: noise alone taught the critic next to nothing, AUROC 0.4 to 0.6 (28 px MNIST).
    rows, digit = load_digits(return_X_y=True)
    images = rows.reshape(-1, 1, 8, 8)
    threes = np.flatnonzero(digit == 3)
    test = np.concatenate([threes[1::2], np.flatnonzero(digit != 3)[::8]])
    detector = LAD(steps=150, backbone=ConvLadder(width=8, critic_norm="none", init="he"), random_state=0)
    detector.fit(images[threes[::2]])
    assert roc_auc_score(digit[test] != 3, detector.anomaly_score(images[test])) > 0.85


@pytest.mark.parametrize(
    "one", [FeatureMatching(), CriticWarmUp(), LabelSmoothing()], ids=lambda one: type(one).__name__
)
def test_stabilisers_of_a_generator_are_refused(one):
    with pytest.raises(InputError, match=r"leave it out"):
        LAD(stabilisers=(one,)).fit(np.random.default_rng(0).normal(size=(20, 3)))


def test_the_default_is_the_published_kind_of_game():
    assert LAD().objective == WGANGP()
