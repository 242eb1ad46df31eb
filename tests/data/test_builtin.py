import dataclasses
import hashlib
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from oddgan import InputError
from oddgan.data import BUILTIN, EcgOptions, Options, is_anomaly, read

ROOT = Path(__file__).parents[2]
PUBLISHED = Options(ecg=EcgOptions(cut="beat-to-beat"))
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
    assert (train.kind, train.x.shape, test.x.shape) == ("series", (1260, 4, 108), (996, 4, 108))
    assert np.bincount(train.y).tolist() == [1260]
    assert np.bincount(test.y).tolist() == [660, 143, 159, 34]
    patients = [{name.split("/")[0] for name in dataset.ids} for dataset in (train, test)]
    assert [len(p) for p in patients] == [21, 22]
    assert not patients[0] & patients[1]
    assert "201" not in patients[0]  # the same person as 202


def test_heartbeats_in_the_published_cut_fill_0_to_1():
    train = read("builtin:ecg", PUBLISHED)
    assert train.x.shape == (1260, 1, 187)
    assert (train.x.min(), train.x.max()) == (0, 1)
    assert (train.x.max(axis=(1, 2)) > 0.5).all()


def test_windows_hold_what_differs_from_the_patients_own_beat_and_the_rhythm():
    train, test = both("ecg")
    for x in (train.x, test.x):
        assert abs(np.median(x[:, 0])) < 0.02
        assert (x[:, 1:] == x[:, 1:, :1]).all()
        assert (x[:, 1:].min(), x[:, 1:].max() <= 1) > (0, False)
    early = {1: "S", 2: "V"}  # beats of these classes come too soon
    relative = [np.median(test.x[test.y == label, 3]) for label in (0, *early)]
    assert relative[0] == pytest.approx(0.5, abs=0.01)
    assert max(relative[1:]) < 0.45


def test_a_model_gets_the_beats_that_it_knows():
    fitted = read("builtin:ecg", PUBLISHED).reading
    assert fitted.ecg == PUBLISHED.ecg
    earlier = dataclasses.replace(fitted, ecg=None)  # built-in beats had one cut, and models kept none
    for like in (fitted, earlier, dataclasses.replace(fitted, ecg=EcgOptions(cut="beat-to-beat", lead="MLII"))):
        assert read("builtin:ecg", like=like).x.shape[1:] == (1, 187)
    assert read("builtin:ecg", like=read("builtin:ecg").reading).x.shape[1:] == (4, 108)


def test_at_random_the_detector_knows_its_patients():
    train = read("builtin:ecg", Options(protocol="random"))
    test = read("builtin:ecg", like=train.reading, default_split="test")
    patientwise = both("ecg")
    assert train.reading.protocol == test.reading.protocol == "random"
    assert patientwise[0].reading.protocol == "patient-wise"
    assert set(train.y) == {0}
    assert len(train) == round(0.7 * (1260 + 660))
    assert np.bincount(test.y).tolist() == [1920 - len(train), 143, 159, 34]
    assert not set(train.ids) & set(test.ids)
    assert set(train.ids) | set(test.ids) == set(patientwise[0].ids) | set(patientwise[1].ids)
    patients = [{name.split("/")[0] for name in dataset.ids} for dataset in (train, test)]
    assert patients[0] == patients[1]
    with pytest.raises(InputError, match=r"protocol of builtin:ecg.*patient-wise"):
        read("builtin:ecg", Options(protocol="ecgan"))


@pytest.mark.parametrize("name", ["ecg", "ECG"])
@pytest.mark.parametrize("ecg", [EcgOptions(lead="V1"), EcgOptions(cut="beatgan")])
def test_other_cuts_are_refused(name, ecg):
    with pytest.raises(InputError, match="has beats in two cuts, the default one and --ecg cut=beat-to-beat"):
        read(f"builtin:{name}", Options(ecg=ecg))


def test_the_licence_is_beside_the_heartbeats():
    text = (ROOT / "src" / "oddgan" / "data" / "files" / "ecg.LICENSE.txt").read_text()
    assert "Open Data Commons Attribution License" in text
    assert "Moody" in text


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "mitdb" / "100.hea").exists(), reason="ODDGAN_DATA has no mitdb")
@pytest.mark.parametrize("name", ["ecg.npz", "ecg-windows.npz"])
def test_cutting_again_gives_the_same_file(tmp_path, name):
    spec = importlib.util.spec_from_file_location("cut_ecg", ROOT / "examples" / "cut_ecg.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cut = module.choose(DATA / "mitdb", module.FILES[name])
    shipped = np.load(module.OUT / name, allow_pickle=False)
    assert set(cut) == set(shipped.files)
    assert all((cut[key] == shipped[key]).all() and cut[key].dtype == shipped[key].dtype for key in cut)
    sums = []
    for each in ("a", "b"):
        np.savez_compressed(tmp_path / each, **cut)
        sums.append(hashlib.sha256((tmp_path / f"{each}.npz").read_bytes()).hexdigest())
    assert sums[0] == sums[1]


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "mitdb" / "100.hea").exists(), reason="ODDGAN_DATA has no mitdb")
def test_windows_are_those_of_the_records():
    shipped = both("ecg")[1]
    record = np.array([name.split("/")[0] == "200" for name in shipped.ids])
    cut = read(DATA / "mitdb" / "200", like=shipped.reading)
    rows = [cut.ids.tolist().index(name) for name in shipped.ids[record]]
    assert (cut.x[rows] == shipped.x[record]).all()
