import hashlib
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from oddgan.data import BUILTIN, is_anomaly, read

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("ODDGAN_DATA", ROOT.parent / "shared" / "data"))


def both(name):
    return read(f"builtin:{name}"), read(f"builtin:{name}", default_split="test")


@pytest.mark.parametrize("name", BUILTIN)
def test_the_splits_share_no_row(name):
    train, test = both(name)
    assert (train.reading.split, test.reading.split) == ("train", "test")
    assert not set(train.ids) & set(test.ids)
    assert len(set(train.ids)) == len(train)
    assert (~is_anomaly(train.y)).sum() >= 100


def test_digits_are_scikit_learns():
    train, test = both("digits")
    assert (train.kind, train.x.shape[1:], train.x.dtype, train.x.max()) == ("image", (1, 8, 8), np.uint8, 16)
    assert len(train) + len(test) == 1797
    source = load_digits()
    rows = test.ids.astype(int)
    assert (test.x[:, 0] == source.images[rows]).all()
    assert (test.y == source.target[rows]).all()
    shares = np.bincount(train.y) / np.bincount(source.target)
    assert shares == pytest.approx(0.7, abs=0.01)


def test_malignant_is_the_anomaly():
    train, test = both("breast-cancer")
    assert (train.kind, train.x.shape[1], train.columns[0]) == ("table", 30, "mean radius")
    assert len(train) + len(test) == 569
    source = load_breast_cancer()
    rows = test.ids.astype(int)
    assert (test.x == source.data[rows]).all()
    assert (is_anomaly(test.y) == (source.target_names[source.target[rows]] == "malignant")).all()


def test_heartbeats_are_split_by_patient():
    train, test = both("ecg")
    assert (train.kind, train.x.shape, test.x.shape) == ("series", (1260, 1, 187), (1010, 1, 187))
    assert np.bincount(train.y).tolist() == [1260]
    assert np.bincount(test.y).tolist() == [660, 148, 161, 41]
    patients = [{name.split("/")[0] for name in dataset.ids} for dataset in (train, test)]
    assert [len(p) for p in patients] == [21, 22]
    assert not patients[0] & patients[1]
    assert "201" not in patients[0]  # the same person as 202


def test_heartbeats_fill_0_to_1():
    train, _ = both("ecg")
    assert (train.x.min(), train.x.max()) == (0, 1)
    assert (train.x.max(axis=(1, 2)) > 0.5).all()


def test_the_licence_is_beside_the_heartbeats():
    text = (ROOT / "src" / "oddgan" / "data" / "files" / "ecg.LICENSE.txt").read_text()
    assert "Open Data Commons Attribution License" in text
    assert "Moody" in text


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "mitdb" / "100.hea").exists(), reason="ODDGAN_DATA has no mitdb")
def test_cutting_again_gives_the_same_file(tmp_path):
    spec = importlib.util.spec_from_file_location("cut_ecg", ROOT / "examples" / "cut_ecg.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cut = module.choose(DATA / "mitdb")
    shipped = np.load(module.OUT, allow_pickle=False)
    assert set(cut) == set(shipped.files)
    assert all((cut[key] == shipped[key]).all() and cut[key].dtype == shipped[key].dtype for key in cut)
    sums = []
    for name in ("a", "b"):
        np.savez_compressed(tmp_path / name, **cut)
        sums.append(hashlib.sha256((tmp_path / f"{name}.npz").read_bytes()).hexdigest())
    assert sums[0] == sums[1]
