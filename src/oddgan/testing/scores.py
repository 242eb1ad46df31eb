"""Checks of scores: what they are made of, and what they must not depend on."""

import random
from typing import Any

import numpy as np
import torch

from oddgan.base import Detector, Kind
from oddgan.families import NeuralDetector, SearchDetector
from oddgan.testing.checks import check, every_kind, require, require_same
from oddgan.testing.subject import Subject, differences, normals, observe

# What rounding may change when the batch size does, relative to the spread of the scores: float32 matrix products
# differ by about 3e-7, which a latent search amplifies.
FAST = 1e-3
SIZES = (1, 63, 64, 65, 512, 1023, 1024, 1025, 2048, 3073)
ALONE = (62, 63, 64, 511, 1022, 1023, 1024, 4096)


@check(every_kind)
def runs_on_its_kinds(subject: Subject, kind: Kind) -> None:
    """It fits each kind of data on its card and gives finite scores (n,)."""
    detector, X = subject.fitted(kind), normals(kind, 24)
    require(detector.shape_ == X.shape[1:], f"shape_ is {detector.shape_} after rows of {X.shape[1:]}.")
    score = detector.anomaly_score(X)
    require(score.shape == (24,) and score.dtype == np.float64, f"Scores are {score.dtype} of shape {score.shape}.")
    require(np.isfinite(score).all(), f"Scores are not finite: {score}.")


@check(every_kind)
def scoring_changes_nothing(subject: Subject, kind: Kind) -> None:
    """Scoring leaves weights, buffers, the mode of networks and the rows alone."""
    detector, X = subject.fitted(kind), normals(kind, 10, seed=1)
    networks, rows = getattr(detector, "networks_", torch.nn.ModuleDict()), X.copy()
    before = {name: tensor.clone() for name, tensor in networks.state_dict().items()}
    calibration = detector.calibration_scores_.copy()
    observe(detector, X)
    moved = [name for name, tensor in networks.state_dict().items() if not torch.equal(tensor, before[name])]
    require(not moved, f"{', '.join(moved)} changed.")
    require(not any(m.training for m in networks.values()), "A network is in training mode.")
    require(not any(p.requires_grad or p.grad is not None for p in networks.parameters()), "A weight has a gradient.")
    require(np.array_equal(X, rows), "The rows changed.")
    require(np.array_equal(detector.calibration_scores_, calibration), "The calibration scores changed.")


@check(every_kind)
def scoring_is_repeatable(subject: Subject, kind: Kind) -> None:
    """Scoring the same rows twice gives the same, to the last bit."""
    detector, X = subject.fitted(kind), normals(kind, 10, seed=1)
    require_same(observe(detector, X), observe(detector, X), "The second time")


@check(every_kind)
def scores_do_not_depend_on_other_rows(subject: Subject, kind: Kind) -> None:
    """A row's score is the same to the last bit alone, in any order, in any subset and beside any other rows."""
    detector, X = subject.fitted(kind), normals(kind, 23, seed=1)
    whole, extreme = detector.anomaly_score(X), X.copy()
    order = np.random.default_rng(2).permutation(23)
    extreme[::2] *= 1e3
    for i in (0, 6, 7, 22):
        require(np.array_equal(detector.anomaly_score(X[i : i + 1]), whole[i : i + 1]), f"Row {i} differs alone.")
    require(np.array_equal(detector.anomaly_score(X[order]), whole[order]), "The order matters.")
    require(np.array_equal(detector.anomaly_score(X[3:16]), whole[3:16]), "A subset differs.")
    doubled = detector.anomaly_score(np.repeat(X, 2, axis=0))
    require(np.array_equal(doubled, np.repeat(whole, 2)), "Copies of rows matter.")
    require(np.array_equal(detector.anomaly_score(extreme)[1::2], whole[1::2]), "Extreme neighbours matter.")


@check()
def scores_do_not_depend_on_the_number_of_rows(subject: Subject, kind: Kind) -> None:
    """With `slots` and passes as users have them, a row scores the same among any number of others."""
    detector, search = subject.make().fit(normals(kind, 300)), issubclass(subject.cls, SearchDetector)
    # Searches see to it themselves, and take milliseconds a row.
    most = 130 if search else 4097 if kind == "table" else 1100
    X = normals(kind, most, seed=1)
    whole, order = detector.anomaly_score(X), np.random.default_rng(2).permutation(most)
    for n in (n for n in SIZES if n < most):
        require(np.array_equal(detector.anomaly_score(X[:n]), whole[:n]), f"The first {n} rows differ.")
    for i in (i for i in ALONE if i < most):
        require(np.array_equal(detector.anomaly_score(X[i : i + 1]), whole[i : i + 1]), f"Row {i} differs alone.")
    require(np.array_equal(detector.anomaly_score(X[order]), whole[order]), "The order matters.")
    require(np.array_equal(detector.anomaly_score(X[::3]), whole[::3]), "Every third row differs.")
    if not search:
        _require_few_alike(detector, X[:1100])
    rows = detector.calibration_rows_[:70]
    found = detector.scores_of_calibration()
    require(np.array_equal(found[:70], detector.anomaly_score(normals(kind, 300)[rows])), "Calibration rows differ.")
    require(np.array_equal(np.sort(found), detector.calibration_scores_), "Calibration scores differ.")


