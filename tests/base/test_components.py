"""Which components a detector gives."""

import copy

import numpy as np
import pytest
import torch

from oddgan import GANomaly, InputError
from oddgan.base import ScoreParts
from oddgan.networks import MLP
from oddgan.scores import WeightedSum

NORMS = [f"latent_norm_empirical_{form}" for form in ("absolute", "signed", "tail")]
EVERY = ["critic", "critic_centred", "critic_cross_entropy", "features", "latent", "latent_norm", *NORMS, "residual"]
X = np.random.default_rng(0).normal(size=(40, 3))


@pytest.fixture(scope="module")
def detector():
    return GANomaly(**GANomaly.tiny, backbone=MLP(hidden=(4,)), random_state=0).fit(X)


def test_by_default_those_that_the_score_is_made_of(detector):
    assert list(detector.score_components(X)) == ["latent"]
    both = copy.deepcopy(detector).compose(WeightedSum(residual=1.0, latent=2.0)).score_components(X)
    assert list(both) == ["latent", "residual"]


def test_others_when_asked_for(detector):
    assert list(detector.score_components(X, extra=["features", "latent"])) == ["latent", "features"]
    assert sorted(detector.score_components(X, extra="all")) == EVERY


def test_what_the_method_does_not_have_is_refused_with_what_it_has(detector):
    with pytest.raises(InputError, match=rf"GANomaly has no component depth: it has {', '.join(EVERY)}\."):
        detector.score_components(X, extra=["depth"])


@pytest.mark.parametrize(
    ("scored", "message"),
    [
        (
            lambda x: ScoreParts({"latent": x}),
            r"latent of GANomaly is a Tensor of shape \(64, 3\), but must be a tensor",
        ),
        (
            lambda x: ScoreParts({"latent": x.mean}),
            r"is a Tensor of shape \(\), but must be a tensor \(64,\)",
        ),
        (lambda x: ScoreParts({"latent": x[:, 0].numpy()}), r"is a ndarray of shape \(64,\), but must be a tensor"),
        (lambda x: {"latent": x[:, 0]}, r"score of GANomaly is a dict, but must be ScoreParts\(components by name\)"),
        (lambda _x: None, "score of GANomaly is a NoneType"),
    ],
    ids=["columns", "one number", "numpy", "dictionary", "nothing"],
)
def test_a_component_is_one_value_for_each_row(detector, scored, message, monkeypatch):
    monkeypatch.setattr(GANomaly, "_score", lambda _self, x: scored(x))
    with pytest.raises(InputError, match=message):
        detector.anomaly_score(X)


def test_a_reconstruction_has_the_shape_of_its_rows(detector, monkeypatch):
    parts = lambda _self, x: ScoreParts({"latent": x[:, 0]}, torch.zeros(len(x), 2))  # noqa: E731
    monkeypatch.setattr(GANomaly, "_score", parts)
    with pytest.raises(
        InputError, match=r"A reconstruction has shape \(64, 2\), but must have that of its rows, \(64, 3"
    ):
        detector.explain(X)
