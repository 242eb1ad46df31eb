"""The page of the heartbeats."""

import json
import xml.etree.ElementTree as ET

import pytest

COMMON = {"data": "beats", "protocol": "a split", "settings": {}, "n_test": 9, "cpu_s": 1.0, "role": "measured"}


def record(case, method, value, metric="AUROC", **more):
    return COMMON | {"case": case, "method": method, "value": value, "metric": metric, "unit": "1", "seed": 0} | more


@pytest.fixture
def page(extension, tmp_path):
    """The part of a page by its name, made from records."""
    parts = dict(extension.heartbeats.all_parts())

    def made(name, benchmark="", records=()):
        if benchmark:
            (tmp_path / "results").mkdir(exist_ok=True)
            document = {"schema": 1, "machine": "a machine", "versions": {}, "records": records}
            (tmp_path / "results" / f"{benchmark}.json").write_text(json.dumps(document))
        return parts[f"heartbeats-{name}"](tmp_path)

    return made


@pytest.mark.parametrize("name", ["ecgan", "patients", "classes", "cuts", "encoders", "folds", "survey", "drift"])
def test_without_numbers_the_page_says_what_measures_them(page, name):
    assert "Not measured yet" in page(name)
    assert "Not measured yet" in page(name, "heartbeats", [record("another case", "PCA", 0.5)])


def test_published_values_alone_are_no_measurement(page):
    alone = [record("ecgan split", "SVM", 0.92, role="published")]
    assert "Not measured yet" in page("ecgan", "heartbeats", alone)


def test_methods_stand_beside_metrics_with_spread_and_marks(page):
    records = [
        record("ecgan split", "SVM", 0.92, "F1, class-weighted", role="published"),
        *(record("ecgan split", "SVM", v, seed=i, semi_supervised=True) for i, v in enumerate((0.8, 0.9))),
        record("ecgan split", "residual", 0.7),
        record("patient-wise", "SVM", 0.1),
    ]
    lines = page("ecgan", "heartbeats", records).splitlines()
    assert [cell.strip() for cell in lines[0].strip("|").split("|")] == ["", "AUROC", "F1, class-weighted", "runs"]
    text = "\n".join(lines[2:])
    assert "| SVM | 0.850 ± 0.071† |  | 2 |" in text
    assert "| residual | 0.700 |  | 1 |" in text
    assert "| *SVM* (published) |  | 0.920 |  |" in text
    assert "0.100" not in text
    assert text.rstrip().endswith("† labels had a part in the score or the threshold.")


def test_times_say_how_many_times_the_baseline_they_are(page):
    timed = record("survey's table 1", "search", 500.0, "time of a beat", unit="ms", baseline=2.0, ratio=2.0 / 500.0)
    assert "| search | 500 ms (250x) | 1 |" in page("survey", "survey", [timed])


def test_drift_draws_weights_and_what_they_reach(page):
    records = [
        record(f"patient-wise, epoch {epoch:03d}", method, value / epoch, metric)
        for epoch in (1, 2)
        for method, metric, value in (
            ("grid of weights", "weight of residual", 0.6),
            ("grid of weights", "weight of features", 0.4),
            ("grid of weights", "weight of latent_norm", 0.0),
            ("grid of weights", "AUROC", 0.9),
            ("grid of weights", "phi", 0.5),
            *((f"{name} alone", "AUROC", 0.7) for name in ("residual", "features", "latent_norm")),
        )
    ]
    drawn = ET.fromstring(page("drift", "heartbeats", records))  # noqa: S314
    said = [svg.find("desc").text for svg in drawn.iter("svg") if svg.get("role")]
    assert len(said) == 3
    assert "residual: 0.6 at 1, 0.3 at 2; features: 0.4 at 1" in said[0]
    assert "best weights: 0.9 at 1, 0.45 at 2." in said[1]
    assert said[2] == "phi against epoch. best weights: 0.5 at 1, 0.25 at 2."
