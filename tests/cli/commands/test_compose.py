"""The command that composes, with those that show what it did."""

import pytest

from oddgan import load
from oddgan.evaluate import read_run

SVM = ("--set", "composition=SVM", "--set", "composition.kernel=linear")
NAMES = ("--set", "composition.components=residual,latent")


@pytest.fixture
def model(run):
    tiny = ("--set", "epochs=1", "--set", "latent_dim=4", "--set", "backbone.image.width=4")
    assert run("fit", "ganomaly", "builtin:digits", "--normal", 3, *tiny, "--out", "model", "--quiet").code == 0
    return "model"


def test_from_labels_to_a_marked_report(run, model, tmp_path):
    shown = run("compose", model)
    assert (shown.code, "score   WeightedSum(latent=1.0)" in shown.out) == (0, True)
    assert "has     critic, critic_centred, " in shown.out
    assert "Semi-supervised" not in shown.out

    words = ("compose", model, "builtin:digits", *SVM, *NAMES, "--share", 0.5, "--tune", "mcc", "--out", "composed")
    done = run(*words)
    assert done.code == 0
    assert "now     SVM(components=[residual, latent], kernel=linear)" in done.out
    assert "chosen as the best for labelled rows" in done.out
    marked = "Semi-supervised: the composition (SVM) and the threshold were chosen with labels of anomalies."
    assert marked in done.out
    assert load("composed").semi_supervised_

    for command in (
        ("compose", "composed"),
        ("threshold", "composed"),
        ("score", "composed", "builtin:digits"),
        ("evaluate", "composed", "builtin:digits"),
    ):
        assert marked in run(*command).out, command
        found = run(*command, "--json").json
        assert found["semi_supervised"], command
        assert found["composition"]["text"].startswith("SVM("), command
    info = read_run(found["run"]).info
    assert info.semi_supervised
    assert marked in (tmp_path / found["report"]).read_text()


def test_weights_are_shown(run, model):
    grid = ("--set", "composition=GridSearch", "--set", "composition.step=0.5", *NAMES)
    found = run("compose", model, "builtin:digits", *grid, "--share", 0.5, "--out", "composed")
    weights = load("composed").composition_.weights
    assert f"uses    residual ({weights[0]:g}), latent ({weights[1]:g})" in found.out
    assert "weights" in run("compose", "composed", "--json").json["after"]


def test_without_labels_nothing_is_marked(run, model):
    words = ("compose", model, "--set", "composition=RankAverage", *NAMES, "--out", "ranks")
    found = run(*words, "--json").json
    assert (found["semi_supervised"], found["labelled"]) == (False, 0)
    assert "Semi-supervised" not in run("evaluate", "ranks", "builtin:digits").out
    assert run("compose", model, *SVM, "--out", "nothing").code == 2


def test_a_share_is_above_0_and_at_most_1(run, model):
    found = run("compose", model, "builtin:digits", *SVM, "--share", 2, "--out", "x")
    assert (found.code, "--share is 2.0" in found.err) == (2, True)
