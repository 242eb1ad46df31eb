import pytest

from oddgan.report.numbers import counted, metric_name, number, percent, share


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0 %"), (1e-6, "< 0.1 %"), (0.0333, "3.3 %"), (0.1, "10 %"), (0.9999, "> 99.9 %"), (1.0, "100 %")],
)
def test_percent_never_rounds_to_none_or_all(value, text):
    assert percent(value).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (float("nan"), "–"), (3.0, "3"), (0.0123412, "0.01234"), (float("inf"), "inf")]
)
def test_number(value, text):
    assert number(value) == text


def test_share():
    assert (share(1.0), share(0.5), share(639.0)) == ("1.000", "0.500", "639")


def test_counted():
    assert (counted(1, "row"), counted(0, "row"), counted(2, "anomaly", "anomalies")) == (
        "1 row",
        "0 rows",
        "2 anomalies",
    )


def test_metric_names():
    assert "oracle" in metric_name("best_f1_oracle")[0]
    assert metric_name("f0.5")[0] == "F0.5"
    assert "2 times" in metric_name("f2")[1]
    assert metric_name("my_own") == ("my own", "")
