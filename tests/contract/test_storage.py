"""Copies of a fitted detector in a new process, and pickled."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from .cases import CLASSES, FEW, KINDS, differences, fitted, normals, observe

LOADER = """
import sys
from pathlib import Path
import numpy as np
from oddgan import load
from oddgan.testing.subject import normals, observe
for folder in map(Path, sys.argv[1:]):
    try:
        detector = load(folder)
        X = normals(folder.name.split("-")[1], 9, seed=1)
        seen = observe(detector, X) | {"predict": detector.predict(X)}
        np.savez(folder.parent / f"{folder.name}.npz", **{k.replace(" ", "+"): v for k, v in seen.items()})
    except Exception as error:
        print(folder.name, repr(error), file=sys.stderr)
"""


def test_new_process_sees_the_same(tmp_path):
    # One process for all detectors and kinds of data: importing takes longer than loading.
    detectors = {f"{name}-{kind}": fitted(CLASSES[name], kind) for name, kind in KINDS}
    folders = [detector.save(tmp_path / name) for name, detector in detectors.items()]
    path = [p for p in sys.path if p]
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{LOADER}", *map(str, folders)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stderr == ""
    different = {}
    for name, detector in detectors.items():
        with np.load(tmp_path / f"{name}.npz") as file:
            seen = {k.replace("+", " "): file[k] for k in file.files}
        X = normals(name.split("-")[1], 9, seed=1)
        different[name] = differences(seen, observe(detector, X) | {"predict": detector.predict(X)})
    assert {name: what for name, what in different.items() if what} == {}


@pytest.mark.parametrize(("name", "kind"), [pair for pair in KINDS if pair[0] in FEW])
def test_pickled_copies_are_equal(name, kind):
    detector, X = fitted(CLASSES[name], kind), normals(kind, 9, seed=1)
    twin = pickle.loads(pickle.dumps(detector))  # noqa: S301
    assert differences(observe(twin, X), observe(detector, X)) == []
