"""From named columns to a matrix: numbers as they are, texts one-hot, missing values filled or refused."""

from collections.abc import Mapping
from typing import Protocol, cast

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.mapped import Mapped, Samples, pieces
from oddgan.data.columns import Column
from oddgan.data.dataset import Encoding, Options, Raw, Reading
from oddgan.data.tables import Table

MOST_TEXTS = 255
_TOGETHER = 2**22  # values of columns whose medians are taken at once
_LABEL_NAMES = frozenset({"label", "labels", "y", "class", "target", "anomaly", "is_anomaly", "outlier"})
_SHOWN = 5


class Facts(Protocol):
    """What must be known of a column before it becomes numbers; the names are those of `Column`."""

    @property
    def numeric(self) -> bool:
        """Whether no text is anything but a number."""
        ...

    @property
    def missing(self) -> int:
        """How many values are missing."""
        ...

    @property
    def counts(self) -> dict[str, int]:
        """How often each text occurs, in the order of the texts."""
        ...

    @property
    def odd(self) -> tuple[int, str]:
        """The row of the first text that is no number, and the text."""
        ...


def encode(table: Table, options: Options, like: Reading | None) -> Raw:
    """Turn a table into numbers (n, d); missing numbers stay NaN if they are to be filled.

    Parameters
    ----------
    table : the columns.
    options : its label and impute apply.
    like : the reading of a fitted model: its columns are expected in its order; texts that it does not know become
        all-zero rows, with a note.

    Raises
    ------
    InputError
        If columns are missing, unknown, reordered or of another type, or values are missing without `impute`.
    """
    label = label_of(table, options, like)
    features = {name: Column(column) for name, column in table.columns.items() if name != label}
    if not features:
        raise InputError(f"{table.source} has no columns{' beside the labels' if label else ''}.")
    encoding, notes = agree(table.source, features, options, like)
    y = None if label is None else label_values(table, label)
    x = matrix(features, encoding)
    return Raw(source=table.source, x=x, y=y, kind="table", label=label, encoding=encoding, notes=notes)


def agree(
    source: str, features: Mapping[str, Facts], options: Options, like: Reading | None
) -> tuple[Encoding, tuple[str, ...]]:
    """How columns become numbers, and what the user should know of it.

    Parameters
    ----------
    source : how messages name the table.
    features : what is known of each column.
    options, like : as in `encode`.

    Raises
    ------
    InputError
        As in `encode`.
    """
    encoding = _encoding(source, features, like)
    _check_missing(source, features, options)
    notes = _suspects(features) if like is None else []
    for name, texts in zip(encoding.columns, encoding.categories, strict=True):
        if texts is None:
            _expect_numbers(source, name, features[name])
        else:
            notes += _left_out(name, features[name], texts)
    return encoding, tuple(notes)


def matrix(features: Mapping[str, Column], encoding: Encoding) -> np.ndarray:
    """Columns as numbers (n, d)."""
    pairs = zip(encoding.columns, encoding.categories, strict=True)
    return np.concatenate([_block(features[name], texts) for name, texts in pairs], axis=1)


def fill(x: Samples, medians: tuple[float, ...], names: tuple[str, ...] | None) -> tuple[Samples, tuple[str, ...]]:
    """Put medians where values are missing (NaN).

    Parameters
    ----------
    x : (n, d) floats.
    medians : d numbers.
    names : d column names, for the note.

    Returns
    -------
    the filled matrix, and a note if something was missing.
    """
    counts = np.sum([np.isnan(piece).sum(axis=0) for piece in pieces(x)], axis=0)
    if not counts.any():
        return x, ()

    def filled(rows: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(rows), medians, rows)

    which = {names[i] if names else str(i): int(counts[i]) for i in np.flatnonzero(counts)}
    note = f"Missing values were filled with the median of the training rows: {_counted(which)}."
    return (x.map(filled) if isinstance(x, Mapped) else filled(x)), (note,)


