import json

import numpy as np
import pytest

from oddgan import load
from oddgan._core.errors import InputError
from oddgan.data import Options
from oddgan.evaluate import read_run
from oddgan.tasks import FitSpec, UsageError, finished, fit
from oddgan.tasks.resume import checkpoint_folder
from oddgan.training import Callback

SETTINGS = {"epochs": 4, "latent_dim": 2, "batch_size": 16}


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "table.npz", X=rng.normal(size=(90, 4)), y=np.repeat([0, 1], [80, 10]))
    return str(tmp_path / "table.npz")


@pytest.fixture
def spec(table, tmp_path):
    def make(**changed):
        given = {"method": "autoencoder", "source": table, "settings": SETTINGS, "runs": tmp_path / "runs"}
        return FitSpec(**given | {"out": tmp_path / "model"} | changed)

    return make


class Stop(Callback):
    def iteration_ended(self, state):
        if state.clock.iteration == 9:
            raise KeyboardInterrupt


def interrupted(spec):
    with pytest.raises(KeyboardInterrupt):
        fit(spec(checkpoint_every="2"), callbacks=[Stop()])


def test_a_fit_goes_on_and_leaves_no_checkpoints(spec, tmp_path):
    whole = fit(spec(out=tmp_path / "whole"))
    interrupted(spec)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.ckpt", "runs", "table.npz", "whole"]
    made = fit(spec(resume=True))
    a, b = ((model / "networks.safetensors").read_bytes() for model in (whole.model, made.model))
    assert a == b
    assert not checkpoint_folder(made.model).exists()
    assert [e.epoch for e in read_run(made.run).epochs] == [1, 2, 3, 4]


def test_what_is_finished_is_said_to_be(spec):
    assert not finished(spec(resume=True))
    fit(spec())
    assert finished(spec(resume=True))
    assert not finished(spec(resume=True, force=True))
    with pytest.raises(InputError, match="model exists already and is not what this fit makes"):
        finished(spec(resume=True, settings=SETTINGS | {"epochs": 5}))
    with pytest.raises(InputError, match="not what this fit makes"):
        finished(spec(resume=True, method="pca", settings={}))


def test_force_starts_anew(spec):
    interrupted(spec)
    with pytest.raises(InputError, match="holds checkpoints of a training that has begun"):
        fit(spec(checkpoint_every="1h"))
    fit(spec(checkpoint_every="1h", force=True))


@pytest.mark.parametrize("text", ["0", "2.5", "often", "-3", "3d"])
def test_how_often(spec, text):
    with pytest.raises(UsageError, match="--checkpoint-every takes steps or a time"):
        fit(spec(checkpoint_every=text))


def test_checkpoints_need_a_place(spec):
    with pytest.raises(UsageError, match="name its folder with --out"):
        fit(spec(out=None, resume=True))


def test_a_model_goes_on(spec, table, tmp_path):
    first = fit(spec())
    old = json.loads((first.model / "detector.json").read_text())
    made = fit(FitSpec(method="", source=table, onto=first.model, epochs=2, out=tmp_path / "new", runs=tmp_path / "r"))
    assert len(made.detector.history_) == 6
    assert made.info.method.name == "AutoEncoder"
    assert any("2 epochs on 64 new rows: threshold" in note for note in made.info.notes)
    loaded = load(tmp_path / "new")
    assert loaded.threshold_ != first.detector.threshold_
    assert loaded.reading_["n_train"] == 2 * first.detector.reading_["n_train"]
    assert json.loads((first.model / "detector.json").read_text()) == old
    fit(FitSpec(method="", source=table, onto=first.model, epochs=1, force=True, runs=tmp_path / "r"))
    assert len(load(first.model).history_) == 5


def test_what_cannot_go_on(spec, table, tmp_path):
    first = fit(spec())
    fit(spec(method="pca", settings={}, out=tmp_path / "pca"))
    go = {"method": "", "source": table, "runs": tmp_path / "runs"}
    with pytest.raises(UsageError, match="takes the model's own parameters: leave settings, seed out"):
        fit(FitSpec(**go, onto=first.model, out=tmp_path / "x", settings={"epochs": 3}, seed=1))
    with pytest.raises(UsageError, match="Give --out FOLDER, or --force"):
        fit(FitSpec(**go, onto=first.model))
    with pytest.raises(UsageError, match="PCA is fitted at once and can't be trained on"):
        fit(FitSpec(**go, onto=tmp_path / "pca", out=tmp_path / "x"))
    first.detector.reading_ = None
    first.detector.save(tmp_path / "by-hand")
    with pytest.raises(InputError, match="continue with partial_fit in Python"):
        fit(FitSpec(**go, onto=tmp_path / "by-hand", out=tmp_path / "x", options=Options()))
