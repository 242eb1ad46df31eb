import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from oddgan._core.errors import InputError
from oddgan.thresholds import best_threshold

SCORES, LABELS = [1.0, 2.0, 3.0, 4.0], np.array([False, True, False, True])
REFERENCES = {
    "mcc": (metrics.matthews_corrcoef, {}),
    "f1": (lambda y, h: metrics.f1_score(y, h, zero_division=0), {}),
    "fbeta": (lambda y, h: metrics.fbeta_score(y, h, beta=3.0, zero_division=0), {"beta": 3.0}),
    "youden": (lambda y, h: 2 * metrics.balanced_accuracy_score(y, h) - 1, {}),
    "cost": (lambda y, h: np.mean(h & ~y) + 2.5 * np.mean(y & ~h), {"miss_cost": 2.5}),
}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # Flagging 4 finds one of two without alarm, φ = 1·2/√(1·2·2·3); so does flagging 4, 3, 2 with one alarm.
        ({"metric": "mcc"}, (3.5, 2 / np.sqrt(12))),
        ({"metric": "f1"}, (1.5, 2 * 2 / (2 * 2 + 1))),
        # β = ½: F = 1.25/(1.25 + 0.25) for flagging 4, and 2.5/(2.5 + 1) for flagging three.
        ({"metric": "fbeta", "beta": 0.5}, (3.5, 1.25 / 1.5)),
        ({"metric": "youden"}, (3.5, 0.5)),
        # A miss that costs 3 is worth one alarm in four rows, one that costs ½ is not.
        ({"metric": "cost", "miss_cost": 3.0}, (1.5, 1 / 4)),
        ({"metric": "cost", "miss_cost": 0.5}, (3.5, 0.5 / 4)),
    ],
)
def test_by_hand(arguments, expected):
    assert best_threshold(SCORES, LABELS, **arguments) == pytest.approx(expected)


@pytest.mark.parametrize("metric", REFERENCES)
@given(rows=st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_no_cut_is_better(metric, rows):
    rows = [(2, True), (1, False), *rows]
    scores, labels = np.array([float(s) for s, _ in rows]), np.array([y for _, y in rows])
    reference, arguments = REFERENCES[metric]
    found = best_threshold(scores, labels, metric=metric, **arguments)
    values = [reference(labels, scores > cut) for cut in (-1.0, *np.unique(scores))]
    assert found.value == pytest.approx(min(values) if metric == "cost" else max(values))
    assert found.value == pytest.approx(reference(labels, scores > found.threshold))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "accuracy"}, "give one of mcc, f1"),
        ({"metric": "fbeta"}, 'metric "fbeta" takes beta'),
        ({"metric": "f1", "beta": 2.0}, "no other metric does"),
        ({"metric": "cost"}, 'metric "cost" takes miss_cost'),
        ({"metric": "cost", "miss_cost": 0.0}, "a number above 0"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        best_threshold(SCORES, LABELS, **arguments)


def test_both_classes_are_needed():
    with pytest.raises(InputError, match="hold no anomalies"):
        best_threshold(SCORES, LABELS & False)
