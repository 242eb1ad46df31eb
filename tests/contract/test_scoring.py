"""Scores: what they are made of, and what they must not depend on."""

import random

import numpy as np
import pytest
import torch

from .cases import differences, fitted, make, normals, observe

# What rounding may change when the batch size does, relative to the spread of the scores: float32 matrix products
# differ by about 3e-7, which a latent search amplifies.
FAST = 1e-3


def test_components_make_the_score(cls, kind):
    detector, X = fitted(cls, kind), normals(kind, 10, seed=1)
    parts = detector.score_components(X, extra="all")
    for values in parts.values():
        assert values.shape == (10,)
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
    composed = detector.composition_({k: torch.from_numpy(v) for k, v in parts.items()}).numpy()
    assert np.array_equal(detector.score_samples(X), -composed)
    assert len(np.unique(composed)) > 1


def test_scoring_changes_nothing_and_repeats(cls, kind):
    detector, X = fitted(cls, kind), normals(kind, 10, seed=1)
    networks = getattr(detector, "networks_", torch.nn.ModuleDict())
    before = {name: tensor.clone() for name, tensor in networks.state_dict().items()}
    assert differences(observe(detector, X), observe(detector, X)) == []
    assert all(torch.equal(tensor, before[name]) for name, tensor in networks.state_dict().items())
    assert not any(m.training for m in networks.values())
    assert not any(p.requires_grad or p.grad is not None for p in networks.parameters())


def test_input_is_left_alone(cls, kind):
    X = normals(kind, 24)
    copy = X.copy()
    observe(make(cls).fit(X), X)
    assert np.array_equal(X, copy)


def test_company_does_not_matter(cls, kind):
    detector, X = fitted(cls, kind), normals(kind, 23, seed=1)
    order = np.random.default_rng(2).permutation(23)
    alone = np.concatenate([detector.anomaly_score(X[i : i + 1]) for i in (0, 6, 7, 22)])
    whole = detector.anomaly_score(X)
    assert np.array_equal(alone, whole[[0, 6, 7, 22]])
    assert np.array_equal(detector.anomaly_score(X[order]), whole[order])
    assert np.array_equal(detector.anomaly_score(X[3:16]), whole[3:16])
    assert np.array_equal(detector.anomaly_score(np.repeat(X, 2, axis=0)), np.repeat(whole, 2))
    extreme = X.copy()
    extreme[::2] *= 1e3
    assert np.array_equal(detector.anomaly_score(extreme)[1::2], whole[1::2])


@pytest.mark.parametrize("change", [{"scoring": "fast"}, {"slots": 5}, {"slots": 64}], ids=str)
def test_batch_size_changes_rounding_at_most(cls, kind, change):
    detector, X = fitted(cls, kind), normals(kind, 23, seed=1)
    exact = detector.anomaly_score(X)
    other = detector.set_params(**change).anomaly_score(X)
    assert np.abs(other - exact).max() <= FAST * max(np.ptp(exact), 1e-12)


def test_unit_does_not_matter(cls, kind):
    # A power of two changes no bit after scaling: the same fit, the same scores, and raw values in the new unit.
    X = normals(kind, 24)
    one, other = make(cls).fit(X), make(cls).fit(1024 * X)
    assert np.array_equal(one.anomaly_score(X), other.anomaly_score(1024 * X))
    if hasattr(one, "reconstruct"):
        assert np.array_equal(1024 * one.reconstruct(X), other.reconstruct(1024 * X))
    if hasattr(one, "sample"):
        assert np.array_equal(1024 * one.sample(3, random_state=1), other.sample(3, random_state=1))


def test_labels_are_ignored(cls):
    X = normals("table", 24)
    plain = observe(make(cls).fit(X), X)
    for y in (np.arange(24) % 2, np.repeat(["a", "b"], 12), "anything"):
        assert differences(plain, observe(make(cls).fit(X, y), X)) == []


def _states():
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().numpy().tobytes(), name, keys.tobytes(), rest, random.getstate()


def test_seed_and_global_generators(cls, kind):
    X = normals(kind, 24)
    before = _states()
    first = observe(make(cls).fit(X), X)
    assert _states() == before
    torch.rand(3), np.random.rand(3), random.random()  # noqa: NPY002, S311
    assert differences(first, observe(make(cls).fit(X), X)) == []


def test_refit_forgets(cls):
    detector = fitted(cls).fit(normals("table", 24, seed=5)).fit(normals("table", 24))
    X = normals("table", 9, seed=1)
    assert differences(observe(detector, X), observe(fitted(cls), X)) == []


def test_random_state_object(cls):
    X = normals("table", 24)
    one, other = (make(cls, random_state=np.random.RandomState(3)).fit(X) for _ in range(2))
    assert differences(observe(one, X), observe(other, X)) == []
    assert differences(observe(one, X), observe(make(cls, random_state=3).fit(X), X)) == []


def test_random_state_decides(neural):
    X = normals("table", 24)
    of_object = make(neural, random_state=np.random.RandomState(3))
    scores = [of_object.fit(X).anomaly_score(X) for _ in range(2)]
    scores += [make(neural, random_state=seed).fit(X).anomaly_score(X) for seed in (None, None, 1, 2)]
    assert len({s.tobytes() for s in scores}) == len(scores)
