import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from oddgan._core.errors import InputError
from oddgan.scores import GridSearch, Logistic, Standardisation
from oddgan.scores.linear import MOST, lattice

RAW = Standardisation("minmax")
UNIT = {"a": np.array([0.0, 1.0]), "b": np.array([0.0, 1.0]), "c": np.array([0.0, 1.0])}  # RAW leaves values alone
# From their definitions: the correlation of labels and flags, 2PR/(P + R), and the mean recall of both classes.
AT_A_CUT = {
    "mcc": lambda y, h: 0.0 if h.all() or not h.any() else np.corrcoef(y, h)[0, 1],
    "f1": lambda y, h: 2 * (y & h).sum() / (y.sum() + h.sum()),
    "balanced_accuracy": lambda y, h: (h[y].mean() + (~h[~y]).mean()) / 2,
}
RANKING = {"auroc": metrics.roc_auc_score, "average_precision": metrics.average_precision_score}


def test_lattice_by_hand():
    # 4 choose 2 = 6 points in thirds and halves; nearest to equal weights first.
    assert lattice(3, 2).tolist() == [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert lattice(1, 20).tolist() == [[1]]


@pytest.mark.parametrize(("k", "steps", "points"), [(2, 20, 21), (3, 20, 231), (4, 20, 1771), (5, 10, 1001)])
def test_lattice_is_whole(k, steps, points):
    found = lattice(k, steps)
    assert len(np.unique(found, axis=0)) == len(found) == points
    assert (found >= 0).all()
    assert found.sum(axis=1) == pytest.approx(1)
    assert found * steps == pytest.approx(np.round(found * steps))


def test_a_lattice_that_is_too_large_is_refused_with_one_that_is_not():
    with pytest.raises(InputError, match=r"try 230,230 weights of 7 components with step=1/20.*step=1/16, or fewer"):
        lattice(7, 20)
    assert len(lattice(7, 16)) <= MOST


def test_weights_by_hand():
    # b alone separates the last row; a is noise. Half and half does it, too, and is nearer to equal weights:
    # sums .4, .3, .3, .6 for the normal rows .8/.0, .0/.6, .6/.0 and the anomaly .2/1.
    rows = {"a": np.array([0.8, 0.0, 0.6, 0.2]), "b": np.array([0.0, 0.6, 0.0, 1.0])}
    two = {k: UNIT[k] for k in ("a", "b")}
    part = GridSearch(step=0.5, standardisation=RAW).fit(two, (rows, [0, 0, 0, 1]))
    assert part.weights == (0.5, 0.5)
    assert part.best_threshold == pytest.approx((0.4 + 0.6) / 2)
    # With a row of .9/.5, .7 for half and half, only b alone does: .6 and 1 on the two sides.
    rows = {"a": np.append(rows["a"], 0.9), "b": np.append(rows["b"], 0.5)}
    part = GridSearch(step=0.5, standardisation=RAW).fit(two, (rows, [0, 0, 0, 1, 0]))
    assert part.weights == (0, 1)
    assert part.best_threshold == pytest.approx(0.8)
    assert part({"a": torch.tensor([0.3]), "b": torch.tensor([0.7])}).tolist() == pytest.approx([0.7])


def brute_force(rows, labels, steps, metric):
    """The best value over all weights and all cuts, one by one."""
    best = -np.inf
    for whole in itertools.product(range(steps + 1), repeat=rows.shape[1]):
        if sum(whole) != steps:
            continue
        score = sum(w / steps * column for w, column in zip(whole, rows.T, strict=True))
        cuts = [-1.0, *np.unique(score)]
        values = (
            [RANKING[metric](labels, score)]
            if metric in RANKING
            else [AT_A_CUT[metric](labels, score > cut) for cut in cuts]
        )
        best = max(best, *values, -np.inf)
    return best


@pytest.mark.parametrize("metric", [*AT_A_CUT, *RANKING])
@given(st.data())
@settings(max_examples=15, deadline=None)
def test_nothing_on_the_lattice_is_better(metric, data):
    n = data.draw(st.integers(3, 8))
    # Multiples of ¼ with halves as weights: sums are exact, and many are equal.
    rows = (
        np.array(data.draw(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=n, max_size=n))) / 4
    )
    labels = np.array([True, False, *data.draw(st.lists(st.booleans(), min_size=n - 2, max_size=n - 2))])
    named = dict(zip("abc", rows.T, strict=True))
    part = GridSearch(step=0.25, metric=metric, standardisation=RAW).fit(UNIT, (named, labels))
    score = part({k: torch.from_numpy(v.copy()) for k, v in named.items()}).numpy()
    expected = brute_force(rows, labels, 4, metric)
    if metric in RANKING:
        assert RANKING[metric](labels, score) == pytest.approx(expected)
        own = max(AT_A_CUT["mcc"](labels, score > cut) for cut in [-1.0, *score])
        assert AT_A_CUT["mcc"](labels, score > part.best_threshold) == pytest.approx(own)
    else:
        assert AT_A_CUT[metric](labels, score > part.best_threshold) == pytest.approx(expected)


def test_chunks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    rows, y = {k: rng.normal(size=50) for k in "abc"}, np.arange(50) >= 35
    whole = GridSearch().fit(rows, (rows, y))
    monkeypatch.setattr("oddgan.scores.linear._CELLS", 7 * 50)
    assert GridSearch().fit(rows, (rows, y)) == whole


def test_the_threshold_does_on_scores_what_it_did_in_the_search():
    rng = np.random.default_rng(0)
    rows, y = {k: rng.normal(size=500) for k in "abc"}, np.arange(500) >= 400
    rows["b"][y] += 1
    rows["c"][y] += 2
    part = GridSearch().fit(rows, (rows, y))
    score = part({k: torch.from_numpy(v) for k, v in rows.items()}).numpy()
    own = max(AT_A_CUT["mcc"](y, score > cut) for cut in score)
    assert AT_A_CUT["mcc"](y, score > part.best_threshold) == own
    assert part.weights[2] > part.weights[1] > part.weights[0]
    assert sum(part.weights) == pytest.approx(1)


@pytest.mark.parametrize("arguments", [{"step": 0.3}, {"step": 0.0}, {"step": 2.0}, {"metric": "accuracy"}])
def test_grid_search_refuses(arguments):
    with pytest.raises(InputError, match=f"GridSearch got {next(iter(arguments))}=.*: give"):
        GridSearch(**arguments)


@pytest.mark.parametrize("arguments", [{}, {"C": 0.01}, {"balanced": True}])
def test_logistic_is_scikit_learns(arguments):
    rng = np.random.default_rng(0)
    normals, rows, y = rng.normal(3, 5, (70, 2)), rng.normal(3, 5, (90, 2)), np.arange(90) >= 70
    rows[y] += [4, 9]
    named = [dict(zip("ab", values.T, strict=True)) for values in (normals, rows)]
    part = Logistic(**arguments).fit(named[0], (named[1], y))
    scaler = StandardScaler().fit(normals)
    weights = "balanced" if arguments.get("balanced") else None
    model = LogisticRegression(C=arguments.get("C", 1.0), class_weight=weights).fit(scaler.transform(rows), y)
    found = part({k: torch.from_numpy(v.copy()) for k, v in named[1].items()}).numpy()
    assert found == pytest.approx(model.decision_function(scaler.transform(rows)), abs=1e-9)


def test_logistic_refuses():
    with pytest.raises(InputError, match="Logistic got C=0: give a finite number above 0"):
        Logistic(C=0)
