import json
import sys
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from oddgan import load
from oddgan._core.errors import InputError
from oddgan.base import Detector
from oddgan.data import Options, read
from oddgan.evaluate import read_run
from oddgan.families import neural
from oddgan.report import render
from oddgan.tasks import FitSpec, UsageError, fit

from .conftest import TINY


@pytest.fixture
def table(tmp_path):
    """80 normal rows, 20 anomalous ones, and a constant column."""
    rng = np.random.default_rng(0)
    x = np.c_[rng.normal(size=(100, 3)), np.ones(100)]
    x[80:] += 5
    np.savez(tmp_path / "table.npz", X=x, y=np.repeat([0, 1], [80, 20]))
    return str(tmp_path / "table.npz")


def test_a_fit_leaves_a_model_and_a_run(trained):
    assert sorted(p.name for p in trained.run.iterdir()) == ["events.jsonl", "items.npz", "run.json", "scores.csv"]
    assert trained.run.name.endswith("-ganomaly-digits")
    run = read_run(trained.run)
    assert run.info == trained.info
    assert [e.epoch for e in run.epochs] == [1]
    x = read("builtin:digits", Options(normal=3)).x[:5]
    np.testing.assert_array_equal(load(trained.model).anomaly_score(x), trained.detector.anomaly_score(x))


def test_training_is_watched_unless_told_otherwise(table):
    spec = FitSpec(method="aae", source=table, settings={"epochs": 2, "latent_dim": 2})
    run = read_run(fit(spec).run)
    assert [w.epoch for w in run.watched] == [1, 2]
    assert run.snapshots.samples.shape[2:] == (4,)
    alone = read_run(fit(replace(spec, monitor=False)).run)
    assert (alone.watched, alone.snapshots) == ((), None)
    np.testing.assert_array_equal(alone.scores.anomaly_score, run.scores.anomaly_score)


def test_alarms_are_among_the_notes(table):
    settings = {"epochs": 5, "latent_dim": 2, "optimiser": {"type": "Adam", "lr": 3.0}}
    result = fit(FitSpec(method="autoencoder", source=table, settings=settings))
    (alarm,) = read_run(result.run).alarms
    assert alarm.failure == "exploding"
    assert alarm.text in result.info.notes


def test_the_record_says_how_many_rows_did_what(trained):
    data, threshold = trained.info.data, trained.info.threshold
    # The training half has 128 threes; a fifth of them is held out, and all 1130 other digits are left out.
    assert (data.n_train, data.n_calibration, data.dropped, data.normal) == (102, 26, 1130, 3)
    assert (threshold.rule, threshold.rate, threshold.n) == ("Conformal", 0.1, 26)
    assert threshold.source == "held-out normals"
    assert any("1130 rows with other labels" in note for note in trained.info.notes)
    assert trained.info.parameters["latent_dim"] == 4
    assert trained.info.command == ("oddgan", "fit")


def test_the_run_shows_held_out_normals_and_anomalies_left_out(trained):
    scores = read_run(trained.run).scores
    assert (int(scores.label.sum()), int((~scores.label).sum())) == (1000, 26)  # 1130 anomalies, at most 1000 shown
    np.testing.assert_array_equal(np.sort(scores.anomaly_score[~scores.label]), trained.detector.calibration_scores_)
    data = read("builtin:digits")
    labels = dict(zip(data.ids, data.y, strict=True))
    assert all((labels[name] != 3) == bool(label) for name, label in zip(scores.id, scores.label, strict=True))


def test_the_report_can_be_drawn(trained, tmp_path):
    assert "GANomaly" in render(trained.run, out=tmp_path / "report.html").read_text()


def test_the_same_seed_gives_the_same_scores_and_another_one_others(trained):
    spec = FitSpec(method="GANomaly", source="builtin:digits", options=Options(normal="3"), settings=TINY)
    again, other = fit(spec), fit(replace(spec, seed=1))
    np.testing.assert_array_equal(again.detector.calibration_scores_, trained.detector.calibration_scores_)
    assert not np.array_equal(other.detector.calibration_scores_, trained.detector.calibration_scores_)
    assert again.run != other.run
    assert again.model == again.run / "model"


