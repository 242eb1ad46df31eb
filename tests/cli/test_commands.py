"""Each command end to end, as a user types it."""

import csv
import sys
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from oddgan import load
from oddgan.data import read
from oddgan.evaluate import read_run, read_scores
from oddgan.tasks import FitSpec, fit

TINY = ("--set", "epochs=1", "--set", "latent_dim=4", "--set", "backbone.image.width=4")


def write_csv(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def people(tmp_path):
    """A table with a text column and labels, the same rows without labels, and these with columns in another order."""
    rng = np.random.default_rng(0)
    rows = [[i, f"{rng.normal():.6f}", rng.choice(["red", "blue"]), "normal"] for i in range(40)]
    rows += [[50 + i, f"{rng.normal() + 9:.6f}", "blue", "fraud"] for i in range(10)]
    write_csv(tmp_path / "people.csv", ["age", "amount", "colour", "kind"], rows)
    write_csv(tmp_path / "new.csv", ["age", "amount", "colour"], [[i, a, c] for i, a, c, _ in rows])
    write_csv(tmp_path / "mixed.csv", ["colour", "amount", "age"], [[c, a, i] for i, a, c, _ in rows])
    return tmp_path


@pytest.fixture
def tiles(tmp_path):
    """Folders of PNG files: good and bad ones, and a flat one without labels."""
    x = read("builtin:digits")
    for name, label, n in (("train/good", 0, 30), ("test/good", 0, 5), ("test/bad", 1, 5), ("../flat", 1, 3)):
        (tmp_path / "tiles" / name).mkdir(parents=True)
        for i, image in enumerate(x.x[x.y == label][-n:]):
            Image.fromarray(image[0] * 15).save(tmp_path / "tiles" / name / f"{i}.png")
    return tmp_path / "tiles"


def test_fit_score_evaluate_threshold_and_report(run, tmp_path):
    fitted = run(
        "fit", "ganomaly", "builtin:digits", "--normal", 3, *TINY, "--out", "models/threes", "--name", "my threes"
    )
    assert (fitted.code, "GANomaly learned from 102 rows" in fitted.out) == (0, True)
    assert "note: 1130 rows with other labels" in fitted.err
    assert (tmp_path / "models" / "threes" / "detector.json").is_file()
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.endswith("-my-threes")
    assert (folder / "report.html").is_file()
    command = read_run(folder).info.command
    assert command[:5] == ("oddgan", "fit", "ganomaly", "builtin:digits", "--normal")

    scored = run("score", "models/threes", "builtin:digits", "--out", "scores.csv")
    assert (scored.code, "539 rows are flagged" in scored.out) == (0, True)
    expected = load("models/threes").anomaly_score(read("builtin:digits", default_split="test").x)
    np.testing.assert_array_equal(read_scores(tmp_path / "scores.csv").anomaly_score, expected)
    assert (tmp_path / "scores.csv").read_text().startswith("row,id,anomaly_score,is_anomaly,p_value\n")

    assert "and 519 more: --out FILE writes all" in run("score", "models/threes", "builtin:digits").out

    evaluated = run("evaluate", "models/threes", "builtin:digits", "--json")
    assert (evaluated.code, evaluated.err) == (0, "")
    assert evaluated.json["metrics"]["n"]["value"] == 539
    assert evaluated.json["threshold"]["rate"] == 0.1

    changed = run(
        "threshold", "models/threes", "--rule", "mean-sigma", "--set", "k=3", "--out", "models/strict", "--json"
    )
    assert (changed.code, changed.json["after"]["rule"]) == (0, "MeanSigma")
    assert load("models/strict").threshold_ == changed.json["after"]["value"]

    assert run("report", evaluated.json["run"], "--out", "page.html").code == 0
    assert "AUROC" in (tmp_path / "page.html").read_text()
    assert run("report", evaluated.json["run"], "--out", "page.html").code == 1


def test_report_opens_the_browser_on_request(run, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    folder = run("fit", "mean-distance", "builtin:breast-cancer", "--json").json["run"]
    assert run("report", folder, "--open").code == 0
    assert opened[0].startswith("file://")
    assert opened[0].endswith("/report.html")


def test_the_command_and_python_make_equal_models(run):
    run("fit", "GAN-omaly", "builtin:digits", *TINY, "--seed", 5, "--out", "by-command", "--quiet")
    settings = {"epochs": 1, "latent_dim": 4, "backbone": {"image": {"width": 4}}}
    fit(FitSpec(method="ganomaly", source="builtin:digits", settings=settings, seed=5, out="by-python"))
    x = read("builtin:digits").x[:70]
    np.testing.assert_array_equal(load("by-command").anomaly_score(x), load("by-python").anomaly_score(x))


def test_set_goes_before_the_method_file(run, tmp_path):
    (tmp_path / "knn.toml").write_text('n_neighbors = 2\nslots = 32\n[threshold]\ntype = "MeanSigma"\nk = 2\n')
    words = ("fit", "knn", "builtin:breast-cancer", "--method-file", "knn.toml", "--json")
    parameters = run(*words, "--set", "n_neighbors=7", "--set", "threshold.k=4").json["parameters"]
    assert (parameters["n_neighbors"], parameters["slots"]) == (7, 32)
    assert parameters["threshold"] == {"type": "MeanSigma", "k": 4.0}


def test_a_table_with_texts_scores_with_and_without_labels(run, people):
    assert run("fit", "knn", "people.csv", "--label", "kind", "--out", "model", "--quiet").code == 0
    assert run("score", "model", "people.csv", "--out", "a.csv", "--quiet").code == 0
    assert run("score", "model", "new.csv", "--out", "b.csv", "--quiet").code == 0
    assert (people / "a.csv").read_text() == (people / "b.csv").read_text()
    metrics = run("evaluate", "model", "people.csv", "--json").json["metrics"]
    assert metrics["prevalence"]["value"] == pytest.approx(0.2)
    assert metrics["auroc"]["value"] == pytest.approx(1)  # they are nine standard deviations away


def test_contributions_are_shown_written_and_in_json(run, people):
    run("fit", "knn", "people.csv", "--label", "kind", "--out", "model", "--quiet")
    shown = run("score", "model", "new.csv", "--explain")
    assert (shown.code, "contributions" in shown.out, "amount" in shown.out) == (0, True, True)
    rows = run("score", "model", "new.csv", "--explain", "--json").json["rows"]
    assert {row["top_1"] for row in rows[40:]} == {"amount"}  # nine standard deviations away
    assert all(row["contribution_1"] >= row["contribution_2"] >= row["contribution_3"] for row in rows)
    run("score", "model", "new.csv", "--explain", "--out", "s.csv")
    table = read_scores(people / "s.csv")
    assert table.top[0].name.tolist() == [row["top_1"] for row in rows]
    assert "top_1" not in run("score", "model", "new.csv", "--json").json["rows"][0]


def test_missing_and_reordered_columns_are_named(run, people):
    run("fit", "knn", "people.csv", "--label", "kind", "--out", "model", "--quiet")
    found = run("score", "model", "mixed.csv")
    assert (found.code, "columns in another order: column 1 is colour" in found.err) == (1, True)
    write_csv(people / "short.csv", ["age", "colour"], [[1, "red"]])
    found = run("score", "model", "short.csv")
    assert (found.code, "amount" in found.err) == (1, True)


def test_from_a_folder_of_images_to_heatmaps(run, tiles):
    assert run("fit", "ganomaly", "tiles", "--resize", 12, *TINY, "--out", "model", "--quiet").code == 0
    assert load("model").shape_ == (1, 12, 12)
    evaluated = run("evaluate", "model", "tiles", "--json")
    assert evaluated.json["metrics"]["n"]["value"] == 10
    scored = run("score", "model", "flat", "--heatmaps", "maps", "--json")
    assert [row["id"] for row in scored.json["rows"]] == ["0.png", "1.png", "2.png"]
    assert sorted(p.name for p in (tiles.parent / "maps").iterdir()) == ["0.png", "1.png", "2.png"]
    with Image.open(tiles.parent / "maps" / "0.png") as picture:
        assert picture.size == (12, 12)


def test_an_unreadable_image_is_named_and_can_be_left_out(run, tiles):
    (tiles / "train" / "good" / "broken.png").write_bytes(b"no image")
    found = run("fit", "mean-distance", "tiles")
    assert (found.code, "broken.png" in found.err, "--skip-bad" in found.err) == (1, True, True)
    assert run("fit", "mean-distance", "tiles", "--skip-bad").code == 0


def test_quiet_prints_nothing(run):
    for words in (("fit", "pca", "builtin:digits", "--out", "m"), ("score", "m", "builtin:digits"), ("threshold", "m")):
        found = run(*words, "--quiet")
        assert (found.code, found.out, found.err) == (0, "", "")


def test_json_is_one_document_and_nothing_else(run):
    words = [
        ("methods",),
        ("methods", "knn"),
        ("fit", "pca", "builtin:digits", "--out", "m"),
        ("score", "m", "builtin:digits"),
    ]
    for command in [*words, ("evaluate", "m", "builtin:digits"), ("threshold", "m")]:
        found = run(*command, "--json")
        assert (found.code, found.err) == (0, "")
        assert found.json


def test_report_needs_no_torch(run, python):
    folder = run("fit", "mean-distance", "builtin:breast-cancer", "--json").json["run"]
    code = f"import sys; from oddgan.cli import main; main(['report', {folder!r}]); sys.exit('torch' in sys.modules)"
    assert python("-c", code).returncode == 0


def test_a_killed_fit_goes_on_and_says_when_there_is_nothing_left(run):
    words = ("fit", "ganomaly", "builtin:breast-cancer", "--set", "epochs=1", "--out", "m", "--resume")
    assert run(*words).code == 0
    again = run(*words)
    assert (again.code, again.out) == (0, "m is finished already: there is nothing to resume.\n")
    assert run(*words, "--json").json == {"model": "m", "finished": True}


def test_an_interrupted_fit_with_checkpoints_says_how_to_go_on(run, monkeypatch, tmp_path):
    words = ("fit", "ganomaly", "builtin:breast-cancer", "--set", "epochs=1", "--out", "m", "--checkpoint-every", "1")
    with monkeypatch.context() as stopped:
        stopped.setattr(sys.modules["oddgan.tasks.fit"], "_shown", Mock(side_effect=KeyboardInterrupt))
        found = run(*words)
    assert found.code == 130
    assert found.err.endswith("oddgan: Interrupted: checkpoints are kept in m.ckpt; --resume continues from there.\n")
    assert run(*words, "--resume").code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"m", "runs"}


def test_a_model_is_trained_on(run):
    assert run("fit", "ganomaly", "builtin:breast-cancer", "--set", "epochs=1", "--out", "m").code == 0
    on = run("fit", "builtin:breast-cancer", "--continue", "m", "--epochs", 1, "--out", "n")
    assert (on.code, "note: 1 epoch on" in on.err) == (0, True)
    nothing = run("fit", "kde")
    assert (nothing.code, "What should kde learn from?" in nothing.err) == (2, True)


def test_a_huge_value_is_an_anomaly_for_the_command_and_for_predict(run, tmp_path):
    rows = np.random.default_rng(0).normal(size=(60, 3))
    new = rows[:4].copy()
    new[2, 1] = 1e60
    for name, table in (("train.csv", rows), ("new.csv", new)):
        write_csv(tmp_path / name, ["a", "b", "c"], table.tolist())
    assert run("fit", "autoencoder", "train.csv", "--set", "epochs=1", "--out", "m", "--quiet").code == 0
    told = run("score", "m", "new.csv", "--json").json["rows"]
    detector = load(tmp_path / "m")
    assert [row["is_anomaly"] for row in told] == (detector.predict(new) == -1).tolist()
    assert told[2]["is_anomaly"]
    assert max(told, key=lambda row: row["anomaly_score"]) is told[2]
    assert told[2]["p_value"] == pytest.approx(1 / (1 + len(detector.calibration_scores_)))
