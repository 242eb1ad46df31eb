from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from oddgan.evaluate import DataInfo, MethodInfo, Metric, Run, RunInfo, ScoreTable, ThresholdInfo
from oddgan.report.verdict import verdict

HELD_OUT = ThresholdInfo(value=0.5, rule="quantile", rate=0.1, source="held-out normals", n=200)


def run(scores=None, label=None, threshold=HELD_OUT, kind="table"):
    info = RunInfo(
        kind="score",
        name="r",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        method=MethodInfo(name="KNN"),
        data=DataInfo(source="s", kind=kind, shape=(2,)),
        threshold=threshold,
    )
    table = None
    if scores is not None:
        scores = np.asarray(scores, dtype=float)
        rows = np.arange(len(scores))
        table = ScoreTable(rows, rows.astype(str), scores, scores > threshold.value, label=label)
    return Run(Path("r"), info, (), table, None)


def plain(sentences):
    return " ".join(sentences).replace("\u00a0", " ")


def test_what_is_flagged_and_where_the_threshold_comes_from():
    found = verdict(run([0.1] * 348 + [0.9] * 12), None)
    assert plain(found.findings) == (
        "12 of 360 rows (3.3 %) are flagged as anomalous at the threshold 0.5, "
        "which was set on 200 held-out normals for a false-alarm rate of 10 %."
    )
    assert found.cautions == ()


def test_labels_split_the_flags():
    scores = [0.9] * 36 + [0.1] * 4 + [0.9] * 9 + [0.1] * 311
    label = np.arange(360) < 40
    text = plain(verdict(run(scores, label), {"auroc": Metric(0.981, 0.96, 0.99)}).findings)
    assert "Of the 40 labelled anomalies 36 are flagged (90 %); of the 320 normals 9 are flagged" in text
    assert "(2.8 %; 10 % was asked for)" in text
    assert "AUROC 0.981 (95 % interval 0.960 to 0.990)" in text


def test_one_image_is_flagged():
    assert plain(verdict(run([0.9, 0.1], kind="image"), None).findings).startswith("1 of 2 images (50 %) is flagged")


def test_one_class_only():
    assert "Of the 2 normals 0 are flagged" in plain(verdict(run([0.1, 0.2], np.zeros(2, dtype=bool)), None).findings)


def test_the_interval_of_a_rate_is_told_where_there_is_no_auroc():
    found = {"recall": Metric(0.5, 0.2, 0.8)}
    told = verdict(run([0.1, 0.9], np.ones(2, dtype=bool)), found)
    assert "Of anomalies like these, between 20 % and 80 % are flagged (95 % interval)." in plain(told.findings)
    assert "Most labelled rows are anomalies" not in plain(told.cautions)
    both = verdict(run([0.1, 0.9], np.array([False, True])), found | {"auroc": Metric(1.0)})
    assert "like these" not in plain(both.findings)


def test_without_scores():
    assert "no scores" in plain(verdict(run(), None).findings)


@pytest.mark.parametrize(("alarms", "warned"), [(21, False), (22, True)])
def test_far_more_false_alarms_than_asked_for(alarms, warned):
    # 3 standard deviations above 10 %, with 100 normals scored and 200 behind the threshold:
    # 0.1 + 3 sqrt(0.1 × 0.9 × (1 / 100 + 1 / 200)) = 0.2102.
    scores = [0.9] * alarms + [0.1] * (100 - alarms)
    text = plain(verdict(run(scores, np.zeros(100, dtype=bool)), None).cautions)
    assert ("far more often" in text) is warned
    assert ("(22 %) than asked for (10 %)" in text) is warned


def test_training_rows_are_a_caution():
    threshold = HELD_OUT.model_copy(update={"source": "training rows"})
    found = verdict(run([0.1], threshold=threshold), None)
    assert "trained on" in plain(found.cautions)
    assert "share of them flagged is 10 %" in plain(found.findings)


def test_given_threshold():
    threshold = ThresholdInfo(value=0.5, rule="fixed", source="given")
    assert plain(verdict(run([0.1], threshold=threshold), None).findings).endswith(
        "the threshold 0.5, which was given."
    )


def test_few_held_out_normals():
    threshold = HELD_OUT.model_copy(update={"n": 20})
    text = plain(verdict(run([0.1], threshold=threshold), None).cautions)
    # Two of 20 lie above the 90 % quantile: the rate of the next ones follows Beta(3, 18).
    low, high = stats.beta(3, 18).ppf([0.05, 0.95])
    assert f"between {100 * low:.1f} % and {100 * high:.1f} %" in text
    rng = np.random.default_rng(0)
    thresholds = np.sort(rng.random((4000, 20)), axis=1)[:, -3]  # uniform scores: the rate above t is 1 - t
    assert np.mean((1 - thresholds > low) & (1 - thresholds < high)) == pytest.approx(0.9, abs=0.02)


def test_scores_that_are_not_finite():
    assert "1 score is NaN" in plain(verdict(run([0.1, np.nan]), None).cautions)


def test_mostly_anomalies():
    assert "Most labelled rows" in plain(verdict(run([0.9, 0.9, 0.1], np.array([True, True, False])), None).cautions)


@pytest.mark.parametrize(
    ("auroc", "words"), [(Metric(0.2, 0.1, 0.3), "worse than chance"), (Metric(0.5, 0.4, 0.6), "includes 0.5")]
)
def test_a_detector_that_does_not_detect(auroc, words):
    assert words in plain(verdict(run([0.1]), {"auroc": auroc}).cautions)
    assert verdict(run([0.1]), {"auroc": replace(auroc, low=None)}).cautions == ()


def test_a_threshold_by_labels_is_said_to_be_one():
    threshold = ThresholdInfo(value=0.5, rule="Fixed", source="labelled rows")
    found = verdict(run([0.1], threshold=threshold), None)
    assert "at the threshold 0.5, which was chosen as the best for labelled rows." in plain(found.findings)
