"""The figure on the page of the heartbeats."""

import xml.etree.ElementTree as ET

COMMON = {"data": "beats", "protocol": "a split", "settings": {}, "n_test": 9, "cpu_s": 1.0, "role": "measured"}


def record(case, method, value, metric):
    return COMMON | {"case": case, "method": method, "value": value, "metric": metric, "unit": "1", "seed": 0}


def test_without_numbers_the_page_says_what_measures_them(part):
    assert "Not measured yet" in part("heartbeats-drift")
    assert "Not measured yet" in part("heartbeats-drift", "heartbeats", [record("another case", "PCA", 0.5, "AUROC")])


def test_drift_draws_weights_and_what_they_reach(part):
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
    drawn = ET.fromstring(part("heartbeats-drift", "heartbeats", records))  # noqa: S314
    said = [svg.find("desc").text for svg in drawn.iter("svg") if svg.get("role")]
    assert len(said) == 3
    assert "residual: 0.6 at 1, 0.3 at 2; features: 0.4 at 1" in said[0]
    assert "best weights: 0.9 at 1, 0.45 at 2." in said[1]
    assert said[2] == "phi against epoch. best weights: 0.5 at 1, 0.25 at 2."
