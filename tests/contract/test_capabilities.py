"""What a detector can do beyond scoring, on each kind of data that its card names."""

import numpy as np
import pytest

from oddgan.base import Encodes, Reconstructs, Samples

from .cases import fitted, make, normals

HOOKS = {"reconstruct": Reconstructs, "anomaly_map": Reconstructs, "encode": Encodes, "sample": Samples}


def test_runs_on_its_kinds(cls, kind):
    X = normals(kind, 24)
    detector = make(cls).fit(X)
    assert detector.shape_ == X.shape[1:]
    score = detector.anomaly_score(X)
    assert score.shape == (24,)
    assert score.dtype == np.float64
    assert np.isfinite(score).all()
    assert set(detector.predict(X)) == {-1, 1}


def test_methods_follow_hooks(cls):
    detector = fitted(cls)
    for name, protocol in HOOKS.items():
        assert hasattr(detector, name) == isinstance(detector, protocol) == hasattr(make(cls), name)


def test_shapes(cls, kind):
    detector, X = fitted(cls, kind), normals(kind, 9, seed=1)
    if hasattr(detector, "reconstruct"):
        drawn = detector.reconstruct(X)
        assert drawn.shape == X.shape
        assert np.isfinite(drawn).all()
        shown = detector.anomaly_map(X)
        assert shown.shape == (X.shape if X.ndim == 2 else (9, *X.shape[2:]))
        assert (shown >= 0).all()
    if hasattr(detector, "encode"):
        codes = detector.encode(X)
        assert codes.ndim == 2
        assert len(codes) == 9
        if "latent_dim" in detector.get_params():
            assert codes.shape[1] == detector.latent_dim
    if hasattr(detector, "sample"):
        assert detector.sample(4).shape == (4, *X.shape[1:])
        assert np.array_equal(detector.sample(4, random_state=1), detector.sample(4, random_state=1))
        assert not np.array_equal(detector.sample(4, random_state=1), detector.sample(4, random_state=2))
        assert not np.array_equal(detector.sample(4), detector.sample(4))


def test_company_does_not_matter_to_maps(cls, kind):
    detector, X = fitted(cls, kind), normals(kind, 9, seed=1)
    for name in ("reconstruct", "anomaly_map", "encode"):
        if hasattr(detector, name):
            whole = getattr(detector, name)(X)
            assert np.array_equal(getattr(detector, name)(X[4:5]), whole[4:5])


def test_contributions_have_one_value_a_column_or_channel(cls, kind):
    """Residuals where there is a reconstruction, else what leaving the column out takes off the score; row by row."""
    detector, X = fitted(cls, kind), normals(kind, 9, seed=1)
    found = detector.explain(X)
    if kind == "image":
        assert found.contributions is None
        return
    assert found.contributions.shape == X.shape[:2]
    assert np.isfinite(found.contributions).all()
    if kind == "table":
        assert found.map is found.contributions
    assert np.array_equal(detector.explain(X[4:5]).contributions, found.contributions[4:5])
    if found.reconstruction is None:
        without = X.copy()
        without[:, 1] = detector._centre()[1]
        assert np.array_equal(found.contributions[:, 1], found.score - detector.anomaly_score(without))


def test_reconstruction_is_on_the_raw_scale(cls, kind):
    detector = make(cls)
    if not hasattr(detector, "reconstruct"):
        pytest.skip("does not reconstruct")
    X = normals(kind, 24) + 1000.0
    drawn = detector.fit(X).reconstruct(X)
    assert np.abs(drawn - 1000).max() < 100
