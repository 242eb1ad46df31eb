"""`--trust-changes`: commands refuse a model that was edited, unless they are told that this was on purpose."""

import json
from pathlib import Path

import numpy as np
import pytest

from oddgan import KNN, options
from oddgan.options.fields import fields_of


@pytest.fixture
def edited(tmp_path):
    rows = np.random.default_rng(0).normal(size=(40, 3))
    np.savez("rows.npz", x=rows, y=np.arange(40) % 2)
    KNN(random_state=0).fit(rows).save("model")
    path = tmp_path / "model" / "detector.json"
    head = json.loads(path.read_text())
    head["fitted"]["offset_"] = -0.5
    path.write_text(json.dumps(head))
    return "model"


COMMANDS = {
    "threshold": (),
    "compose": (),
    "score": ("rows.npz",),
    "evaluate": ("rows.npz",),
    "profile": ("rows.npz",),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_refuse_changes_unless_trusted(run, edited, command):
    words = (command, edited, *COMMANDS[command])
    refused = run(*words)
    assert refused.code == 1
    assert "detector.json is damaged or has changed since the model was saved" in refused.err
    assert len(refused.err.strip().splitlines()) == 1
    assert run(*words, "--trust-changes").code == 0


def test_a_changed_model_is_sealed_again_when_it_is_written(run, edited):
    assert run("threshold", edited, "--rate", 0.2, "--out", "new", "--trust-changes").code == 0
    assert run("threshold", "new").code == 0
    assert Path("new/detector.json").is_file()


def test_every_command_with_a_model_has_the_option():
    specs = [value for name, value in vars(options).items() if name.endswith("Spec")]
    names = {cls: {field.name for field in fields_of(cls)} for cls in specs}
    assert sum("model" in found for found in names.values()) == 6
    assert not [cls for cls, found in names.items() if found & {"model", "onto"} and "trust_changes" not in found]
