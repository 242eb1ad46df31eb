"""Estimators of scikit-learn, stored as numbers and arrays: the same bits afterwards, or a sentence."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity, NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from oddgan._core.errors import ModelError
from oddgan.storage.estimators import FORMS, from_values, to_values

D = 7
X = np.random.default_rng(0).normal(size=(300, D)) @ np.random.default_rng(1).normal(size=(D, D))
NEW = np.random.default_rng(2).normal(size=(64, D))
FITTED = {
    "density": (KernelDensity(bandwidth=0.7), lambda e: np.asarray(e.tree_.data)),
    "tree search": (NearestNeighbors(n_neighbors=4), lambda e: e.kneighbors(NEW)[0]),
    "brute search": (NearestNeighbors(n_neighbors=200), lambda e: e.kneighbors(NEW)[0]),
    "full": (PCA(3, svd_solver="full"), lambda e: e.inverse_transform(e.transform(NEW))),
    "covariance": (PCA(0.9, svd_solver="covariance_eigh"), lambda e: e.inverse_transform(e.transform(NEW))),
    "forest": (IsolationForest(n_estimators=30, max_samples=100, random_state=0), lambda e: e.score_samples(NEW)),
    "svm": (OneClassSVM(nu=0.2, gamma=0.1), lambda e: e.decision_function(NEW)),
    "centre": (StandardScaler(with_std=False), lambda e: e.transform(NEW)),
} | {
    kind: (GaussianMixture(3, covariance_type=kind, random_state=0), lambda e: e.score_samples(NEW))
    for kind in ("full", "tied", "diag", "spherical")
}


def stored(estimator):
    """What a model would hold, with arrays as a tensor file gives them back."""
    values = to_values("it", estimator)
    return {k: np.array(v, order="C") if isinstance(v, np.ndarray) else v for k, v in values.items()}


def forest():
    return stored(IsolationForest(n_estimators=3, random_state=0).fit(X))


def make(values, d=D):
    return from_values("it", values, d, tuple(FORMS))


def refuses(values, message):
    with pytest.raises(ModelError, match=message) as caught:
        make(values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FITTED)
def test_scores_the_same_bits(name):
    estimator, see = FITTED[name]
    again = make(stored(estimator.fit(X)))
    assert type(again) is type(estimator)
    assert np.array_equal(see(again), see(estimator))


def test_every_form_is_tested():
    assert {type(estimator).__name__ for estimator, _ in FITTED.values()} == FORMS.keys()


def test_other_classes_can_not_be_stored():
    with pytest.raises(ModelError, match=r"it is a LinearRegression, which can't be stored, as KernelDensity"):
        to_values("it", LinearRegression())


@pytest.mark.parametrize("kind", ["LinearRegression", "builtins.eval", 3, None, ["PCA"]])
def test_other_classes_are_not_built(kind):
    refuses(forest() | {"class": kind}, "estimator it is a .*, but must be one of KernelDensity")


def test_class_must_be_the_method_s():
    with pytest.raises(ModelError, match="is a 'IsolationForest', but must be one of PCA"):
        from_values("it", forest(), D, ("PCA",))


@pytest.mark.parametrize("name", FITTED)
def test_each_value_is_needed_and_checked(name):
    values = stored(FITTED[name][0].fit(X))
    for key in values.keys() - {"class", "transposed"}:
        refuses({k: v for k, v in values.items() if k != key}, f"lacks {key}")
        for wrong in ("text", None, [], float("nan"), True, np.zeros((2, 2, 2, 2)), np.array("x")):
            refuses(values | {key: wrong}, f"{key} of the estimator it ")
        if isinstance(values[key], np.ndarray):
            refuses(values | {key: values[key].astype(np.float16)}, "float16")
            refuses(values | {key: values[key][:0]}, "is empty|must have")
        if isinstance(values[key], np.ndarray) and values[key].dtype == float:
            refuses(values | {key: np.where(values[key] == values[key].flat[0], np.inf, values[key])}, "NaN or inf")
    refuses(values | {"more": 1}, "has unknown more")


@pytest.mark.parametrize("name", sorted(FITTED.keys() - {"full"}))
def test_other_columns_are_refused(name):
    values = stored(FITTED[name][0].fit(X))
    if name == "forest":
        with pytest.raises(ModelError, match="columns that are not among the 2"):
            make(values, d=2)
    elif name != "spherical":
        with pytest.raises(ModelError, match="must have"):
            make(values, d=2)


INNER = 0  # the root


@pytest.mark.parametrize(
    ("field", "node", "value", "message"),
    [
        ("left", INNER, 2**40, "no later nodes"),
        ("right", INNER, 2**40, "no later nodes"),
        ("left", INNER, INNER, "no later nodes"),  # an endless walk
        ("left", INNER, -2, "no later nodes"),
        ("left", INNER, -1, "no later nodes"),  # half a leaf
        ("right", INNER, -(2**63), "no later nodes"),
        ("right", INNER, 1, "two parents or none"),
        ("feature", INNER, D, "columns that are not among the 7"),
        ("feature", INNER, -1, "columns that are not among the 7"),
        ("threshold", INNER, np.nan, "NaN or infinity"),
        ("samples", INNER, 3, "counts rows"),
        ("samples", -1, 0, "counts rows"),
        ("samples", -1, -5, "counts rows"),
        ("nodes", 0, 2**62, "adds up to"),
        ("nodes", 0, 0, "not above 0"),
        ("nodes", 0, 1, "adds up to"),
    ],
)
def test_broken_trees_are_refused(field, node, value, message):
    values = forest()
    values[field] = values[field].copy()
    values[field][node] = value
    refuses(values, message)


def test_trees_that_share_nodes_are_refused():
    values = forest()
    values["nodes"] = values["nodes"] + [1, -1, 0]  # the cut between two trees in another place
    refuses(values, "no later nodes|two parents or none")


def test_transposed_names_arrays():
    refuses(forest() | {"transposed": 3}, "must be names of its arrays")
    refuses(forest() | {"transposed": ([],)}, "must be names of its arrays")
