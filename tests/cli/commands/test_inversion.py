"""The command that changes how a model finds latent points, with those that use what it made."""

import pytest

from oddgan import load

CELLS = "builtin:breast-cancer"
BOX = (
    *("--set", "inversion.restriction=Projected"),
    *("--set", "inversion.restriction.support=TruncatedNormal"),
    *("--set", "inversion.restriction.support.limit=0.5"),
)


@pytest.fixture
def model(run):
    tiny = ("--set", "epochs=1", "--set", "latent_dim=3", "--set", "inversion.n_max=3")
    assert run("fit", "anogan", CELLS, *tiny, "--out", "model", "--quiet").code == 0
    return "model"


def test_from_a_look_to_a_restricted_model(run, model):
    shown = run("inversion", model)
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0] == "finds   LatentSearch(n_max=3, optimiser=LatentAdam(lr=0.1))"
    assert lines[1].startswith("        threshold ")
    assert "  inversion.n_max = 3" in lines
    assert "  inversion.restriction = none" in lines

    done = run("inversion", model, CELLS, *BOX, "--out", "boxed")
    assert done.code == 0
    before, was, now, threshold, flagged, written = done.out.splitlines()
    assert before == "before  LatentSearch(n_max=3, optimiser=LatentAdam(lr=0.1))"
    assert now.startswith("now     LatentSearch(n_max=3, optimiser=LatentAdam(lr=0.1), restriction=Projected(")
    assert was != threshold
    assert threshold.endswith("Conformal on the scores of 50 held-out normals, to flag 10 % of normals")
    assert (flagged.startswith("flagged "), flagged.split(" of ")[1][:14]) == (True, "50 normal rows")
    assert written == "model   boxed"
    assert "note: 200 rows were left out: the model was trained on them.\n" in done.err

    changed = load("boxed")
    assert f"threshold {changed.threshold_:.6g}" in threshold
    assert run("score", "boxed", CELLS, "--json").json["threshold"] == changed.threshold_
    assert run("evaluate", "boxed", CELLS).code == 0
    assert run("inversion", "boxed").out.splitlines()[0] == now.replace("now  ", "finds")


def test_the_same_for_programs(run, model):
    found = run("inversion", model, "--json").json
    assert (found["before"], found["model"], found["rows"]) == (found["after"], None, 0)
    assert {row["name"]: row["default"] for row in found["fields"]}.items() >= {"inversion.eps": "0.0"}.items()
    found = run("inversion", model, CELLS, *BOX, "--force", "--json").json
    assert found["before"]["inversion"]["restriction"] is None
    assert found["after"]["inversion"]["restriction"]["support"] == {"type": "TruncatedNormal", "limit": 0.5}
    assert found["after"]["threshold"]["value"] == load(model).threshold_
    assert (found["rows"], found["model"], found["semi_supervised"]) == (50, "model", False)
    assert 0 <= found["after"]["flagged"] <= 0.1


def test_wrong_use_is_told_in_a_sentence(run, model):
    for words, text in (
        ((model, CELLS), "There is nothing to change: say what, e.g. --set inversion.restriction=Projected."),
        ((model, *BOX, "--force"), "name normal rows after the model"),
        ((model, CELLS, *BOX), f"This changes {model}: give --out FOLDER, or --force"),
        ((model, CELLS, "--set", "inversion=Hybrid", "--force"), "Unknown inversion 'Hybrid'. Known: LatentSearch."),
    ):
        found = run("inversion", *words)
        assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
        assert text in found.err
    assert run("fit", "kde", CELLS, "--out", "kde", "--quiet").code == 0
    found = run("inversion", "kde", CELLS, *BOX, "--out", "boxed")
    assert (found.code, found.err) == (
        2,
        "oddgan: KDE inverts no generator: give a model of a method that does (ADGAN, AnoGAN, FAnoGAN).\n",
    )
