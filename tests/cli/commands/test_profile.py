"""`oddgan profile` end to end."""

import json

TINY = ("--set", "epochs=1", "--set", "latent_dim=4", "--set", "backbone.image.width=4")


def test_profile_shows_stages_machine_and_floor(run):
    assert run("fit", "ganomaly", "builtin:digits", "--normal", "3", *TINY, "--out", "m").code == 0
    shown = run("profile", "m", "builtin:digits", "--rows", "30").out
    assert "encoder: forward" in shown
    assert "GFLOP/s in fp32" in shown
    assert "the machine needs at least" in shown
    found = run("profile", "m", "builtin:digits", "--rows", "30", "--json").json
    assert found["rows"] == 30
    assert found["times_floor"] == found["seconds"] / found["floor"]
    assert json.dumps(found)


def test_wrong_use_is_one_sentence(run):
    failed = run("profile", "nowhere", "builtin:digits")
    assert failed.code == 1
    assert "is not a model" in failed.err
    assert run("profile", "nowhere", "builtin:digits", "--rows", "0").code == 2
