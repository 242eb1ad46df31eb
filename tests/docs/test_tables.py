"""Tables of results: methods or runs down, metrics or cases across."""

import base64

import pytest

COMMON = {"data": "beats", "protocol": "a split", "settings": {}, "n_test": 9, "cpu_s": 1.0, "role": "measured"}
MARKS = {
    "heartbeats-ecgan": "heartbeats",
    "heartbeats-curve": "vaegan",
    "heartbeats-patients": "heartbeats",
    "heartbeats-classes": "heartbeats",
    "heartbeats-cuts": "heartbeats",
    "heartbeats-encoders": "heartbeats",
    "heartbeats-folds": "beatgan",
    "heartbeats-survey": "survey",
    "growing-numbers": "growing",
    "growing-samples": "growing",
    "memory": "memory",
    "monitor": "monitor",
}


def record(case, method, value, metric="AUROC", **more):
    return COMMON | {"case": case, "method": method, "value": value, "metric": metric, "unit": "1", "seed": 0} | more


def cells(text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[c.strip() for c in line.strip("|").split("|")] for line in lines[:1] + lines[2:]]


@pytest.mark.parametrize("mark", MARKS)
def test_without_numbers_the_page_says_what_measures_them(part, mark):
    missing = f"*Not measured yet.* `python benchmarks/{MARKS[mark]}.py` measures it.\n"
    assert part(mark) == missing
    if mark != "memory":  # which shows every case
        assert part(mark, MARKS[mark], [record("another case", "PCA", 0.5)]) == missing


def test_published_values_alone_are_no_measurement(part):
    alone = [record("ecgan split", "SVM", 0.92, role="published")]
    assert "Not measured yet" in part("heartbeats-ecgan", "heartbeats", alone)


def test_a_curve_has_a_row_for_every_epoch_and_way(part):
    records = [
        record("ecgan split, epoch 010", "β-VAEGAN, SVM", 0.9, "F1, macro", semi_supervised=True),
        record("ecgan split, epoch 002", "β-VAEGAN, SVM", 0.8),
        record("ecgan split, epoch 002", "β-VAEGAN, residual alone", 0.7),
        record("ecgan split, epoch 002", "training", 85.0, "an epoch"),
    ]
    assert cells(part("heartbeats-curve", "vaegan", records)) == [
        ["epochs", "", "AUROC", "phi", "F1, weighted", "F1, macro", "F1, micro", "F1, anomalies"],
        ["2", "SVM", "0.800", "", "", "", "", ""],
        ["2", "residual alone", "0.700", "", "", "", "", ""],
        ["10", "SVM", "", "", "", "0.900†", "", ""],
    ]


def test_methods_stand_beside_metrics_with_spread_and_marks(part):
    records = [
        record("ecgan split", "SVM", 0.92, "F1, averaging not stated", role="published"),
        *(record("ecgan split", "SVM", v, seed=i, semi_supervised=True) for i, v in enumerate((0.8, 0.9))),
        record("ecgan split", "residual", 0.7),
        record("patient-wise", "SVM", 0.1),
    ]
    text = part("heartbeats-ecgan", "heartbeats", records)
    assert cells(text) == [
        ["", "AUROC", "F1, averaging not stated", "runs"],
        ["SVM", "0.850 ± 0.071†", "", "2"],
        ["residual", "0.700", "", "1"],
        ["*SVM* (published)", "", "0.920", ""],
    ]
    assert text.rstrip().endswith("† labels had a part in the score or the threshold.")


def test_times_say_how_many_times_the_baseline_they_are(part):
    timed = record("survey's table 1", "search", 500.0, "time of a beat", unit="ms", baseline=2.0, ratio=2.0 / 500.0)
    assert "| search | 500 ms (250x) | 1 |" in part("heartbeats-survey", "survey", [timed])


def test_numbers_with_units_stand_among_shares(part):
    case = "magnetic tiles, 64 px"
    records = [
        record(case, "grown", 0.625),
        record(case, "grown", 0.25, "patches, 64 px", unit="std"),
        record(case, "grown", 456.0, "training", unit="CPU s"),
    ]
    assert "| grown | 0.625 | 0.25 std | 456 CPU s | 1 |" in part("growing-numbers", "growing", records)


def test_the_picture_is_part_of_the_page(part, store):
    file = store("growing", []) / "results" / "growing.png"
    file.write_bytes(b"a picture")
    text = part("growing-samples")
    assert f"base64,{base64.b64encode(b'a picture').decode()}" in text
    assert text.count("Rows from above") == 2, "said and shown"


def test_memory_has_data_down_and_peaks_across(part):
    records = [
        record("npy, 9 rows", way, value, name, unit="MB")
        for way, value in (("mapped", 12.4), ("in memory", 120.0))
        for name in ("fit: peak of anonymous", "score: peak of resident")
    ]
    head, *rows = cells(part("memory", "memory", records))
    assert head[:3] == ["data", "read", "fit, anonymous, MB"]
    assert rows == [["npy, 9 rows", "in memory", "120", "", "", "120"], ["npy, 9 rows", "mapped", "12", "", "", "12"]]


def test_the_monitor_has_runs_down_and_failures_across(part):
    runs = [
        ("A", "made to fail: collapse", {"collapse": (1, 1), "vanishing": (0, 0)}),
        ("B", "healthy", {"collapse": (0, 1), "vanishing": (0, 0)}),
    ]
    records = [
        record(case, method, value, "said", data="training runs", protocol=kind, seed=seed)
        for method, kind, said in runs
        for case, values in said.items()
        for seed, value in enumerate(values)
    ]
    head, *rows = cells(part("monitor", "monitor", records))
    assert head[2:] == ["says collapse", "says vanishing"]
    assert rows == [["A", "collapse", "2 of 2", ""], ["B", "healthy", "1 of 2", ""]]
