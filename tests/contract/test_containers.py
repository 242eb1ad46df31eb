"""What `fit` and the scoring methods take beside arrays: data frames keep their names, data sets hold rows out."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from oddgan import InputError, load
from oddgan.families import ClassicalDetector, NeuralDetector
from oddgan.testing.inputs import Rows

from .cases import FEW, differences, fitted, make, normals, observe

NAMES = ["age", "height", "weight", "pulse", "pressure"]
FRAMES = {
    "pandas": lambda X: pd.DataFrame(X, columns=NAMES),
    "polars": lambda X: pl.DataFrame(X, schema=NAMES),
}
each = pytest.mark.parametrize("cls", FEW.values(), ids=FEW)
each_frame = pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)


@each
@each_frame
def test_frames_give_the_same_fit_and_keep_names(cls, frame, tmp_path):
    X, new = normals("table", 24), normals("table", 9, seed=1)
    fresh = make(cls, slots=7).fit(frame(X))
    assert differences(observe(fresh, frame(new)), observe(fitted(cls), new)) == []
    for detector in (fresh, load(fresh.save(tmp_path / "model"))):
        assert detector.feature_names_in_.tolist() == NAMES
        assert detector.n_features_in_ == 5
        with pytest.raises(ValueError, match=r"order|Feature names"):
            detector.anomaly_score(frame(X)[NAMES[::-1]])
        with pytest.raises(ValueError, match="pulse"):
            detector.anomaly_score(frame(X)[[name for name in NAMES if name != "pulse"]])


@each
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_text_columns_are_named(cls, frame):
    with pytest.raises(InputError, match=r"not hold numbers: 'town'"):
        make(cls).fit(frame({"age": [1.0, 2.0], "town": ["a", "b"]}))


@each
def test_datasets_with_held_out_rows(cls):
    if not issubclass(cls, NeuralDetector):
        pytest.skip("takes arrays only")
    X = normals("table", 40)
    one, other = (make(cls, calibration=0.3).fit(rows) for rows in (X, Rows(X)))
    assert differences(observe(one, X), observe(other, X)) == []


@each
def test_datasets_need_memory(cls):
    if not issubclass(cls, ClassicalDetector):
        pytest.skip("reads rows when it needs them")
    with pytest.raises(InputError, match=r"in memory.*array"):
        make(cls).fit(Rows(np.zeros((24, 5))))
