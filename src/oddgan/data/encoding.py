"""Encode tables as matrices: numbers as they are, texts one-hot, missing values filled or refused."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.memmap import Mapped, Samples, Spool, pieces
from oddgan._core.text import texts_if
from oddgan.data.columns import MOST_TEXTS, Column, Survey, learn, matrix
from oddgan.data.dataset import Encoding, Raw, Reading
from oddgan.data.patterns import quoted
from oddgan.data.tables import Table, drop_flag, named, some
from oddgan.options import Options

_TOGETHER = 2**22  # values of columns whose medians are taken at once
_LABEL_NAMES = frozenset({"label", "labels", "y", "class", "target", "anomaly", "is_anomaly", "outlier"})
_SHOWN = 5


def encode(table: Table, options: Options, like: Reading | None) -> Raw:
    """Turn a table into numbers (n, d); missing numbers stay NaN if they are to be filled.

    Parameters
    ----------
    table : the columns that were selected.
    options : its label, drop, keep, categorical and impute apply.
    like : the reading of a fitted model: its columns are expected in its order; texts that it does not know become
        all-zero rows, with a note.

    Raises
    ------
    InputError
        If columns can't be used, are missing, unknown, reordered or of another type, or values are missing without
        `impute`.
    """
    label = label_of(table, options, like)
    known = known_texts(like)
    features = {name: Column(c).spelled(known.get(name)) for name, c in table.columns.items() if name != label}
    surveys = new_surveys(table, features, options, like)
    for name, survey in surveys.items():
        survey.add(features[name], last=True)
    encoding, notes = agree(table, surveys, options, like)
    y = None if label is None else label_values(table, label)
    return raw_of(table, options, x=matrix(features, encoding), y=y, label=label, encoding=encoding, notes=notes)


def encode_mapped(tables: Callable[[], Iterator[Table]], options: Options, like: Reading | None) -> Raw:
    """Turn a table into numbers (n, d) in a temporary file, with the result of `encode`.

    Parameters
    ----------
    tables : begins to read the table anew, piece by piece; it is read twice. Only the labels are held as a whole.
    options, like : as in `encode`.

    Raises
    ------
    InputError
        As in `encode`, or if the disk is full.
    """
    first = next(tables())
    label, known = label_of(first, options, like), known_texts(like)
    surveys = new_surveys(first, [name for name in first.columns if name != label], options, like)

    def features(table: Table) -> dict[str, Column]:
        return {name: Column(table.columns[name]).spelled(known.get(name)) for name in surveys}

    row = 0
    for table in tables():
        for name, column in features(table).items():
            surveys[name].add(column, row)
        row += table.rows
    encoding, notes = agree(first, surveys, options, like)
    labels: list[np.ndarray] = []
    with Spool() as spool:
        for table in tables():
            labels += [] if label is None else [table.columns[label]]
            spool.write(matrix(features(table), encoding))
        x = spool.mapped() if spool.rows else np.empty((0, len(encoding.names)))
    y = None if label is None else label_values(first._replace(columns={label: np.concatenate(labels)}), label)
    return raw_of(first, options, x=x, y=y, label=label, encoding=encoding, notes=notes)


def raw_of(table: Table, options: Options, **found: Any) -> Raw:
    """What a table gives: what was found, and the columns that the user left out or kept."""
    drop, keep = (named(table.source, words, table.names, "") for words in (options.drop, options.keep))
    return Raw(source=table.source, kind="table", drop=drop, keep=keep, **found)


def known_texts(like: Reading | None) -> Mapping[str, tuple[str, ...] | None]:
    """The texts of a model's columns, None for numbers; none at all without a model, or for one of an array."""
    encoding = None if like is None else like.encoding
    return {} if encoding is None else dict(zip(encoding.columns, encoding.categories, strict=True))


def new_surveys(table: Table, names: Iterable[str], options: Options, like: Reading | None) -> dict[str, Survey]:
    """For each column what counts its texts as far as they matter: where they may become columns, or a model has some.

    Raises
    ------
    InputError
        If there are no columns, or one that the user names as categorical is not there.
    """
    names = tuple(names)
    if not names:
        label = " beside the labels" if table.columns else ""
        raise InputError(f"{table.source} has no columns{label}.")
    categorical, known = named(table.source, options.categorical, names, "--categorical"), known_texts(like)
    if like is None:
        return {name: Survey(None if name in categorical else MOST_TEXTS) for name in names}
    for name in categorical:
        if known.get(name) is None:
            raise InputError(f"The model was fitted without --categorical {name}: remove it, or fit anew.")
    return {name: Survey(-1 if known.get(name) is None else None) for name in names}


