import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from oddgan._core.confusion import Confusion, balanced_accuracy, f_beta, mcc, sweep

# Few values, so that most scores have equals; the first two rows bring one of each class.
ROWS = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=12)


def scores_and_labels(rows):
    rows = [(2, True), (1, False), *rows]
    return np.array([[float(s) for s, _ in rows]]), np.array([y for _, y in rows])


def test_formulas_by_hand():
    c = Confusion(np.array(3.0), np.array(1.0), np.array(2.0), np.array(4.0))
    assert f_beta(c) == pytest.approx(2 * 3 / (2 * 3 + 2 + 1))
    assert f_beta(c, 2.0) == pytest.approx(5 * 3 / (5 * 3 + 4 * 2 + 1))
    assert mcc(c) == pytest.approx((3 * 4 - 1 * 2) / np.sqrt(4 * 5 * 5 * 6))
    assert balanced_accuracy(c) == pytest.approx((3 / 5 + 4 / 5) / 2)


def test_counts_by_hand():
    swept = sweep(np.array([[1.0, 3.0, 3.0, 2.0]]), np.array([False, True, False, True]))
    assert swept.scores.tolist() == [[3, 3, 2, 1]]
    assert swept.possible.tolist() == [[True, False, True, True, True]]  # no cut between the two 3
    assert swept.confusion.tp.tolist()[0] == [0, 1, 1, 2, 2]
    assert swept.confusion.fp.tolist()[0] == [0, 0, 1, 1, 2]


@given(ROWS)
def test_every_cut_is_there_and_does_what_it_says(rows):
    scores, labels = scores_and_labels(rows)
    swept = sweep(scores, labels)
    found = {
        (int(tp), int(fp))
        for tp, fp, ok in zip(*(a[0] for a in (swept.confusion.tp, swept.confusion.fp, swept.possible)), strict=True)
        if ok
    }
    cuts = [-1.0, *np.unique(scores)]
    assert found == {(int((labels & (scores[0] > c)).sum()), int((~labels & (scores[0] > c)).sum())) for c in cuts}


@given(ROWS)
def test_rankings_are_scikit_learns(rows):
    scores, labels = scores_and_labels(rows)
    swept = sweep(scores, labels)
    assert swept.auroc()[0] == pytest.approx(metrics.roc_auc_score(labels, scores[0]))
    assert swept.average_precision()[0] == pytest.approx(metrics.average_precision_score(labels, scores[0]))


@given(ROWS)
def test_the_cut_gives_the_value(rows):
    scores, labels = scores_and_labels(rows)
    swept = sweep(scores, labels)
    _, value, cut = swept.best(mcc(swept.confusion))
    assert value == pytest.approx(metrics.matthews_corrcoef(labels, scores[0] > cut))


def test_a_cut_between_neighbours_among_floats():
    low, high = 1.0, np.nextafter(1.0, 2.0)
    swept = sweep(np.array([[low, high]]), np.array([False, True]))
    _, value, cut = swept.best(mcc(swept.confusion))
    assert (value, cut) == (1.0, low)


def test_of_equal_lists_the_first_and_of_equal_cuts_the_highest():
    swept = sweep(np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([True, False]))
    row, value, cut = swept.best(balanced_accuracy(swept.confusion))  # ½ with nothing flagged, and with everything
    assert (row, value, cut) == (0, 0.5, 2.0)
