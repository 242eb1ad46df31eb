"""Fits and scores of data that stay in files are those of data in memory."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from oddgan import load
from oddgan._core import memmap
from oddgan._core.memmap import Mapped
from oddgan.data import Options, read
from oddgan.evaluate import read_scores
from oddgan.families import sources
from oddgan.tasks import FitSpec, ScoreSpec, fit, score
from oddgan.tasks.models import row_marks
from oddgan.tasks.partial_scores import Origin

SETTINGS = {"epochs": 1, "latent_dim": 2, "backbone": {"type": "FlatMLP", "hidden": [4]}}


@pytest.fixture
def tiles(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(40):
        path = tmp_path / "tiles" / ("good" if i % 4 else "bad") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(path)
    return tmp_path / "tiles"


def test_fit_and_score_of_a_mapped_folder(tiles, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "STAGED", 0)
    monkeypatch.setattr(memmap, "MOST_ROWS", 7)
    for name, options in (("memory", Options()), ("file", Options(mapped=True))):
        spec = {"method": "autoencoder", "source": str(tiles), "settings": SETTINGS}
        info = fit(FitSpec(**spec, options=options, out=tmp_path / name)).info
        assert (info.data.dropped, info.data.n_train, info.data.n_calibration) == (10, 24, 6)
        out = tmp_path / f"{name}.csv"
        score(ScoreSpec(model=tmp_path / name, source=str(tiles), options=options, out=out))
    a, b = (load(tmp_path / name) for name in ("memory", "file"))
    assert all((v == b.networks_.state_dict()[k]).all() for k, v in a.networks_.state_dict().items())
    assert a.offset_ == b.offset_
    assert a.reading_["map_scale"] == b.reading_["map_scale"]
    assert a.reading_["reading"] == b.reading_["reading"]  # how much fits into memory is no matter of the model
    np.testing.assert_array_equal(a.reading_["trained"], b.reading_["trained"])
    one, two = (read_scores(tmp_path / f"{name}.csv") for name in ("memory", "file"))
    np.testing.assert_array_equal(one.anomaly_score, two.anomaly_score)
    np.testing.assert_array_equal(one.id, two.id)


def test_rows_are_known_again(tiles):
    data, there = (read(tiles, Options(mapped=m)) for m in (False, True))
    assert isinstance(there.x, Mapped)
    marks = row_marks(there)
    np.testing.assert_array_equal(marks, row_marks(data))
    pair = f"{data.ids[3]}\n".encode() + data.x[3].tobytes()
    assert marks[3].tobytes() == hashlib.blake2b(pair, digest_size=8).digest()
    origin = Origin.of("model", there, "cpu", 64)
    assert origin == Origin.of("model", data, "cpu", 64)
    whole = f"{data.x.shape}{data.x.dtype.str}".encode() + "\0".join(data.ids).encode() + data.x.tobytes()
    assert origin.data == hashlib.sha256(whole).hexdigest()