def medians_of(x: Samples, rows: np.ndarray, source: str) -> tuple[float, ...]:
    """The median of each column of some rows of (n, d), missing values (NaN) left out, a few columns at a time.

    Parameters
    ----------
    x : (n, d) floats.
    rows : (n,) bool, which rows count.
    source : how messages name the data.

    Raises
    ------
    InputError
        If a column has no value at all.
    """
    medians: list[float] = []
    together = max(1, _TOGETHER // max(1, len(x)))
    for first in range(0, x.shape[1], together):
        columns = np.concatenate([piece[:, first : first + together] for piece in pieces(x)])[rows]
        empty = np.flatnonzero(np.isnan(columns).all(axis=0))
        if len(empty):
            column = first + empty[0]
            raise InputError(
                f"{source} has no value at all in column {column}, so it has no median: remove the column."
            )
        medians += np.nanmedian(columns, axis=0).tolist()
    return tuple(medians)


def _block(column: Column, texts: tuple[str, ...] | None) -> np.ndarray:
    if texts is not None:
        return column.one_hot(texts)
    return cast(np.ndarray, column.numbers)[:, None]


def label_of(table: Table, options: Options, like: Reading | None) -> str | None:
    """The column of the labels, or None.

    Raises
    ------
    InputError
        If the user names one that is not there.
    """
    if options.label is not None and options.label not in table.columns:
        raise InputError(f"{table.source} has no column {options.label!r}; it has {', '.join(table.columns)}.")
    return options.label or (like.label if like and like.label in table.columns else None)


def label_values(table: Table, label: str) -> np.ndarray:
    """The labels (n,) of a table, numbers or texts.

    Raises
    ------
    InputError
        If some texts are missing.
    """
    column = Column(table.columns[label])
    if column.numbers is not None:
        return column.numbers
    missing = np.flatnonzero(column.holes)
    if len(missing):
        raise InputError(f"{table.source} lacks the label of {len(missing)} rows, the first is row {missing[0]}.")
    return column.values.astype(np.str_)


def _encoding(source: str, features: Mapping[str, Facts], like: Reading | None) -> Encoding:
    if like is None:
        return _learn(source, features)
    if like.encoding is None:  # fitted on an array: as many columns of numbers, of any name
        return Encoding(columns=tuple(features), categories=(None,) * len(features))
    _check_columns(source, tuple(features), like.encoding.columns)
    return like.encoding


def _learn(source: str, features: Mapping[str, Facts]) -> Encoding:
    categories: list[tuple[str, ...] | None] = []
    for name, column in features.items():
        texts = None if column.numeric else tuple(column.counts)
        if texts is not None and len(texts) > MOST_TEXTS:
            raise InputError(
                f"{source} has more than {MOST_TEXTS} different texts in column {name}, too many to be told apart: "
                "remove the column if it names the rows."
            )
        categories.append(texts)
    return Encoding(columns=tuple(features), categories=tuple(categories))


def _check_columns(source: str, given: tuple[str, ...], expected: tuple[str, ...]) -> None:
    if given == expected:
        return
    missing = [name for name in expected if name not in given]
    unknown = [name for name in given if name not in expected]
    if missing or unknown:
        parts = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has also {', '.join(unknown)}"] * bool(unknown)
        raise InputError(
            f"{source} {' and '.join(parts)}; the model expects the columns {', '.join(expected)}"
            f"{' (labels are named by --label)' if unknown else ''}."
        )
    first = next(i for i, (a, b) in enumerate(zip(given, expected, strict=True)) if a != b)
    raise InputError(
        f"{source} has its columns in another order: column {first + 1} is {given[first]}; the model expects "
        f"{', '.join(expected)}."
    )


def _check_missing(source: str, features: Mapping[str, Facts], options: Options) -> None:
    counts = {name: column.missing for name, column in features.items() if column.missing}
    if counts and options.impute is None:
        raise InputError(
            f"{source} lacks {sum(counts.values())} values, by column: {_counted(counts)}; fill them, or fit with "
            "--impute median."
        )


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{name} ({count})" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join(shown + [f"and {len(counts) - _SHOWN} more"] * (len(counts) > _SHOWN))


def _expect_numbers(source: str, name: str, column: Facts) -> None:
    if not column.numeric:
        row, text = column.odd
        raise InputError(
            f"{source} has the text {text!r} in row {row} of column {name}, which holds numbers in the model."
        )


def _left_out(name: str, column: Facts, texts: tuple[str, ...]) -> list[str]:
    notes = []
    new = {text: count for text, count in column.counts.items() if text not in texts}
    if new:
        notes.append(
            f"Column {name} has texts that the model never saw; they count as none of its texts: {_counted(new)}."
        )
    if column.missing:
        notes.append(f"Column {name} lacks {column.missing} texts; they count as none of its texts.")
    return notes


def _suspects(features: Mapping[str, Facts]) -> list[str]:
    suspects = [name for name in features if name.lower() in _LABEL_NAMES]
    return [f"Column {name} is used as data; if it holds the labels, say --label {name}." for name in suspects]
