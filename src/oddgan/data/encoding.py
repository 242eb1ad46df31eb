"""From named columns to a matrix: numbers as they are, texts one-hot, missing values filled or refused."""

from collections.abc import Mapping

import numpy as np

from oddgan._core.errors import InputError
from oddgan.data.columns import Column
from oddgan.data.dataset import Encoding, Options, Raw, Reading
from oddgan.data.tables import Table

MOST_TEXTS = 255
_LABEL_NAMES = frozenset({"label", "labels", "y", "class", "target", "anomaly", "is_anomaly", "outlier"})
_SHOWN = 5


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
    label = _label(table, options, like)
    features = {name: Column(column) for name, column in table.columns.items() if name != label}
    if not features:
        raise InputError(f"{table.source} has no columns{' beside the labels' if label else ''}.")
    encoding = _encoding(table.source, features, like)
    _check_missing(table.source, features, options)
    blocks: list[np.ndarray] = []
    notes = _suspects(features) if like is None else []
    for name, texts in zip(encoding.columns, encoding.categories, strict=True):
        if texts is None:
            blocks.append(_expect_numbers(table.source, name, features[name])[:, None])
        else:
            blocks.append(features[name].one_hot(texts))
            notes += _left_out(name, features[name], texts)
    y = None if label is None else _label_values(table, label)
    x = np.concatenate(blocks, axis=1)
    return Raw(source=table.source, x=x, y=y, kind="table", label=label, encoding=encoding, notes=tuple(notes))


def fill(
    x: np.ndarray, medians: tuple[float, ...], names: tuple[str, ...] | None
) -> tuple[np.ndarray, tuple[str, ...]]:
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
    holes = np.isnan(x)
    if not holes.any():
        return x, ()
    counts = holes.sum(axis=0)
    which = {names[i] if names else str(i): int(counts[i]) for i in np.flatnonzero(counts)}
    note = f"Missing values were filled with the median of the training rows: {_counted(which)}."
    return np.where(holes, medians, x), (note,)


def medians_of(x: np.ndarray, source: str) -> tuple[float, ...]:
    """The median of each column of (n, d), missing values (NaN) left out.

    Raises
    ------
    InputError
        If a column has no value at all.
    """
    empty = np.flatnonzero(np.isnan(x).all(axis=0))
    if len(empty):
        raise InputError(f"{source} has no value at all in column {empty[0]}, so it has no median: remove the column.")
    return tuple(np.nanmedian(x, axis=0).tolist())


def _label(table: Table, options: Options, like: Reading | None) -> str | None:
    if options.label is not None and options.label not in table.columns:
        raise InputError(f"{table.source} has no column {options.label!r}; it has {', '.join(table.columns)}.")
    return options.label or (like.label if like and like.label in table.columns else None)


def _label_values(table: Table, label: str) -> np.ndarray:
    column = Column(table.columns[label])
    if column.numbers is not None:
        return column.numbers
    missing = np.flatnonzero(column.holes)
    if len(missing):
        raise InputError(f"{table.source} lacks the label of {len(missing)} rows, the first is row {missing[0]}.")
    return column.values.astype(np.str_)


def _encoding(source: str, features: Mapping[str, Column], like: Reading | None) -> Encoding:
    if like is None:
        return _learn(source, features)
    if like.encoding is None:  # fitted on an array: as many columns of numbers, of any name
        return Encoding(columns=tuple(features), categories=(None,) * len(features))
    _check_columns(source, tuple(features), like.encoding.columns)
    return like.encoding


def _learn(source: str, features: Mapping[str, Column]) -> Encoding:
    categories: list[tuple[str, ...] | None] = []
    for name, column in features.items():
        texts = None if column.numbers is not None else tuple(column.counts)
        if texts is not None and len(texts) > MOST_TEXTS:
            raise InputError(
                f"{source} has {len(texts)} different texts in column {name}; at most {MOST_TEXTS} can be told apart: "
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


def _check_missing(source: str, features: Mapping[str, Column], options: Options) -> None:
    counts = {name: int(column.holes.sum()) for name, column in features.items()}
    counts = {name: count for name, count in counts.items() if count}
    if counts and options.impute is None:
        raise InputError(
            f"{source} lacks {sum(counts.values())} values, by column: {_counted(counts)}; fill them, or fit with "
            "--impute median."
        )


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{name} ({count})" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join(shown + [f"and {len(counts) - _SHOWN} more"] * (len(counts) > _SHOWN))


def _expect_numbers(source: str, name: str, column: Column) -> np.ndarray:
    if column.numbers is None:
        row = column.first_text()
        raise InputError(
            f"{source} has the text {column.values[row]!r} in row {row} of column {name}, which holds numbers in the "
            "model."
        )
    return column.numbers


def _left_out(name: str, column: Column, texts: tuple[str, ...]) -> list[str]:
    notes = []
    new = {text: count for text, count in column.counts.items() if text not in texts}
    if new:
        notes.append(
            f"Column {name} has texts that the model never saw; they count as none of its texts: {_counted(new)}."
        )
    if column.holes.any():
        notes.append(f"Column {name} lacks {int(column.holes.sum())} texts; they count as none of its texts.")
    return notes


def _suspects(features: Mapping[str, Column]) -> list[str]:
    suspects = [name for name in features if name.lower() in _LABEL_NAMES]
    return [f"Column {name} is used as data; if it holds the labels, say --label {name}." for name in suspects]
