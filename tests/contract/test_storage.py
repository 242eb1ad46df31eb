"""Copies of a fitted detector: in a new process, pickled, deep."""

import contextlib
import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from oddgan import load
from oddgan._core.parts import to_spec
from oddgan.families import EnsembleDetector

from .cases import CLASSES, KINDS, differences, fitted, make, normals, observe

LOADER = """
import sys
from pathlib import Path
import numpy as np
from oddgan import load
from contract.cases import normals, observe
for folder in map(Path, sys.argv[1:]):
    try:
        detector = load(folder)
        X = normals(folder.name.split("-")[1], 9, seed=1)
        seen = observe(detector, X) | {"predict": detector.predict(X)}
        np.savez(folder.parent / f"{folder.name}.npz", **{k.replace(" ", "+"): v for k, v in seen.items()})
    except Exception as error:
        print(folder.name, repr(error), file=sys.stderr)
"""


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory):
    """The folder where all detectors are saved and what one other process sees of them; and what it complains about."""
    root, saved = tmp_path_factory.mktemp("models"), []
    for name, kind in KINDS:
        with contextlib.suppress(Exception):  # a detector that can't be saved fails by itself, not the others
            saved.append(fitted(CLASSES[name], kind).save(root / f"{name}-{kind}"))
    path = [str(Path(__file__).parents[1]), *(p for p in sys.path if p)]
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{LOADER}", *map(str, saved)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return root, run.stderr


def test_new_process_sees_the_same(cls, kind, elsewhere):
    root, complaints = elsewhere
    stored = root / f"{cls.__name__}-{kind}.npz"
    assert stored.is_file(), complaints
    with np.load(stored) as file:
        seen = {k.replace("+", " "): file[k] for k in file.files}
    detector, X = fitted(cls, kind), normals(kind, 9, seed=1)
    assert differences(seen, observe(detector, X) | {"predict": detector.predict(X)}) == []


def test_load_gives_an_equal_detector(cls, tmp_path):
    detector = fitted(cls).set_threshold(rate=0.3)
    again = load(detector.save(tmp_path / "model"))
    assert type(again) is cls
    assert to_spec(again.get_params(deep=False), {}, "") == to_spec(detector.get_params(deep=False), {}, "")
    assert (again.rate_, again.threshold_rule_, again.shape_) == (0.3, detector.threshold_rule_, (5,))
    assert getattr(again, "history_", []) == getattr(detector, "history_", [])
    assert again.n_features_in_ == 5
    assert again.set_threshold(rate=0.1).threshold_ == detector.set_threshold(rate=0.1).threshold_
    # Loading again what a loaded model saves changes nothing.
    X = normals("table", 9, seed=1)
    third = load(again.save(tmp_path / "again"))
    assert differences(observe(third, X), observe(detector, X)) == []


def test_folder_holds_plain_files(cls, tmp_path):
    folder = fitted(cls).save(tmp_path / "model")
    names = {p.name for p in folder.iterdir() if not p.is_dir()}
    assert [p for p in folder.iterdir() if p.is_dir()] == [] or issubclass(cls, EnsembleDetector)
    assert names == {"detector.json", "networks.safetensors"}
    head = json.loads((folder / "detector.json").read_text())
    assert head["class"] == cls.__name__
    assert head["card"]["title"] == cls.card.title
    assert head["parameters"].keys() == make(cls).get_params(deep=False).keys()


def test_pickle_and_deepcopy(cls, kind):
    detector, X = fitted(cls, kind), normals(kind, 9, seed=1)
    before = observe(detector, X)
    for twin in (pickle.loads(pickle.dumps(detector)), copy.deepcopy(detector)):  # noqa: S301
        assert differences(observe(twin, X), before) == []
    twin.fit(normals(kind, 24, seed=3))
    assert differences(observe(detector, X), before) == []


def test_save_leaves_the_detector_alone(cls, tmp_path):
    detector, X = fitted(cls), normals("table", 9, seed=1)
    before = observe(detector, X)
    detector.save(tmp_path / "model")
    assert differences(observe(detector, X), before) == []
