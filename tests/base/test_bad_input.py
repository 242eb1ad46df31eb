"""What `fit` and the scoring methods refuse, and in which words."""

import warnings
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array, csr_matrix
from sklearn.exceptions import NotFittedError

from oddgan import InputError, MeanDistance
from oddgan.base import Notice
from oddgan.networks import MLP
from oddgan.scores import WeightedSum
from oddgan.thresholds import Fixed
from small_detectors import detector, table


@pytest.fixture(scope="module")
def fitted():
    return detector().fit(table())


@pytest.mark.parametrize("shape", [(9, 4), (9, 2, 16), (9, 1, 8, 8)])
@pytest.mark.parametrize(
    ("bad", "rows"), [([3], r"1 of 9 .*rows 3\)"), (range(1, 8), r"7 of 9 .*1, 2, 3, 4, 5, \.\.\.\)")]
)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_bad_rows_are_counted_and_named(shape, bad, rows, value):
    X = np.ones(shape)
    X[list(bad), -1] = value
    with pytest.raises(InputError, match=rf"{rows}: remove them or fill"):
        detector().fit(X)


def test_kinds_that_the_card_does_not_name_are_refused(monkeypatch):
    model = detector()
    monkeypatch.setattr(type(model), "card", replace(model.card, kinds=("image", "series")))
    with pytest.raises(InputError, match=r"AutoEncoder takes image and series data, but these are table data\."):
        model.fit(table())


def test_bad_row_of_a_dataset_is_named():
    X = list(table(9))
    X[4] = np.array([1.0, np.nan, 0, 0])
    with pytest.raises(InputError, match=r"NaN or infinity \(rows 4\)"):
        detector().fit(Items(X))


class Items:
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def test_dataset_with_mixed_shapes():
    with pytest.raises(InputError, match=r"Sample 1 of the dataset has shape \(3,\), but sample 0 has \(4,\)"):
        detector().fit(Items([np.ones(4), np.ones(3)]))


@pytest.mark.parametrize("shape", [(0, 4), (1, 4), (0, 2, 16), (1, 2, 16), (1, 1, 8, 8)])
def test_too_few_rows(shape):
    with pytest.raises(ValueError, match=rf"{shape[0]} sample\(s\).*minimum of 2|{shape[0]} sample\(s\).*at least 2"):
        detector().fit(np.ones(shape))
    with pytest.raises(InputError, match=r"1 sample\(s\).*AutoEncoder needs at least 2"):
        detector().fit(Items([np.ones(4)]))


def test_no_rows_to_score(fitted):
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        fitted.anomaly_score(np.empty((0, 4)))
    assert fitted.anomaly_score(np.ones((1, 4))).shape == (1,)


@pytest.mark.parametrize("shape", [(2, 2, 2, 2, 2), (3, 2, 0), (3, 1, 8, 0)])
def test_dimensions(shape):
    with pytest.raises(InputError, match=r"X has shape .*\(n, d\) for tables.*\(n, channels, time\)"):
        detector().fit(np.ones(shape))


@pytest.mark.parametrize("X", [np.ones(5), 3.0])
def test_one_dimension(X):
    with pytest.raises(ValueError, match=r"[Ee]xpected.*2D array|\(n, d\) for tables"):
        detector().fit(X)


def test_shape_that_no_network_takes():
    with pytest.raises(InputError, match=r"can't serve samples of shape \(1, 300, 300\)"):
        detector().fit(np.ones((4, 1, 300, 300)) * np.arange(4)[:, None, None, None])


@pytest.mark.parametrize("shape", [(3, 5), (3, 2, 4), (3, 1, 8, 8)])
def test_wrong_shape_when_scoring(fitted, shape):
    with pytest.raises(
        ValueError, match=r"samples of shape .* fitted on \(4,\)|X has 5 features.*expecting 4 features"
    ):
        fitted.anomaly_score(np.ones(shape))


