"""The package that the page builds, written to files and installed: listed and loaded by its entry point."""

import tomllib

import numpy as np
import pytest

from oddgan import detectors

from .conftest import DOCS, blocks_of

BLOCKS = blocks_of((DOCS / "adding-a-method.md").read_text(encoding="utf-8"))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    project = tomllib.loads(next(b.code for b in BLOCKS if b.language == "toml"))["project"]
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["oddgan.detectors"]
    lines = ["[oddgan.detectors]", *(f"{name} = {target}" for name, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "critic_score.py").write_text(next(b.code for b in BLOCKS if "class CriticScore" in b.code))
    monkeypatch.syspath_prepend(tmp_path)
    detectors._registered.cache_clear()
    yield
    detectors._registered.cache_clear()


@pytest.mark.usefixtures("installed")
def test_it_is_listed_and_loaded_without_its_class(tmp_path):
    assert detectors.left_out() == []
    assert {"class": "CriticScore", "year": 2014}.items() <= next(
        row.items() for row in detectors.method_rows() if row["class"] == "CriticScore"
    )
    cls, X = detectors.classes()["CriticScore"], np.random.default_rng(0).normal(size=(20, 3))
    detector = cls(**cls.tiny, random_state=0).fit(X)
    again = detectors.load(detector.save(tmp_path / "model"))
    assert type(again) is cls
    assert np.array_equal(again.anomaly_score(X), detector.anomaly_score(X))
