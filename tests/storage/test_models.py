"""Models on disk that are not what they should be, and saving that fails midway."""

import errno
import json
import os
from dataclasses import is_dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from oddgan import (
    ARAE,
    InputError,
    inversion,
    load,
    networks,
    objectives,
    priors,
    scaling,
    scores,
    similarities,
    thresholds,
    training,
)
from oddgan._core.errors import ModelError
from oddgan.storage import known_parts
from oddgan.storage.digest import digests
from oddgan.training import Callback
from small_detectors import detector, table


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return detector().fit(table()).save(tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(whole, tmp_path):
    copy = tmp_path / "model"
    copy.mkdir()
    for file in whole.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    return copy


def edit(folder, change):
    """Change `detector.json`, and write its digests anew as an attacker would."""
    path = folder / "detector.json"
    head = json.loads(path.read_text())
    change(head)
    head["digest"] = digests(folder, head, path.name, ["networks.safetensors"])
    path.write_text(json.dumps(head))


def edit_tensors(folder, change):
    path = folder / "networks.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file({k: v.clone() for k, v in tensors.items()}, path)
    edit(folder, dict)


def refuses(folder, message):
    with pytest.raises(ModelError, match=message) as caught:
        load(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_whole_model_loads(folder):
    X = table(5, seed=1)
    assert np.array_equal(load(folder).anomaly_score(X), detector().fit(table()).anomaly_score(X))


def test_not_a_model(tmp_path):
    refuses(tmp_path / "nowhere", r"is not a model: it has no detector\.json\. `oddgan fit")
    refuses(tmp_path, "is not a model")
    (tmp_path / "file").write_text("")
    refuses(tmp_path / "file", "is not a model")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1}', "null", "\x00\x01", '"format class"', "3"])
def test_damaged_json(folder, text):
    (folder / "detector.json").write_text(text)
    refuses(folder, "is damaged|can't be loaded")


def test_json_that_is_not_text(folder):
    (folder / "detector.json").write_bytes(b"\xff\xfe\x00")
    refuses(folder, r"detector\.json is damaged")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ["detector.json", "networks.safetensors"])
def test_cut_short(folder, name, share):
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: int(share * len(data))])
    refuses(folder, rf"{name} is damaged")


def test_newer_format(folder):
    edit(folder, lambda head: head.update(format=3, versions={"oddgan": "9.9"}))
    refuses(folder, r"model format 3, but this version of oddgan \(.*\) reads formats 1 and 2: .*oddgan 9\.9; install")


def test_unknown_class(folder):
    edit(folder, lambda head: head.update({"class": "Oracle"}))
    refuses(folder, r"holds a 'Oracle', which is not known here: if .*\. Known: .*AnoGAN")


@pytest.mark.parametrize("name", ["os.system", "EventLog", "State", "TensorSource", "Detector", "__builtins__"])
def test_only_parts_can_be_named(folder, name):
    # Also nothing that lies in the same modules but is no part.
    edit(folder, lambda head: head["parameters"].update(optimiser={"type": name, "path": "x"}))
    refuses(folder, rf"Unknown part '{name}'")


def test_no_part_is_more_than_numbers():
    folders = (inversion, networks, objectives, priors, scaling, scores, similarities, thresholds, training)
    named = [getattr(folder, name) for folder in folders for name in folder.__all__]
    parts = {value for value in named if isinstance(value, type) and is_dataclass(value)}
    assert parts >= set(known_parts().values())
    assert len({part.__name__ for part in parts}) == len(parts)  # a file names them without their folder
    assert known_parts().keys().isdisjoint({"EventLog", "ProgressBar", "State", "Ema", "BatchSource", "DatasetSource"})


def test_unknown_parameter(folder):
    edit(folder, lambda head: head["parameters"].update(depth=3))
    refuses(folder, r"unknown parameters 'depth'; AutoEncoder takes .*latent_dim")


def test_part_with_an_unknown_argument(folder):
    edit(folder, lambda head: head["parameters"]["optimiser"].update(speed=3))
    refuses(folder, r"Adam can't be built from .*it takes lr, .*betas")