def _require_few_alike(detector: Detector, X: np.ndarray) -> None:
    """Rows 1000 to 1002 are the same alone as among 1100."""
    few = slice(1000, 1003)
    for name in ("reconstruct", "anomaly_map", "encode"):
        if hasattr(detector, name):
            of = getattr(detector, name)
            require(np.array_equal(of(X[few]), of(X)[few]), f"{name} differs.")
    whole, alone = detector.score_components(X, extra="all"), detector.score_components(X[few], extra="all")
    different = differences({name: values[few] for name, values in whole.items()}, alone)
    require(not different, f"The components {', '.join(different)} differ.")


@check(every_kind)
def batch_size_changes_rounding_at_most(subject: Subject, kind: Kind) -> None:
    """Other `slots` and `scoring="fast"` change scores by a thousandth of their spread at most."""
    detector, X = subject.fitted(kind), normals(kind, 23, seed=1)
    exact = detector.anomaly_score(X)
    changes: tuple[dict[str, Any], ...] = ({"slots": 5}, {"slots": 64}, {"slots": 7, "scoring": "fast"})
    for change in changes:
        apart = np.abs(detector.set_params(**change).anomaly_score(X) - exact).max()
        require(apart <= FAST * max(np.ptp(exact), 1e-12), f"{change} changes scores by {apart:.3g}.")


@check(every_kind)
def components_make_the_score(subject: Subject, kind: Kind) -> None:
    """Components are finite, (n,) and composed to the score, which differs between rows."""
    detector, X = subject.fitted(kind), normals(kind, 10, seed=1)
    parts = detector.score_components(X, extra="all")
    for name, values in parts.items():
        require(values.shape == (10,) and values.dtype == np.float64, f"{name} is {values.dtype} {values.shape}.")
        require(np.isfinite(values).all(), f"{name} is not finite: {values}.")
    composed = detector.composition_({k: torch.from_numpy(v) for k, v in parts.items()}).numpy()
    require(np.array_equal(detector.score_samples(X), -composed), "The score is not the composed components.")
    require(len(np.unique(composed)) > 1, "All rows have the same score.")
    require(set(detector.predict(normals(kind, 24))) == {-1, 1}, "All training rows have the same prediction.")


@check(every_kind)
def fit_obeys_random_state(subject: Subject, kind: Kind) -> None:
    """The same seed gives the same detector, whatever was drawn from global generators, which stay as they were."""
    X, expected = normals(kind, 24), subject.seen(kind)
    torch.rand(3), np.random.rand(3), random.random()  # noqa: NPY002, S311
    before = _states()
    again = subject.make(slots=7).fit(X)
    require_same(observe(again, normals(kind, 9, seed=1)), expected, "The second fit")
    require(_states() == before, "A global generator moved.")


@check(every_kind)
def fit_leaves_rows_alone(subject: Subject, kind: Kind) -> None:
    """`fit` changes nothing in the rows that it is given."""
    rows = normals(kind, 24)
    subject.make().fit(rows)
    require(np.array_equal(rows, normals(kind, 24)), "The rows changed.")


def _states() -> tuple[Any, ...]:
    """The states of torch's, numpy's and Python's global generators."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().numpy().tobytes(), name, np.asarray(keys).tobytes(), rest, random.getstate()


@check(of=NeuralDetector)
def random_state_has_an_effect(subject: Subject, kind: Kind) -> None:
    """Another seed, and None each time, give other scores."""
    X = normals(kind, 24)
    scores = [subject.make(slots=7, random_state=seed).fit(X).anomaly_score(X) for seed in (None, None, 1)]
    scores.append(subject.fitted(kind).anomaly_score(X))
    require(len({s.tobytes() for s in scores}) == len(scores), "Two of four fits have the same scores.")


@check()
def random_state_may_be_a_generator(subject: Subject, kind: Kind) -> None:
    """A `numpy.random.RandomState` gives the same as the integer that it was made from, and moves on."""
    X, moving = normals(kind, 24), subject.make(random_state=np.random.RandomState(3))
    one, other = moving.fit(X), subject.make(random_state=3).fit(X)
    first = observe(one, X)
    require_same(first, observe(other, X), "A generator and its seed")
    if isinstance(one, NeuralDetector):
        require(not np.array_equal(moving.fit(X).anomaly_score(X), first["score"]), "The next fit is the same.")


@check()
def labels_are_ignored(subject: Subject, kind: Kind) -> None:
    """`fit` does not look at y."""
    labelled = subject.make(slots=7).fit(normals(kind, 24), np.arange(24) % 2)
    require_same(observe(labelled, normals(kind, 9, seed=1)), subject.seen(kind), "With labels")


@check()
def refit_forgets(subject: Subject, kind: Kind) -> None:
    """A second `fit` is as a first one."""
    X, again = normals(kind, 9, seed=1), subject.make(slots=7)
    again.fit(normals(kind, 24, seed=5)).fit(normals(kind, 24))
    require_same(observe(again, X), subject.seen(kind), "After a refit")


@check(every_kind)
def unit_does_not_matter(subject: Subject, kind: Kind) -> None:
    """Rows in another unit give the same scores, and reconstructions and samples in that unit."""
    X = normals(kind, 24)  # times a power of two, which changes no bit after scaling
    one, other = subject.make().fit(X), subject.make().fit(1024 * X)
    require(np.array_equal(one.anomaly_score(X), other.anomaly_score(1024 * X)), "Scores differ.")
    if hasattr(one, "reconstruct"):
        require(np.array_equal(1024 * one.reconstruct(X), other.reconstruct(1024 * X)), "Reconstructions differ.")
    if hasattr(one, "sample"):
        drawn = (of.sample(3, random_state=1) for of in (one, other))
        require(np.array_equal(1024 * next(drawn), next(drawn)), "Samples differ.")
