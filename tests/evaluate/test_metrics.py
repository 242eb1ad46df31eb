import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn import metrics as reference

from oddgan import InputError
from oddgan.evaluate import evaluate


def values(scores, labels, threshold=None, **options):
    found = evaluate(scores, np.array(labels, dtype=bool), threshold, n_bootstrap=0, **options)
    return {name: metric.value for name, metric in found.items()}


def test_separated_scores_are_perfect():
    found = values([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1], 2.5)
    for name in (
        "auroc",
        "average_precision",
        "partial_auroc",
        "precision",
        "recall",
        "f1",
        "phi",
        "balanced_accuracy",
    ):
        assert found[name] == 1.0, name
    assert found["fpr_at_95_tpr"] == found["false_alarm_rate"] == 0.0
    assert found["best_f1_oracle"] == 1.0


def test_equal_scores_say_nothing():
    found = values([1.0] * 5, [0, 0, 0, 1, 1])
    assert found["auroc"] == 0.5  # every pair is a tie, and ties count half
    assert found["partial_auroc"] == pytest.approx(0.5)  # McClish: 0.5 is chance
    assert found["average_precision"] == 0.4  # the prevalence
    assert found["fpr_at_95_tpr"] == 1.0  # nothing or everything is flagged


def test_counts_at_the_threshold_by_hand():
    # Flagged are the scores strictly above 2: TP = 2, FP = 1, FN = 1, TN = 2.
    found = values([3.0, 4.0, 2.0, 5.0, 1.0, 2.0], [1, 1, 1, 0, 0, 0], 2.0)
    assert found["precision"] == pytest.approx(2 / 3)
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(2 / 3)
    assert found["phi"] == pytest.approx((2 * 2 - 1 * 1) / np.sqrt(3 * 3 * 3 * 3))
    assert found["balanced_accuracy"] == pytest.approx(2 / 3)
    assert found["false_alarm_rate"] == pytest.approx(1 / 3)
    assert found["prevalence"] == 0.5
    assert found["n"] == 6


def test_95_per_cent_of_the_anomalies_by_hand():
    # Falling scores: 18 anomalies, a normal, the 19th anomaly (95 %), a normal, the 20th anomaly, two normals.
    labels = [1] * 18 + [0, 1, 0, 1, 0, 0]
    assert values(-np.arange(24.0), labels)["fpr_at_95_tpr"] == 0.25


def test_beta_weighs_recall():
    # TP = 1, FP = 0, FN = 3: F2 = 5 TP / (5 TP + 4 FN + FP) = 5 / 17; F0.5 = 1.25 / (1.25 + 0.75).
    scores, labels = [3.0, 1.0, 1.0, 1.0, 0.0], [1, 1, 1, 1, 0]
    assert values(scores, labels, 2.0, beta=2.0)["f2"] == pytest.approx(5 / 17)
    assert values(scores, labels, 2.0, beta=0.5)["f0.5"] == pytest.approx(1.25 / 2)


@pytest.mark.parametrize("threshold", [-10.0, 10.0])
def test_flagging_all_or_nothing_has_no_correlation(threshold):
    found = values([1.0, 2.0, 3.0], [0, 1, 1], threshold)
    assert found["phi"] == 0.0
    assert found["balanced_accuracy"] == 0.5
    assert found["precision"] == (0.0 if threshold > 0 else pytest.approx(2 / 3))


def test_without_threshold_there_are_no_metrics_of_it():
    found = values([1.0, 2.0], [0, 1])
    assert "f1" not in found
    assert "phi" not in found
    assert "best_f1_oracle" in found


labelled = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


@settings(max_examples=30, deadline=None)  # scikit-learn takes some 10 ms for each metric
@given(labelled, st.integers(-1, 9))
def test_agrees_with_scikit_learn(rows, threshold):
    scores, labels = np.array([s for s, _ in rows], dtype=float), np.array([label for _, label in rows])
    found, flagged = values(scores, labels, float(threshold)), scores > threshold
    expected = {
        "auroc": reference.roc_auc_score(labels, scores),
        "partial_auroc": reference.roc_auc_score(labels, scores, max_fpr=0.1),
        "average_precision": reference.average_precision_score(labels, scores),
        "precision": reference.precision_score(labels, flagged, zero_division=0),
        "recall": reference.recall_score(labels, flagged),
        "f1": reference.f1_score(labels, flagged),
        "phi": reference.matthews_corrcoef(labels, flagged),
        "balanced_accuracy": reference.balanced_accuracy_score(labels, flagged),
        "best_f1_oracle": max(reference.f1_score(labels, scores >= s) for s in np.unique(scores)),
    }
    alarm_rate, hit_rate, _ = reference.roc_curve(labels, scores, drop_intermediate=False)
    expected["fpr_at_95_tpr"] = alarm_rate[hit_rate >= 0.95].min()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-12), name


