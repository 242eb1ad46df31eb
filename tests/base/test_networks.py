"""Copies for scoring follow the networks, and nothing else does."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from oddgan.base.networks import Networks
from oddgan.detectors import AutoEncoder, FAnoGAN, GANomaly
from oddgan.networks import MLP, ConvLadder

X = np.random.default_rng(0).normal(size=(40, 1, 16, 16))


def some() -> Networks:
    return Networks({"a": MLP().encoder((4,), 2)}).eval()


def test_a_copy_is_kept_while_its_network_stays_the_same():
    networks = some()
    assert networks.prepared("a") is networks.prepared("a")
    assert networks.prepared("a", torch.bfloat16) is not networks.prepared("a")


@pytest.mark.parametrize("change", ["in place", "loaded", "replaced", "converted"])
def test_a_changed_network_has_a_new_copy(change):
    networks, x = some(), torch.randn(3, 4)
    before = networks.prepared("a")(x)
    if change == "in place":
        with torch.no_grad():
            next(networks["a"].parameters()).mul_(2)
    elif change == "loaded":
        networks["a"].load_state_dict({k: 2 * v for k, v in networks["a"].state_dict().items()})
    elif change == "replaced":
        networks["a"] = nn.Linear(4, 2)
    else:
        networks.double()
        x = x.double()
    after = networks.prepared("a")(x)
    torch.testing.assert_close(after, networks["a"](x))
    assert change == "converted" or not torch.equal(before, after)


def test_copies_are_not_stored():
    networks = some()
    names = set(networks.state_dict())
    networks.prepared("a")
    assert set(networks.state_dict()) == names


@pytest.mark.parametrize("cls", [AutoEncoder, FAnoGAN, GANomaly])
def test_scores_differ_from_those_of_the_networks_by_rounding(cls):
    detector = cls(**cls.tiny, backbone=ConvLadder(width=8), random_state=0).fit(X)
    scores = detector.anomaly_score(X)
    detector.networks_ = nn.ModuleDict(dict(detector.networks_.items())).eval()  # which knows no copies
    np.testing.assert_allclose(scores, detector.anomaly_score(X), rtol=1e-5)


def test_a_copied_detector_scores_alike():
    detector = AutoEncoder(**AutoEncoder.tiny, backbone=ConvLadder(width=8), random_state=0).fit(X)
    scores = detector.anomaly_score(X)
    for other in (copy.deepcopy(detector), pickle.loads(pickle.dumps(detector))):  # noqa: S301 - our own bytes
        np.testing.assert_array_equal(other.anomaly_score(X), scores)
