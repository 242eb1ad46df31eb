"""scikit-learn estimators as plain numbers and arrays, and built from them again.

What an estimator needs to score is stored by name, never the object; a class that is not in `FORMS` can't be stored.
Everything that is read is checked first: shapes against each other, numbers against their range, trees for ends.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from oddgan._core.errors import ModelError
from oddgan._core.text import shown
from oddgan.storage.fields import Fields
from oddgan.storage.trees import build_tree, check_trees, tree_arrays

Values = dict[str, Any]


class Form(NamedTuple):
    """How estimators of one class are stored.

    Parameters
    ----------
    take : an estimator to numbers, texts and arrays by name.
    make : the same values, and the number of columns as the size "d", to an estimator.
    """

    take: Callable[[Any], Values]
    make: Callable[[Fields], Any]


def to_values(name: str, estimator: Any) -> Values:
    """What is stored of an estimator; `class` names its form, `transposed` the arrays that are stored so."""
    kind = type(estimator).__name__
    if kind not in FORMS:
        raise ModelError(
            f"{name} is a {kind}, which can't be stored, as {', '.join(FORMS)} can: keep arrays in `learned_`."
        )
    values = FORMS[kind].take(estimator)
    # How an array lies in memory decides how its products are rounded.
    transposed = [k for k, v in values.items() if isinstance(v, np.ndarray) and v.flags.fnc]
    return {"class": kind, "transposed": transposed} | {k: v.T if k in transposed else v for k, v in values.items()}


def from_values(name: str, values: Mapping[str, Any], d: int, allowed: tuple[str, ...]) -> Any:
    """Build the estimator that `to_values` stored.

    Parameters
    ----------
    name : what the detector calls it.
    values : what is stored of it.
    d : columns of the rows that it takes.
    allowed : the classes that may be called so.

    Raises
    ------
    ModelError
        If values are missing, unknown, or do not fit each other.
    """
    kind, transposed = values.get("class"), values.get("transposed", ())
    if not isinstance(kind, str) or kind not in allowed:
        raise ModelError(f"its estimator {name} is a {shown(kind)}, but must be one of {', '.join(allowed)}.")
    given = {k: v for k, v in values.items() if k not in ("class", "transposed")}
    if not isinstance(transposed, tuple | list) or not all(isinstance(k, str) for k in transposed):
        raise ModelError(f"transposed of the estimator {name} is {shown(transposed)}, but must be names of its arrays.")
    turned = {k: v.T for k, v in given.items() if k in transposed and isinstance(v, np.ndarray)}
    fields = Fields(f"the estimator {name}", given | turned, d=d)
    made = FORMS[kind].make(fields)
    fields.done()
    return made


def _new(path: str, /, *given: Any, **parameters: Any) -> Any:
    """An unfitted estimator of scikit-learn; its module is imported now."""
    module, name = path.rsplit(".", 1)
    return getattr(import_module(f"sklearn.{module}"), name)(*given, **parameters)


def _set(estimator: Any, **attributes: Any) -> Any:
    for name, value in attributes.items():
        setattr(estimator, name, value)
    return estimator


def _make_density(fields: Fields) -> Any:
    bandwidth = fields.number("bandwidth", low=1e-300)
    return _new("neighbors.KernelDensity", bandwidth=bandwidth).fit(fields.array("rows", "n", "d"))


def _make_neighbors(fields: Fields) -> Any:
    rows = fields.array("rows", "n", "d")
    return _new("neighbors.NearestNeighbors", n_neighbors=fields.whole("n_neighbors", high=len(rows))).fit(rows)


def _take_components(pca: Any) -> Values:
    return {"mean": pca.mean_, "components": pca.components_, "variance": pca.explained_variance_}


def _make_components(fields: Fields) -> Any:
    components = fields.array("components", "k", "d")
    return _set(
        _new("decomposition.PCA", n_components=len(components)),
        mean_=fields.array("mean", "d"),
        components_=components,
        explained_variance_=fields.array("variance", "k"),
        n_components_=len(components),
        n_features_in_=fields.sizes["d"],
    )


def _take_mixture(mixture: Any) -> Values:
    return {
        "covariance": mixture.covariance_type,
        "weights": mixture.weights_,
        "means": mixture.means_,
        "precisions": mixture.precisions_cholesky_,
    }


def _make_mixture(fields: Fields) -> Any:
    axes = {"full": ("k", "d", "d"), "tied": ("d", "d"), "diag": ("k", "d"), "spherical": ("k",)}
    kind = fields.choice("covariance", axes)
    weights, means = fields.array("weights", "k", positive=True), fields.array("means", "k", "d")
    if abs(weights.sum() - 1) > 1e-6:
        raise fields.error("weights", "does not add up to 1")
    precisions = fields.array("precisions", *axes[kind], positive=kind in ("diag", "spherical"))
    if kind in ("full", "tied") and not (np.diagonal(precisions, axis1=-2, axis2=-1) > 0).all():
        raise fields.error("precisions", "has a diagonal that is not above 0")
    return _set(
        _new("mixture.GaussianMixture", len(weights), covariance_type=kind),
        weights_=weights,
        means_=means,
        precisions_cholesky_=precisions,
        n_features_in_=fields.sizes["d"],
    )


def _take_svm(svm: Any) -> Values:
    return {
        "nu": svm.nu,
        "gamma": svm._gamma,
        "support": svm.support_,
        "vectors": svm.support_vectors_,
        "dual": svm.dual_coef_,
        "intercept": svm.intercept_,
    }


def _make_svm(fields: Fields) -> Any:
    nu, gamma = fields.number("nu", high=1.0, low=1e-300), fields.number("gamma", low=1e-300)
    vectors, support = fields.array("vectors", "s", "d"), fields.array("support", "s", kind="int32")
    dual, intercept = fields.array("dual", 1, "s"), fields.array("intercept", 1)
    if not dual.sum() > 0:
        raise fields.error("dual", "adds up to nothing above 0")
    return support_vectors(vectors, dual, intercept, nu=nu, gamma=gamma, support=support)


def support_vectors(
    vectors: np.ndarray, dual: np.ndarray, intercept: np.ndarray, *, nu: float, gamma: float, support: np.ndarray
) -> Any:
    """A one-class support vector machine that decides by Σ_i dual_i·exp(-γ‖x - v_i‖²) + intercept.

    Parameters
    ----------
    vectors : v, (s, d).
    dual : their weights, (1, s).
    intercept : (1,).
    nu : the share of training rows outside, in (0, 1].
    gamma : γ of the kernel, > 0.
    support : which training rows the vectors are, (s,), int32.
    """
    none, dual = np.empty(0), np.ascontiguousarray(dual)
    return _set(
        _new("svm.OneClassSVM", nu=nu, gamma=gamma),
        support_=support,
        support_vectors_=np.ascontiguousarray(vectors),
        dual_coef_=dual,
        intercept_=intercept,
        offset_=-intercept,
        n_features_in_=vectors.shape[1],
        fit_status_=0,
        _n_support=np.array([len(support)] * 2, dtype=np.int32),
        _dual_coef_=dual,
        _intercept_=intercept,
        _probA=none,
        _probB=none,
        _sparse=False,
        _gamma=gamma,
    )


def _make_centre(fields: Fields) -> Any:
    centre = fields.array("mean", "d")
    scaler = _new("preprocessing.StandardScaler", with_std=False)
    return _set(scaler, mean_=centre, var_=None, scale_=None, n_features_in_=len(centre))


def _take_forest(forest: Any) -> Values:
    return {"max_samples": int(forest.max_samples_)} | tree_arrays([tree.tree_ for tree in forest.estimators_])


def _make_forest(fields: Fields) -> Any:
    d, trees = fields.sizes["d"], check_trees(fields)
    max_samples = fields.whole("max_samples")
    average = import_module("sklearn.ensemble._iforest")._average_path_length
    grown = [build_tree(nodes, d) for nodes in trees]
    members = [_set(_new("tree.ExtraTreeRegressor"), tree_=tree, n_features_in_=d, n_outputs_=1) for tree in grown]
    return _set(
        _new("ensemble.IsolationForest", n_estimators=len(grown), max_samples=max_samples),
        estimators_=members,
        estimators_features_=[np.arange(d)] * len(grown),
        n_features_in_=d,
        max_samples_=max_samples,
        offset_=-0.5,
        _max_samples=max_samples,
        _max_features=d,
        _average_path_length_per_tree=tuple(average(tree.n_node_samples) for tree in grown),
        _decision_path_lengths=tuple(tree.compute_node_depths() for tree in grown),
    )


FORMS: dict[str, Form] = {
    "KernelDensity": Form(lambda e: {"bandwidth": e.bandwidth_, "rows": np.asarray(e.tree_.data)}, _make_density),
    "NearestNeighbors": Form(lambda e: {"n_neighbors": e.n_neighbors, "rows": e._fit_X}, _make_neighbors),
    "PCA": Form(_take_components, _make_components),
    "GaussianMixture": Form(_take_mixture, _make_mixture),
    "IsolationForest": Form(_take_forest, _make_forest),
    "OneClassSVM": Form(_take_svm, _make_svm),
    "StandardScaler": Form(lambda e: {"mean": e.mean_}, _make_centre),
}
"""The estimator classes that can be stored, by name. A further one needs its pair of functions here."""
