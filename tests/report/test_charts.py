import numpy as np
import pytest

from oddgan.evaluate import Epoch, ScoreTable, counts
from oddgan.report.charts import precision_recall_chart, roc_chart, score_chart, thin, training_charts


def table(scores, label=None):
    n = len(scores)
    scores = np.asarray(scores, dtype=float)
    label = None if label is None else np.asarray(label, dtype=bool)
    return ScoreTable(np.arange(n), np.arange(n).astype(str), scores, scores > 1, label=label)


def epochs(losses, phase=0):
    return [Epoch("p", phase, i + 1, len(losses), {"critic": loss}, 0.0) for i, loss in enumerate(losses)]


def test_training_has_a_chart_for_each_phase():
    charts = training_charts([*epochs([3.0, 2.0]), *epochs([5.0], phase=1)])
    assert [c.key for c in charts] == ["training-0", "training-1"]
    assert charts[0].traces[0].y.tolist() == [3, 2]
    assert "critic 2" in charts[0].caption
    assert training_charts([]) == []


def test_training_survives_losses_that_are_not_finite():
    (chart,) = training_charts(epochs([1.0, np.nan, np.inf, 2.0]))
    low, high = chart.y_limits
    assert low < 1
    assert 2 < high < 3


def test_histogram_shares_add_up_by_class():
    chart = score_chart(table([0, 1, 2, 3, 4], [0, 0, 0, 1, 1]), 2.5)
    assert chart is not None
    assert [t.name for t in chart.traces] == ["normal (3)", "anomaly (2)"]
    for trace in chart.traces:
        assert trace.y.sum() == pytest.approx(100)
    assert chart.x_limits[0] < 0
    assert chart.x_limits[1] > 4


def test_histogram_without_labels_or_with_one_class():
    assert [t.name for t in score_chart(table([0, 1]), 0.5).traces] == ["all rows (2)"]
    assert [t.name for t in score_chart(table([0, 1], [0, 0]), 0.5).traces] == ["normal (2)"]


def test_histogram_leaves_out_what_is_not_finite():
    chart = score_chart(table([0, 1, np.nan, np.inf], [0, 0, 1, 1]), 0.5)
    assert [t.name for t in chart.traces] == ["normal (2)"]
    assert score_chart(table([np.nan]), 0.5) is None


def test_one_value_still_has_an_axis():
    low, high = score_chart(table([2.0, 2.0]), 2.0).x_limits
    assert low < 2 < high


def test_heavy_positive_tail_gets_a_log_axis():
    chart = score_chart(table([*np.linspace(0.9, 1.1, 100), 1e4]), 1.05)
    assert chart.log_x
    assert chart.x_limits[0] < 0.9
    assert chart.x_limits[1] > 1e4


def test_other_extremes_are_counted_in_the_outermost_bars():
    chart = score_chart(table([*np.linspace(-1, 1, 1000), -1e6]), 0.5)
    assert not chart.log_x
    assert chart.x_limits[0] > -10
    assert "1 score beyond" in chart.caption
    assert chart.traces[0].y.sum() == pytest.approx(100)


def test_the_threshold_is_always_on_the_axis():
    chart = score_chart(table([0.0, 1.0]), 7.0)
    assert chart.x_limits[1] > 7


def test_curves_pass_the_point_at_the_threshold():
    # Flagged above 1.5: one anomaly of two, one normal of two.
    c = counts([3.0, 2.0, 1.0, 0.0], [True, False, True, False])
    assert roc_chart(c, 1.5, 0.75).at_threshold == (0.5, 0.5)
    assert precision_recall_chart(c, 1.5, 0.8).at_threshold == (0.5, 0.5)
    assert precision_recall_chart(c, 9.0, 0.8).at_threshold is None  # nothing flagged has no precision


def test_thin_keeps_ends_and_corners():
    x = np.linspace(0, 1, 10_000)
    y = np.where(x < 0.5, 0.0, 1.0)
    a, b = thin(x, y, 100)
    assert len(a) <= 102
    assert (a[0], a[-1], b[0], b[-1]) == (0, 1, 0, 1)
    jump = np.flatnonzero(np.diff(b))
    assert a[jump[0]] == pytest.approx(0.5, abs=0.03)


def test_thin_keeps_order_with_nan():
    y = np.full(1000, np.nan)
    a, _ = thin(np.arange(1000.0), y, 50)
    assert np.all(np.diff(a) > 0)