def test_notices_and_notes_go_into_the_record(table):
    info = fit(FitSpec(method="mean-distance", source=table)).info
    assert [note for note in info.notes if "1 column holds one value" in note]
    assert [note for note in info.notes if "20 rows with other labels" in note]


def test_too_few_held_out_rows_for_the_rate_are_a_note(table):
    few = fit(FitSpec(method="mean-distance", source=table, calibration=0.2, rate=0.01)).info
    n = few.threshold.n
    assert few.threshold.promised == 1 / (n + 1) > 0.01  # the conformal rule: of n + 1 scores one may be the largest
    assert [note for note in few.notes if note.startswith(f"{n} held-out rows are too few to flag only 1 % of normals")]
    enough = fit(FitSpec(method="mean-distance", source=table, calibration=0.2, rate=0.3)).info
    assert enough.threshold.promised == 0.3
    assert not [note for note in enough.notes if "too few" in note]


def test_options_of_the_spec_become_parameters(table):
    spec = FitSpec(method="knn", source=table, calibration=0, rate=0.05, threshold="mean-sigma", seed=7)
    detector = fit(replace(spec, settings={"threshold": {"k": 2}})).detector
    assert (detector.calibration, detector.contamination, detector.random_state) == (0, 0.05, 7)
    assert detector.threshold_ == pytest.approx(
        np.mean(detector.calibration_scores_) + 2 * np.std(detector.calibration_scores_)
    )


def test_minutes_become_steps_that_the_model_keeps(table):
    spec = FitSpec(method="ganomaly", source=table, options=Options(normal=0), minutes=0.002, monitor=False)
    result = fit(spec)
    steps = load(result.model).get_params()["steps"]
    assert steps == sum(record.updates for record in result.detector.history_) > 0
    assert any(f"--set steps={steps} on this machine" in note for note in result.info.notes)


def test_the_time_is_told_before_training_and_only_where_it_is_long(table, monkeypatch):
    told = []
    spec = FitSpec(method="ganomaly", source=table, options=Options(normal=0), settings={"steps": 2}, monitor=False)
    fit(spec, tell=told.append)
    assert told == []
    monkeypatch.setattr(sys.modules[fit.__module__], "WORTH_SAYING", 0.0)
    fit(spec, tell=told.append)
    assert told == ["2 training steps take about 0 s on this machine."]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "kde"}, "KDE is not trained by steps"),
        ({"resume": True, "out": "m"}, "--resume needs the steps of the first run"),
        ({"settings": {"epochs": 3}}, "Give minutes, or steps or epochs"),
    ],
)
def test_minutes_are_refused_where_they_mean_nothing(table, changes, message):
    with pytest.raises(InputError, match=message):
        fit(FitSpec(**{"method": "ganomaly", "source": table, "options": Options(normal=0), "minutes": 1.0} | changes))


def test_without_calibration_the_run_says_that_training_rows_set_the_threshold(table):
    info = fit(FitSpec(method="knn", source=table, calibration=0)).info
    assert (info.data.n_train, info.data.n_calibration, info.threshold.source) == (80, 0, "training rows")


def test_data_without_labels_are_all_normal_and_the_run_has_none(tmp_path):
    np.savez(tmp_path / "plain.npz", X=np.random.default_rng(0).normal(size=(30, 3)))
    result = fit(FitSpec(method="knn", source=str(tmp_path / "plain.npz")))
    assert result.info.data.n_train == 24
    assert read_run(result.run).scores.label is None


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"method": "anogann"}, UsageError, r"Unknown method 'anogann'\. Did you mean AnoGAN\? Known: AAE, ADGAN"),
        ({"settings": {"k": 3}}, UsageError, "KNN has no parameter 'k'"),
        ({"settings": {"composition": "SVM"}}, UsageError, "SVM learns from labels.*oddgan compose MODEL DATA"),
        ({"threshold": "best"}, UsageError, "Unknown threshold rule 'best'"),
        ({"threshold": "evt"}, InputError, "GeneralisedPareto needs 20 different scores"),
        ({"options": Options(normal=7)}, InputError, r"No row has the label 7; the labels are 0 \(80 rows\)"),
        ({"source": "nowhere.npz"}, InputError, "There is no file or folder nowhere.npz"),
    ],
)
def test_what_is_wrong_is_said_before_training_and_nothing_is_written(table, tmp_path, changes, error, message):
    spec = replace(FitSpec(method="knn", source=table, out=tmp_path / "model"), **changes)
    with pytest.raises(error, match=message):
        fit(spec)
    assert [p.name for p in tmp_path.iterdir() if p.name != "runs"] == ["table.npz"]
    assert not list((tmp_path / "runs").glob("*"))


