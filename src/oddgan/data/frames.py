"""Read frames of pandas, polars and pyarrow."""

import datetime
import numbers
from typing import Any

import narwhals as nw
import numpy as np
from narwhals.exceptions import DuplicateError, NarwhalsError

from oddgan._core.damage import brief
from oddgan._core.errors import InputError
from oddgan.data.tables import Select, Table, cells_of, drop_flag, every

_TEXTS = (nw.String, nw.Categorical, nw.Enum, nw.Object)


def read_frame(frame: Any, source: str = "The frame", select: Select = every) -> Table:
    """Take the columns of a frame: numbers and truth values as floats, texts and categories as texts.

    Parameters
    ----------
    frame : a frame of pandas, polars or pyarrow.
    source : how messages name it.
    select : which columns to take.

    Raises
    ------
    InputError
        If a column is neither numbers nor texts, e.g. a date, or two columns share a name.
    """
    names = tuple(" ".join(name.splitlines()) for name in frame_columns(frame) or ())
    wanted = set(select(source, names))
    columns = zip(names, nw.from_native(frame, eager_only=True).iter_columns(), strict=True)
    taken = {name: _column(series, name, source) for name, series in columns if name in wanted}
    return Table(source, taken, names=names)


def frame_columns(X: object) -> tuple[str, ...] | None:
    """The column names of a frame of pandas, polars or pyarrow, or None for anything else.

    Parameters
    ----------
    X : what may be a frame.

    Raises
    ------
    InputError
        If two columns share a name.
    """
    try:
        native = nw.from_native(X, eager_only=True, pass_through=True)
        return tuple(str(name) for name in native.columns) if isinstance(native, nw.DataFrame) else None
    except DuplicateError as error:
        raise InputError("The frame has several columns of one name: give each its own.") from error


def _column(series: "nw.Series[Any]", name: str, source: str) -> np.ndarray:
    kind = series.dtype
    try:
        if kind.is_numeric() or kind == nw.Boolean:
            return np.asarray(series.cast(nw.Float64).to_numpy(), dtype=np.float64)
        if kind in _TEXTS:
            pairs = zip(series.to_list(), series.is_null().to_list(), strict=True)
            return cells_of([None if missing else _text(value) for value, missing in pairs])
        if series.null_count() == len(series):
            return np.full(len(series), np.nan)
        problem = f"of type {getattr(series.to_native(), 'dtype', kind) if kind == nw.Unknown else kind}"
    except (ValueError, TypeError, ArithmeticError, NarwhalsError) as error:
        problem = f"that can't be read ({brief(error)})"
    raise InputError(
        f"{source} has the column {name} {problem}; expected numbers or texts: leave it out with {drop_flag(name)}."
    )


def _text(value: Any) -> str:
    if isinstance(value, str | numbers.Number | np.generic | datetime.date | datetime.time):
        return str(value)
    raise TypeError(f"it holds a value of type {type(value).__name__}")