@pytest.mark.parametrize("key", ["parameters", "fitted", "history", "class", "format"])
def test_missing_section(folder, key):
    edit(folder, lambda head: head.pop(key))
    refuses(folder, key)


@pytest.mark.parametrize("key", ["parameters", "fitted", "history"])
@pytest.mark.parametrize("value", [[], 3, "text", None])
def test_section_of_another_type(folder, key, value):
    if key == "history" and value in ([], "text"):
        pytest.skip("a list is what history is")
    edit(folder, lambda head: head.update({key: value}))
    refuses(folder, "can't be loaded as AutoEncoder|is damaged")


@pytest.mark.parametrize(
    "key", ["shape_", "offset_", "calibration_scores_", "scaling_", "held_out_", "threshold_rule_"]
)
def test_missing_fitted_value(folder, key):
    edit(folder, lambda head: head["fitted"].pop(key))
    refuses(folder, key)


def test_missing_tensor_file(folder):
    (folder / "networks.safetensors").unlink()
    refuses(folder, r"lacks networks\.safetensors: copy the whole folder")


def test_missing_and_unknown_tensors(folder):
    def change(tensors):
        name = next(k for k in tensors if k.startswith("networks.encoder"))
        tensors["networks.spy"] = tensors.pop(name)

    edit_tensors(folder, change)
    refuses(folder, r"lacks encoder\..* and has unknown spy")


def test_missing_array(folder):
    edit_tensors(folder, lambda tensors: tensors.pop("fitted.calibration_scores_"))
    refuses(folder, r"lacks the array 'fitted\.calibration_scores_'")


def test_shape_mismatch(folder):
    edit(folder, lambda head: head["parameters"].update(latent_dim=7))
    refuses(folder, r"stored tensor .* has shape \(.*\), but these parameters need \(")


def test_existing_needs_force(folder):
    fitted, before = detector(epochs=2).fit(table()), (folder / "detector.json").read_bytes()
    with pytest.raises(InputError, match=r"exists already: .*force=True"):
        fitted.save(folder)
    assert (folder / "detector.json").read_bytes() == before
    fitted.save(folder, force=True)
    assert load(folder).epochs == 2


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("failing", ["write_text", "write_bytes"])
def test_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch, failing, existing):
    fitted, target = detector().fit(table()), tmp_path / "model"
    if existing:
        fitted.save(target)
    before = sorted(p.name for p in tmp_path.rglob("*"))

    def full(self, *_args, **_settings):
        self.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, failing, full)
        with pytest.raises(InputError, match=r"No space left on the disk for .*model"):
            fitted.save(target, force=True)
    assert sorted(p.name for p in tmp_path.rglob("*")) == before
    if existing:
        load(target)


def test_interrupted_fit_leaves_nothing(tmp_path):
    class Stop(Callback):
        def epoch_ended(self, state, record):
            raise KeyboardInterrupt

    unfinished = detector()
    with pytest.raises(KeyboardInterrupt):
        unfinished.fit(table(), callbacks=[Stop()])
    with pytest.raises(Exception, match="not fitted"):
        unfinished.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_stored(tmp_path):
    fitted = detector(device="cpu", random_state=np.random.RandomState(1)).fit(table())
    again = load(fitted.save(tmp_path / "model"))
    assert again.device is None
    assert again.random_state is None
    assert load(tmp_path / "model", device="cpu").device == "cpu"


def test_weights_are_stored_once_and_named(folder):
    tensors = load_file(folder / "networks.safetensors")
    assert all(isinstance(v, torch.Tensor) for v in tensors.values())
    assert {k.split(".")[0] for k in tensors} == {"networks", "fitted"}
    assert tensors["fitted.calibration_scores_"].dtype == torch.float64


def test_a_parameter_that_was_called_something_else_is_read(tmp_path):
    X = table()
    fitted = ARAE(**ARAE.tiny, random_state=0).fit(X)
    folder = fitted.save(tmp_path / "model")

    def before(head):
        head["parameters"]["steps"] = head["parameters"].pop("attack_steps")

    edit(folder, before)
    again = load(folder)
    assert (again.attack_steps, again.steps) == (fitted.attack_steps, None)
    assert np.array_equal(again.anomaly_score(X), fitted.anomaly_score(X))
