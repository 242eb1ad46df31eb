"""Copies for scoring follow the networks, and nothing else does."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from oddgan import InputError
from oddgan.detectors import AutoEncoder, FAnoGAN, GANomaly
from oddgan.families.modules import Networks
from oddgan.networks import MLP, ConvLadder, HalfPrecision
from oddgan.training import Callback

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


def test_layouts_change_strides_and_nothing_else():
    networks = Networks({"a": ConvLadder(width=4).critic((1, 16, 16)), "b": MLP().encoder((4,), 2)}).eval()
    before = {name: value.clone() for name, value in networks.state_dict().items()}
    networks.lay_out(torch.channels_last)
    maps = [w for w in networks.parameters() if w.ndim == 4]
    assert maps
    assert all(w.stride()[1] == 1 for w in maps)  # also where there is one channel, and strides do not matter
    assert networks["a"](torch.randn(2, 1, 16, 16)).features.is_contiguous(memory_format=torch.channels_last)
    networks.lay_out(torch.contiguous_format)
    assert all(w.is_contiguous() for w in networks.parameters())
    assert all(torch.equal(value, before[name]) for name, value in networks.state_dict().items())


class Seen(Callback):
    """What networks look like while they train."""

    def __init__(self):
        self.layouts, self.types = set(), set()

    def iteration_ended(self, state):
        weights = [w for w in state.networks.parameters() if w.ndim == 4]
        self.layouts |= {w.is_contiguous(memory_format=torch.channels_last) for w in weights}
        self.types |= {(w.dtype, w.grad.dtype) for w in state.networks.parameters() if w.grad is not None}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_lays_weights_out_and_keeps_them_in_float32(precision):
    seen = Seen()
    detector = FAnoGAN(**FAnoGAN.tiny, backbone=ConvLadder(width=8), precision=precision, random_state=0)
    detector.fit(X, callbacks=[seen])
    assert seen.layouts == {True}
    assert seen.types == {(torch.float32, torch.float32)}
    assert all(w.is_contiguous() for w in detector.networks_.parameters())


def test_half_precision_is_for_training_only():
    detector = AutoEncoder(backbone=ConvLadder(width=8), precision="bf16", epochs=1, random_state=0)
    losses = detector.fit(X).history_[0].losses
    assert losses != AutoEncoder(backbone=ConvLadder(width=8), epochs=1, random_state=0).fit(X).history_[0].losses
    assert not any(isinstance(net, HalfPrecision) for net in detector._nets("encoder", "decoder"))
    scores = detector.anomaly_score(X)
    assert (scores == detector.set_params(precision="fp32").anomaly_score(X)).all()


def test_an_unknown_precision_is_named():
    with pytest.raises(InputError, match="precision must be one of fp32, bf16, not 'fp16'"):
        AutoEncoder(precision="fp16").fit(X)


def test_a_network_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"There is no network 'b': `_networks` gives a\."):
        some()["b"]


@pytest.mark.parametrize("given", [[nn.Linear(2, 2)], {"start": torch.zeros(2)}], ids=["list", "tensor"])
def test_networks_are_modules_by_name(given, monkeypatch):
    monkeypatch.setattr(AutoEncoder, "_networks", lambda _self, _shape: given)
    with pytest.raises(InputError, match="`_networks` of AutoEncoder must give modules by name"):
        AutoEncoder(**AutoEncoder.tiny).fit(X)