def agree(
    table: Table, surveys: Mapping[str, Survey], options: Options, like: Reading | None
) -> tuple[Encoding, tuple[str, ...]]:
    """How columns become numbers, and what the user should know of it.

    Parameters
    ----------
    table : the table, or a piece of it.
    surveys : what is known of each column.
    options, like : as in `encode`.

    Raises
    ------
    InputError
        As in `encode`.
    """
    source = table.source
    notes: list[str] = []
    if like is None:
        categorical = named(source, options.categorical, tuple(surveys), "--categorical")
        encoding, notes = learn(source, surveys, categorical, table.place)
        notes = [*_labels_among(surveys), *notes]
    elif like.encoding is None:  # fitted on an array: as many columns of numbers, of any name
        encoding = Encoding(columns=tuple(surveys), categories=(None,) * len(surveys))
    else:
        _check_columns(source, tuple(surveys), like.encoding.columns)
        encoding = like.encoding
    _check_missing(source, surveys, options)
    for name, texts in zip(encoding.columns, encoding.categories, strict=True):
        if texts is None:
            _expect_numbers(table, name, surveys[name])
        else:
            notes += _left_out(name, surveys[name], texts)
    return encoding, tuple(notes)


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


def medians_of(x: Samples, rows: np.ndarray, source: str, names: tuple[str, ...] | None = None) -> tuple[float, ...]:
    """The median of each column of some rows of (n, d), missing values (NaN) left out, a few columns at a time.

    Parameters
    ----------
    x : (n, d) floats.
    rows : (n,) bool, which rows count.
    source : how messages name the data.
    names : d column names, for messages.

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
            column = first + int(empty[0])
            way = f"{names[column]}: leave it out with {drop_flag(names[column])}" if names else f"{column}: remove it"
            raise InputError(f"{source} has no value at all, so no median, in column {way}.")
        medians += np.nanmedian(columns, axis=0).tolist()
    return tuple(medians)


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


def _check_columns(source: str, given: tuple[str, ...], expected: tuple[str, ...]) -> None:
    if given == expected:
        return
    missing = [name for name in expected if name not in given]
    unknown = [name for name in given if name not in expected]
    if missing or unknown:
        parts = texts_if((missing, f"lacks {some(missing)}"), (unknown, f"has also {some(unknown)}"))
        way_out = f": leave out what it does not know with {drop_flag(*unknown)}, or name labels with --label"
        raise InputError(
            f"{source} {' and '.join(parts)}; the model expects the columns {some(expected)}"
            f"{way_out if unknown and not missing else ''}."
        )
    first = next(i for i, (a, b) in enumerate(zip(given, expected, strict=True)) if a != b)
    raise InputError(
        f"{source} has its columns in another order: column {first + 1} is {given[first]}; the model expects "
        f"{some(expected)}."
    )


def _check_missing(source: str, surveys: Mapping[str, Survey], options: Options) -> None:
    counts = {name: survey.missing for name, survey in surveys.items() if survey.missing}
    if not counts or options.impute is not None:
        return
    empty = [name for name in counts if not surveys[name].present]
    if empty:
        raise InputError(f"{source} has no value at all in column {empty[0]}: leave it out with {drop_flag(*empty)}.")
    raise InputError(
        f"{source} lacks {sum(counts.values())} values, by column: {_counted(counts)}; fill them, or fit with "
        "--impute median."
    )


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{name} ({count})" for name, count in list(counts.items())[:_SHOWN]]
    more = len(counts) - _SHOWN
    return ", ".join(shown + texts_if((more > 0, f"and {more} more")))


def _expect_numbers(table: Table, name: str, survey: Survey) -> None:
    if not survey.numeric:
        row, text = survey.odd
        raise InputError(
            f"{table.source} has the text {quoted(text)} in {table.place(row)} of column {name}, which holds numbers "
            "in the model."
        )


def _left_out(name: str, column: Survey, texts: tuple[str, ...]) -> list[str]:
    notes = []
    new = {text: count for text, count in column.counts.items() if text not in texts}
    if new:
        notes.append(
            f"Column {name} has texts that the model never saw; they count as none of its texts: {_counted(new)}."
        )
    if column.missing:
        notes.append(f"Column {name} lacks {column.missing} texts; they count as none of its texts.")
    return notes


def _labels_among(names: Iterable[str]) -> list[str]:
    suspects = [name for name in names if name.lower() in _LABEL_NAMES]
    return [f"Column {name} is used as data; if it holds the labels, say --label {name}." for name in suspects]
