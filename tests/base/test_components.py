"""Which components a detector gives."""

import copy

import numpy as np
import pytest

from oddgan import GANomaly, InputError
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
