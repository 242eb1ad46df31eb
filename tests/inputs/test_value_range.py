"""Rows on another scale than the training rows, and layouts that are not meant."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from oddgan import PCA, InputError, load
from oddgan.base import Notice
from small_detectors import detector

RAW = np.random.default_rng(0).integers(0, 256, (30, 1, 8, 8), dtype=np.uint8)


class Images:
    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i]


HELD = {"array": np.asarray, "list": list, "tensor": torch.from_numpy, "dataset": Images}


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (RAW, RAW / 255),
        (RAW.astype(np.float32), RAW / np.float32(127.5) - 1),
        (RAW / 255, RAW),
        (RAW / 255, RAW.astype(np.float64)),
        (RAW / 127.5 - 1, RAW.astype(np.int16)),
    ],
)
def test_images_on_another_scale_are_refused(first, then, held, tmp_path):
    fitted = (detector() if held == "dataset" else PCA(random_state=0)).fit(HELD[held](first))
    for model in (fitted, load(fitted.save(tmp_path / "model"))):
        assert model.predict(first).shape == (30,)
        for call in (model.predict, model.anomaly_score, model.score_components):
            with pytest.raises(InputError, match=r"X holds .* values from .* fitted on .*bring X to that scale"):
                call(HELD[held](then))


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (RAW, RAW.astype(np.float64)),
        (RAW, RAW.astype(np.int64)),
        (RAW, np.zeros_like(RAW, dtype=np.float64)),  # dark images are dark on every scale
        (RAW, RAW - 0.5),
        (RAW / 255, RAW / 200),
        (RAW / 255, (RAW > 99).astype(np.uint8)),
        ((RAW > 99).astype(np.uint8), RAW / 255),
        (RAW / 10, RAW / 10 / 255),
    ],
)
def test_what_may_be_on_the_same_scale_is_scored(first, then):
    with warnings.catch_warnings():
        warnings.simplefilter("error", Notice)
        assert PCA(random_state=0).fit(first).anomaly_score(then).shape == (30,)


def test_series_on_another_scale_are_told():
    series = np.random.default_rng(0).integers(-3000, 3000, (20, 2, 32), dtype=np.int16)
    fitted = PCA(random_state=0).fit(series)
    with pytest.warns(Notice, match="X holds float64 values from .* fitted on int16 values from"):
        fitted.anomaly_score(series / 32768)


def test_tables_have_no_range():
    fitted = PCA().fit(RAW).fit(RAW.reshape(30, -1))
    assert not hasattr(fitted, "value_range_")
    assert fitted.anomaly_score(RAW.reshape(30, -1) / 255).shape == (30,)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_last_are_refused(channels):
    x = np.random.default_rng(0).random((9, 16, 12, channels))
    with pytest.raises(InputError, match=r"looks like images with channels last; .* X.transpose\(0, 3, 1, 2\)"):
        PCA().fit(x)
    assert PCA(n_components=2).fit(x.transpose(0, 3, 1, 2)).shape_ == (channels, 16, 12)


def test_series_with_time_first_are_pointed_out():
    x = np.random.default_rng(0).random((9, 50, 3))
    with pytest.warns(Notice, match=r"50 channels, 3 steps. If time is the first of both, give X.transpose\(0, 2, 1\)"):
        PCA(n_components=2).fit(x)


@pytest.mark.parametrize("shape", [(), (5,)])
def test_too_few_axes(shape):
    fitted = PCA().fit(np.eye(5))
    for call in (PCA().fit, fitted.predict):
        with pytest.raises(InputError, match=r"Reshape your data: X.reshape\(-1, 1\) is one column") as told:
            call(np.ones(shape))
        assert "\n" not in str(told.value)


def test_frames_that_are_no_tables():
    with pytest.raises(InputError, match="The frame has no columns"):
        PCA().fit(pd.DataFrame(index=range(5)))
    with pytest.raises(InputError, match="The frame has several columns of one name"):
        PCA().fit(pd.DataFrame(np.eye(3), columns=["a", "a", "b"]))
    with pytest.raises(InputError, match="names of columns of several types, int and str"):
        PCA().fit(pd.DataFrame(np.eye(3), columns=["a", 1, "b"]))


def test_masked_entries_are_gaps():
    x = np.ma.array(np.random.default_rng(0).random((9, 3)))
    PCA().fit(x)
    x[4, 1] = np.ma.masked
    with pytest.raises(InputError, match=r"1 of 9 rows hold NaN or infinity \(rows 4\)"):
        PCA().fit(x)


def test_short_floats_of_torch_are_read():
    x = torch.rand(20, 4, generator=torch.Generator().manual_seed(0)).bfloat16()
    fitted = PCA(n_components=2).fit(x)
    assert np.array_equal(fitted.anomaly_score(x), fitted.anomaly_score(x.double()))