def test_wrong_shape_when_scoring_series():
    series = detector().fit(np.random.default_rng(0).normal(size=(9, 2, 16)))
    for shape in ((3, 2, 17), (3, 1, 16), (3, 32), (3, 1, 8, 8)):
        with pytest.raises(InputError, match=r"fitted on \(2, 16\)"):
            series.anomaly_score(np.ones(shape))


def test_small_whole_numbers_in_three_axes_may_be_grey_images():
    X = np.random.default_rng(0).integers(0, 255, (9, 8, 8), dtype=np.uint8)
    with pytest.warns(Notice, match=r"\(9, 8, 8\) and is read as series: 8 channels, 8 steps.*X\[:, None\]"):
        detector().fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*training steps")  # these settings are tiny on purpose
        detector().fit(X[:, None])
        detector().fit(X.astype(float))


@pytest.mark.parametrize("values", [[1, 2.5, True], [Decimal(1), Decimal("2.5"), np.bool_(True)]])
def test_frames_may_hold_numbers_as_objects(values):
    X = np.tile([[1.0, 3.0], [2.5, 1.0], [1.0, 2.0]], (3, 1))
    frame = pd.DataFrame({"a": pd.Series(values * 3, dtype=object), "b": X[:, 1]})
    plain = pd.DataFrame(X, columns=["a", "b"])
    np.testing.assert_array_equal(
        MeanDistance().fit(frame).anomaly_score(plain), MeanDistance().fit(X).anomaly_score(X)
    )


@pytest.mark.parametrize("odd", ["2", 1j, 10**400, pd.NA])
def test_frames_with_objects_that_are_no_numbers(odd):
    frame = pd.DataFrame({"a": pd.Series([1, odd, 3], dtype=object), "b": [1.0, 2.0, 3.0]})
    with pytest.raises(InputError, match=r"columns that do not hold numbers: 'a'; leave them out"):
        MeanDistance().fit(frame)


def test_constant_columns_are_one_notice():
    X = table()
    X[:, [1, 3]] = 7.0
    with pytest.warns(Notice) as told:
        fitted = detector().fit(X)
    assert [str(w.message) for w in told if "training steps" not in str(w.message)] == [
        "2 columns hold one value in all training rows: any later change of it makes a row more anomalous."
    ]
    new = X.copy()
    new[:, 1] = 9.0
    assert (fitted.anomaly_score(new) > fitted.anomaly_score(X)).all()


def test_constant_rows_can_be_fitted():
    with pytest.warns(Notice, match="channel"):
        scores = detector().fit(np.ones((9, 2, 16))).anomaly_score(np.ones((3, 2, 16)))
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("shape", [(9, 2, 16), (9, 1, 8, 8)])
def test_objects_are_refused(shape):
    with pytest.raises(InputError, match="X holds 'a' in row 0, which is no number"):
        detector().fit(np.full(shape, "a", dtype=object))


def test_text_is_refused():
    for X in (np.array([["a", 1], ["b", 2]], dtype=object), np.array([["a", "1"], ["b", "2"]]), [["a", 1], ["b", 2]]):
        with pytest.raises(InputError, match="X holds 'a' in row 0, which is no number"):
            detector().fit(X)