def test_intervals_are_seeded_and_ordered():
    rng = np.random.default_rng(3)
    labels = rng.random(300) < 0.3
    scores = rng.normal(size=300) + labels
    first, again = evaluate(scores, labels, 0.5, seed=1), evaluate(scores, labels, 0.5, seed=1)
    assert first == again
    assert first["auroc"] != evaluate(scores, labels, 0.5, seed=2)["auroc"]
    for name in first.keys() - {"prevalence", "n", "best_f1_oracle"}:
        metric = first[name]
        assert metric.low < metric.value < metric.high, name
    assert first["prevalence"].low is None


def test_interval_of_a_rate_is_the_binomial_one():
    # Resampling the normals makes the false alarms binomial: 1.96 sqrt(p (1 - p) / n) on each side.
    scores = np.r_[np.zeros(800), np.ones(200), np.ones(500)]
    labels = np.r_[np.zeros(1000), np.ones(500)].astype(bool)
    found = evaluate(scores, labels, 0.5, n_bootstrap=4000)["false_alarm_rate"]
    half = 1.96 * np.sqrt(0.2 * 0.8 / 1000)
    assert found.low == pytest.approx(0.2 - half, abs=0.003)
    assert found.high == pytest.approx(0.2 + half, abs=0.003)
    assert evaluate(scores, labels, 0.5)["recall"].low == 1.0


@pytest.mark.parametrize(("anomalous", "name"), [(False, "false_alarm_rate"), (True, "recall")])
def test_of_one_class_the_share_that_is_flagged_has_an_exact_interval(anomalous, name):
    """With no row flagged the upper end p solves (1 - p)^n = 0.025, with all of them the lower end p^n = 0.025."""
    scores, labels = np.arange(10.0), np.full(10, anomalous)
    end = 0.025 ** (1 / 10)
    none, all_, four = (evaluate(scores, labels, cut) for cut in (9.0, -1.0, 5.0))
    assert none.keys() == {name, "prevalence", "n"}
    assert (none["prevalence"].value, none["n"].value) == (float(anomalous), 10)
    for found, expected in ((none[name], (0, 0, 1 - end)), (all_[name], (1, end, 1))):
        assert (found.value, found.low, found.high) == pytest.approx(expected)
    # Clopper and Pearson's: the tails of the binomial distribution beyond the ends hold 2.5 % each.
    assert four[name].value == 0.4
    assert binom.sf(3, 10, four[name].low) == pytest.approx(0.025)
    assert binom.cdf(4, 10, four[name].high) == pytest.approx(0.025)
    assert evaluate(scores, labels, 5.0, n_bootstrap=0)[name].low is None


def test_no_rows_are_refused():
    with pytest.raises(InputError, match="The 0 labelled rows hold no anomalies"):
        evaluate([], np.zeros(0, dtype=bool), 1.0)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1.0, 2.0], [True, True], "hold no normals"),
        ([1.0, 2.0], [False, False], "hold no anomalies"),
        ([1.0, np.nan], [False, True], "1 of 2 scores are NaN"),
        ([1.0, 2.0], [False, True, True], r"\(2,\) and labels \(3,\)"),
        ([1.0, 2.0], [0, 1], "give booleans"),
        ([[1.0, 2.0]], [[True, False]], "one of each"),
    ],
)
def test_bad_input_is_named(scores, labels, message):
    with pytest.raises(InputError, match=message):
        evaluate(scores, np.array(labels), None)


@pytest.mark.parametrize("options", [{"beta": 0.0}, {"n_bootstrap": -1}])
def test_bad_options_are_named(options):
    with pytest.raises(InputError, match="must be above 0"):
        evaluate([1.0, 2.0], [False, True], None, **options)


def test_nan_threshold_is_refused():
    with pytest.raises(InputError, match="threshold is NaN"):
        evaluate([1.0, 2.0], [False, True], float("nan"))
