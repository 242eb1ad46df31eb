"""Validation of rows: what `fit` and the scoring methods accept."""

from typing import Any, Protocol, cast

import numpy as np
from sklearn.utils.validation import validate_data

from oddgan._core.errors import InputError
from oddgan._core.memmap import Mapped, Samples, on_disk
from oddgan._core.notices import notice
from oddgan.inputs.rows import Lazy, Rows, check_finite, check_frame, is_dataset, is_frame, to_array
from oddgan.inputs.value_range import HasRange, check_range, learn_range

_CHANNELS = (1, 3, 4)
_LONG = 8  # times more channels than steps are hardly meant


class Learner(HasRange, Protocol):
    """An estimator that remembers what rows it was fitted on."""

    shape_: tuple[int, ...]
    n_features_in_: int

    def get_params(self, deep: bool = ...) -> dict[str, Any]: ...  # noqa: D102


def validate(detector: Learner, X: Any, *, reset: bool) -> Rows:
    """Check the rows and return them raw: an array (n, ...), or what is read when needed: a dataset, a memory map.

    Parameters
    ----------
    X : (n, d) tables, (n, c, t) series or (n, c, h, w) images; an array, tensor, data frame, list or map-style dataset.
    reset : learn the shape and column names (`fit`) instead of comparing with those learned.
    """
    if is_dataset(X):
        lazy = Lazy(X)
        _check_count(detector, len(lazy), reset=reset)
        _check_shape(detector, lazy.shape, reset=reset)
        (learn_range if reset else check_range)(detector, lazy)
        return lazy
    mapped = _mapped(X)
    if mapped is not None:
        return _validate_deep(detector, mapped, reset=reset)
    if is_frame(X):
        check_frame(X)
        return _validate_table(detector, X, reset=reset)
    x = to_array(X)
    if x.ndim < 2:
        raise InputError(
            f"X has shape {x.shape}, but (n, d) for tables, (n, channels, time) for series or (n, channels, height, "
            "width) for images is expected. Reshape your data: X.reshape(-1, 1) is one column, X.reshape(1, -1) a row."
        )
    return (_validate_table if x.ndim == 2 else _validate_deep)(detector, x, reset=reset)


def _mapped(X: Any) -> Mapped | None:
    """The rows of a memory map, those of tables as float64; None for anything else, and for what is no numbers."""
    if on_disk(X) and 2 <= X.ndim <= 4 and X.dtype.kind in "biuf":
        X = Mapped(X)
    if not isinstance(X, Mapped):
        return None
    return X.astype(np.float64) if X.ndim == 2 else X


def _validate_table(detector: Learner, X: Any, *, reset: bool) -> np.ndarray:
    shape = getattr(detector, "shape_", None)
    if not reset and shape is not None and len(shape) > 1:
        raise InputError(_mismatch(detector, np.shape(X)[1:]))
    if not reset and _is_plain(detector, X):
        check_finite(X)
        return cast(np.ndarray, X)
    minimum = 2 if reset else 1
    try:
        x: np.ndarray = validate_data(
            detector, X, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=minimum, reset=reset
        )
    except InputError:
        raise
    except ValueError as error:  # in scikit-learn's words, which its estimator checks ask for
        raise InputError(str(error)) from error
    check_finite(x)
    if reset:
        detector.shape_ = (x.shape[1],)
        learn_range(detector, x)
    return x


def _is_plain(detector: Learner, X: Any) -> bool:
    """Whether X is just what scikit-learn's checks would return, which take longer than scoring a row."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype == np.float64
        and X.shape[1] == getattr(detector, "n_features_in_", None)
        and len(X) > 0
        and not hasattr(detector, "feature_names_in_")
    )


def _validate_deep(detector: Learner, x: Samples, *, reset: bool) -> Samples:
    if x.dtype.kind not in "biuf":
        raise InputError(f"X holds {x.dtype} values, but numbers are expected.")
    if x.ndim == 3 and x.dtype.itemsize < 4 and x.dtype.kind in "iu" and reset:
        notice(
            f"X has shape {x.shape} and is read as series: {x.shape[1]} channels, {x.shape[2]} steps. "
            "Images need a channel axis: X[:, None] for grey ones."
        )
    _check_count(detector, len(x), reset=reset)
    _check_shape(detector, x.shape, reset=reset)
    check_finite(x)
    (learn_range if reset else check_range)(detector, x)
    return x


def _check_count(detector: Learner, n: int, *, reset: bool) -> None:
    minimum = 2 if reset else 1
    if n < minimum:
        raise InputError(
            f"Found {n} sample(s), while {type(detector).__name__} needs at least {minimum}: n_samples={n}."
        )


def _check_shape(detector: Learner, shape: tuple[int, ...], *, reset: bool) -> None:
    if reset:
        if not 2 <= len(shape) <= 4 or 0 in shape:
            raise InputError(
                f"X has shape {shape}, but (n, d) for tables, (n, channels, time) for series or "
                "(n, channels, height, width) for images is expected, with no empty axis."
            )
        _check_channels(shape)
        detector.shape_ = tuple(int(s) for s in shape[1:])
        for name in ("n_features_in_", "feature_names_in_"):
            detector.__dict__.pop(name, None)
        if len(shape) == 2:
            detector.n_features_in_ = shape[1]
    elif tuple(shape[1:]) != detector.shape_:
        raise InputError(_mismatch(detector, tuple(shape[1:])))


def _check_channels(shape: tuple[int, ...]) -> None:
    """Refuse what looks like images with channels last, and point out series with time first."""
    if len(shape) == 4 and shape[3] in _CHANNELS and min(shape[1:3]) > max(_CHANNELS):
        raise InputError(
            f"X has shape {shape}, which looks like images with channels last; expected (n, channels, height, width): "
            "give X.transpose(0, 3, 1, 2)."
        )
    if len(shape) == 3 and shape[1] > _LONG * shape[2]:
        notice(
            f"X has shape {shape} and is read as series: {shape[1]} channels, {shape[2]} steps. If time is the "
            "first of both, give X.transpose(0, 2, 1)."
        )


def _mismatch(detector: Learner, given: tuple[int, ...]) -> str:
    images = " (--resize HEIGHTxWIDTH on the command line)" if len(given) == len(detector.shape_) == 3 else ""
    return (
        f"X has samples of shape {given}, but this {type(detector).__name__} was fitted on {detector.shape_}: "
        f"give samples of that shape{images}."
    )