def test_sparse_is_refused():
    for X in (csr_matrix(table()), csr_array(table())):
        with pytest.raises(InputError, match=r"X is a sparse csr_.*give X.toarray\(\)"):
            detector().fit(X)
    with pytest.raises(InputError, match=r"X is a sparse tensor; .*X.to_dense\(\)"):
        detector().fit(torch.tensor(table()).to_sparse())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        ({"batch_size": 1}, "batch_size must be a whole number of at least 2, not 1"),
        ({"contamination": 0.0}, r"contamination must be in \(0, 0\.5\], but is 0\.0"),
        ({"contamination": 0.6}, r"contamination must be in \(0, 0\.5\], but is 0\.6"),
        ({"contamination": float("nan")}, "contamination must be in"),
        ({"calibration": 1.0}, r"calibration is a share of the rows in \[0, 1\), but is 1\.0"),
        ({"calibration": -0.1}, "calibration is a share"),
        ({"calibration": 0.99}, r"calibration=0\.99 of 30 rows leaves 0 to train on and 30 to calibrate"),
        ({"calibration": 0.01}, r"leaves 30 to train on and 0 to calibrate"),
        ({"calibration_size": 0}, "calibration_size and slots must be at least 1, but are 0 and 64"),
        ({"slots": 0}, "calibration_size and slots must be at least 1, but are 1000 and 0"),
        ({"scoring": "slow"}, "scoring must be 'exact' or 'fast', but is 'slow'"),
    ],
    ids=str,
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(InputError, match=message):
        detector(**settings).fit(table())


def test_component_that_the_method_does_not_have():

    with pytest.raises(InputError, match=r"needs the component critic, but there are: latent, .*, residual"):
        detector(composition=WeightedSum(critic=1.0)).fit(table())


def test_unfitted():
    for name in ("anomaly_score", "predict", "anomaly_map", "reconstruct", "encode", "save"):
        with pytest.raises(NotFittedError, match="AutoEncoder instance is not fitted yet"):
            getattr(detector(), name)(table())


def test_refused_rate_changes_nothing():
    fitted = detector().fit(table())
    before = fitted.threshold_, fitted.rate_, fitted.threshold_rule_
    for rule, rate in ((None, 0.7), (None, 0.0), (Fixed(1.0), 2.0)):
        with pytest.raises(InputError, match="rate"):
            fitted.set_threshold(rule, rate=rate)
    assert (fitted.threshold_, fitted.rate_, fitted.threshold_rule_) == before


@pytest.mark.parametrize("n", [2, 3, 5])
def test_few_rows_and_smallest_batches(n):
    # Batch norm fails on a batch of one row: none may be that small.

    fitted = detector(batch_size=2, backbone=MLP(hidden=(4,), norm="batch")).fit(table(n))
    assert np.isfinite(fitted.anomaly_score(table(3))).all()


def test_tensor_with_gradients_and_other_types():
    X = table()
    fitted = detector().fit(torch.tensor(X, requires_grad=True))
    assert np.array_equal(fitted.anomaly_score(X), detector().fit(X).anomaly_score(X))
    for dtype in (np.float32, np.int16, np.uint8, bool):
        typed = (X > 0).astype(dtype)
        assert np.array_equal(
            detector().fit(typed).anomaly_score(typed), detector().fit(typed.astype(float)).anomaly_score(typed)
        )


def test_passes_that_fill_the_memory():
    with pytest.raises(
        InputError, match="slots is 200000, but rows of 4 values are scored in passes of at most 131072"
    ):
        detector(slots=200_000).fit(table())
    wide = np.zeros((3, 1, 4096, 4096), dtype=np.uint8)  # the default is always taken
    with pytest.raises(InputError, match="in passes of at most 64: lower it"):
        detector(slots=65).fit(wide)


@pytest.mark.parametrize("rows", [np.zeros((0, 4)), np.zeros((9, 0)), np.zeros((9, 3)), np.zeros((1, 5))], ids=np.shape)
def test_what_scikit_learn_refuses_is_an_input_error(rows):
    fitted = detector().fit(table())
    with pytest.raises(InputError, match=r"sample\(s\)|feature\(s\)|features, but"):
        fitted.predict(rows)


def test_tensors_of_other_kinds_are_refused():
    with pytest.raises(InputError, match="X is a quantised tensor"):
        detector().fit(torch.quantize_per_tensor(torch.rand(9, 3), 0.1, 0, torch.quint8))
    with pytest.raises(InputError, match="X is a nested tensor"):
        detector().fit(torch.nested.nested_tensor([torch.zeros(1, 8), torch.zeros(1, 9)]))
