"""What `fit` and the scoring methods take: every container gives the same fit, and frames keep their names."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from oddgan import InputError, load

from .cases import differences, fitted, make, normals, observe

NAMES = ["age", "height", "weight", "pulse", "pressure"]


class Rows:
    """A map-style dataset that gives a sample and a label."""

    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return torch.from_numpy(self.X[i]), 0


TABLES = {
    "list": lambda X: X.tolist(),
    "tensor": torch.from_numpy,
    "pandas": lambda X: pd.DataFrame(X, columns=NAMES),
    "polars": lambda X: pl.DataFrame(X, schema=NAMES),
}


@pytest.mark.parametrize("container", TABLES)
def test_tables(cls, container):
    X, new = normals("table", 24), normals("table", 9, seed=1)
    convert = TABLES[container]
    detector = make(cls, slots=7).fit(convert(X))
    assert differences(observe(detector, convert(new)), observe(fitted(cls), new)) == []


def test_tensors_and_lists(cls, kind):
    X, new = normals(kind, 24), normals(kind, 9, seed=1)
    expected = observe(fitted(cls, kind), new)
    for convert in (torch.from_numpy, np.ndarray.tolist):
        assert differences(observe(make(cls, slots=7).fit(convert(X)), convert(new)), expected) == []


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_frames_keep_names(cls, frame, tmp_path):
    X = dict(zip(NAMES, normals("table", 24).T, strict=True))
    fresh = make(cls).fit(frame(X))
    for detector in (fresh, load(fresh.save(tmp_path / "model"))):
        assert detector.feature_names_in_.tolist() == NAMES
        assert detector.n_features_in_ == 5
        with pytest.raises(ValueError, match=r"order|Feature names"):
            detector.anomaly_score(frame({k: X[k] for k in reversed(NAMES)}))
        with pytest.raises(ValueError, match="pulse"):
            detector.anomaly_score(frame({k: v for k, v in X.items() if k != "pulse"}))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_text_columns_are_named(cls, frame):
    with pytest.raises(InputError, match=r"not hold numbers: 'town'"):
        make(cls).fit(frame({"age": [1.0, 2.0], "town": ["a", "b"]}))


def test_datasets(neural, kind):
    X, new = normals(kind, 24), normals(kind, 9, seed=1)
    detector = make(neural, slots=7).fit(Rows(X))
    assert differences(observe(detector, new), observe(fitted(neural, kind), new)) == []
    assert np.array_equal(detector.anomaly_score(Rows(new)), detector.anomaly_score(new))


def test_datasets_with_held_out_rows(neural):
    X = normals("table", 40)
    one, other = (make(neural, calibration=0.3).fit(rows) for rows in (X, Rows(X)))
    assert differences(observe(one, X), observe(other, X)) == []


def test_datasets_need_memory(classical):
    with pytest.raises(InputError, match=r"in memory.*array"):
        make(classical).fit(Rows(normals("table", 24)))


def test_wrong_shape_at_score_time(cls, kind):
    detector, X = fitted(cls, kind), normals(kind, 3)
    with pytest.raises(ValueError, match=cls.__name__):
        detector.anomaly_score(np.concatenate([X, X], axis=-1))
    with pytest.raises(ValueError, match=r"shape|dimension"):
        detector.anomaly_score(X[..., None])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_values_are_refused(cls, kind, bad):
    X = normals(kind, 9)
    X[[2, 5]] = bad
    for call in (make(cls).fit, fitted(cls, kind).anomaly_score):
        with pytest.raises(InputError, match=r"2 of 9 rows hold NaN or infinity \(rows 2, 5\)"):
            call(X)
