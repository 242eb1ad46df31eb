"""Detectors made of scikit-learn estimators: what they fit is what they say that they hold."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KernelDensity, NearestNeighbors

from oddgan import InputError
from testing.detectors import Nearest

X = np.random.default_rng(0).normal(size=(20, 3))
NEIGHBORS = NearestNeighbors(n_neighbors=2).fit(X)


@pytest.mark.parametrize(
    ("fitted", "said"),
    [
        ({"neighbors": LinearRegression()}, "{'neighbors': 'LinearRegression'}"),
        ({"neighbors": NEIGHBORS, "density": KernelDensity()}, "'density': 'KernelDensity'}"),
        ({}, "{}"),
    ],
    ids=["another class", "one more", "none"],
)
def test_estimators_are_those_that_it_holds(fitted, said, monkeypatch):
    monkeypatch.setattr(Nearest, "_estimators", lambda _self, _x, _seed: fitted)
    with pytest.raises(InputError, match=rf"Nearest fits .*{said}, which its `holds` must say, but is {{'neighbors'"):
        Nearest().fit(X)