def test_an_existing_model_is_replaced_by_force_only(table, tmp_path):
    spec = FitSpec(method="knn", source=table, out=tmp_path / "model")
    fit(spec)
    with pytest.raises(InputError, match="exists already"):
        fit(spec)
    fit(replace(spec, force=True, method="pca"))
    assert type(load(tmp_path / "model")).__name__ == "PCA"
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_an_interrupted_fit_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(neural, "run", Mock(side_effect=KeyboardInterrupt))
    spec = FitSpec(method="ganomaly", source="builtin:digits", settings=TINY, out=tmp_path / "models" / "digits")
    with pytest.raises(KeyboardInterrupt):
        fit(spec)
    assert list(tmp_path.iterdir()) == []


def test_the_model_remembers_how_to_read_and_draw(trained):
    stored = json.loads((trained.model / "detector.json").read_text())["fitted"]["reading_"]
    assert stored["reading"]["normal"] == 3
    assert stored["n_train"] == len(trained.detector.reading_["trained"]) == 102
    assert stored["map_scale"] > 0


def test_a_private_fit_is_not_watched(table, tmp_path):
    pytest.importorskip("opacus")
    settings = {"epochs": 1, "latent_dim": 2, "backbone": {"type": "MLP", "hidden": [4]}}
    for name, private in (("a", {}), ("b", {"privacy": {"type": "Privacy", "noise_multiplier": 2.0, "delta": 1e-3}})):
        made = fit(
            FitSpec(method="autoencoder", source=table, settings=settings | private, runs=tmp_path / name, name=name)
        )
        seen = (made.run / "events.jsonl").read_text()
        assert ('"event": "monitor"' in seen) == (name == "a")
    assert any("differentially private" in note for note in made.info.notes)


def test_normal_rows_are_scored_once_and_shown_with_those_scores(table, monkeypatch):
    seen = []
    score = Detector.anomaly_score
    monkeypatch.setattr(Detector, "anomaly_score", lambda self, x: (seen.append(len(x)), score(self, x))[1])
    result = fit(FitSpec(method="pca", source=table))
    assert seen == [20]  # the anomalies that `fit` left out, not the normal rows that it held out
    run = read_run(result.run)
    x = np.load(table)["X"]
    shown = np.concatenate([x[result.detector.calibration_rows_], x[80:]])
    np.testing.assert_array_equal(run.scores.anomaly_score, result.detector.anomaly_score(shown))


def test_a_generator_of_a_stored_model(table):
    source = fit(FitSpec(method="vae", source=table, settings={"epochs": 1, "latent_dim": 2}))
    settings = {"n_seed": 2, "inversion": {"steps": 1}}
    result = fit(FitSpec(method="adgan", source=table, settings=settings, generator=source.model))
    detector = load(result.model)
    assert (detector.latent_dim, detector.history_) == (2, [])
    given = source.detector.networks_["decoder"].state_dict().values()
    kept = detector.networks_["generator"].state_dict().values()
    assert all(torch.equal(a, b) for a, b in zip(kept, given, strict=True))
    x = np.load(table)["X"][:5]
    assert np.array_equal(detector.anomaly_score(x), result.detector.anomaly_score(x))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "vae"}, r"methods that search a given one \(ADGAN\), not vae"),
        ({"method": "adgan", "minutes": 1}, "leave --continue and --minutes out"),
    ],
)
def test_a_generator_that_nothing_is_to_be_done_with(table, settings, message):
    with pytest.raises(UsageError, match=message):
        fit(FitSpec(source=table, generator="somewhere", **settings))
