"""Models that earlier versions wrote load, and everything that can be seen of them is as it was.

On the kind of processor that made the archives the bits are equal (`ODDGAN_GOLDEN=exact` asks for that); another one
rounds matrix products differently, and a search in latent space makes more of it.
"""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from oddgan import load

from .make import seen_of

ARCHIVES = sorted(Path(__file__).parent.glob("format-*/*.zip"))
EXACT = os.environ.get("ODDGAN_GOLDEN") == "exact"
TOLERANCE = {"rtol": 0.0, "atol": 0.0} if EXACT else {"rtol": 1e-3, "atol": 1e-3}


def test_all_kinds_are_there():
    assert len(ARCHIVES) >= 99


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_old_model_scores_as_it_did(archive, tmp_path):
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path)
        with np.load(io.BytesIO(file.read("seen.npz"))) as table:
            expected = {name.replace("+", " "): table[name] for name in table.files}
    seen = seen_of(load(tmp_path / "model"), expected.pop("X"))
    assert seen.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(seen[name], values, err_msg=name, **TOLERANCE)
