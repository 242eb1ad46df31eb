"""Columns of tables: what they hold, and which become numbers, which one column for each text."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import numpy as np

from oddgan._core.errors import InputError
from oddgan.data.dataset import Encoding
from oddgan.data.patterns import NOTATIONS, NUMBER, TIME, TRUTH, TRUTH_VALUES, is_number, pattern, quoted
from oddgan.data.tables import categorical_flag, drop_flag

MOST_TEXTS = 30  # that become one column each without being asked for
_MOST_ASKED = 10_000
_FEW_ROWS = 6  # from so many texts on, texts that hardly occur twice are names of rows
_NAMES = 0.8  # of the rows hold a text of their own in a column of names
_TIMES = 0.9
_RISING = 20  # rows from which on whole numbers that only rise are pointed out


@dataclass(frozen=True, eq=False)
class Column:
    """A column whose views are computed once, when first asked for.

    Parameters
    ----------
    values : (n,) floats with NaN where a value is missing, or objects that are texts or None.
    """

    values: np.ndarray

    @cached_property
    def holes(self) -> np.ndarray:
        """(n,) bool, where a value is missing."""
        if self.values.dtype.kind == "f":
            return np.asarray(np.isnan(self.values))
        return np.array([value is None for value in self.values], dtype=bool)

    @cached_property
    def plain(self) -> np.ndarray | None:
        """(n,) floats, NaN where a value is missing; None if some text is no plain number."""
        if self.values.dtype.kind == "f":
            return self.values
        try:
            found = (np.where(self.holes, "nan", self.values) if self.holes.any() else self.values).astype(np.float64)
        except ValueError:
            return None
        # Python reads 1_000 as a number, which is a name in a table.
        return None if "_" in "".join(filter(None, self.values.tolist())) else found

    @cached_property
    def numbers(self) -> np.ndarray | None:
        """(n,) floats, NaN where a value is missing, 1 for true and 0 for false; None if some text is neither.

        Numbers and truth values don't mix.
        """
        return self._truth if self.plain is None else self.plain

    @cached_property
    def _truth(self) -> np.ndarray | None:
        known = TRUTH_VALUES | {None: np.nan}
        try:
            return np.array([known[text and text.lower()] for text in self.texts], dtype=np.float64)
        except KeyError:
            return None

    @cached_property
    def texts(self) -> list[str | None]:
        """The n texts, None where a value is missing; whole numbers have no decimal point."""
        values: list[str | float | None] = self.values.tolist()
        if self.values.dtype.kind == "f":
            return [None if hole else f"{value:.17g}" for value, hole in zip(values, self.holes, strict=True)]
        return [None if value is None else str(value) for value in values]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often each text occurs, in the order of the texts."""
        found: dict[str, int] = {}
        for text in self.texts:
            if text is not None:
                found[text] = found.get(text, 0) + 1
        return dict(sorted(found.items()))

    @property
    def missing(self) -> int:
        """How many values are missing."""
        return int(self.holes.sum())

    def block(self, known: tuple[str, ...] | None) -> np.ndarray:
        """(n, 1) numbers, or (n, k) of 0 and 1 where k texts are known: which of them each row holds."""
        return cast(np.ndarray, self.numbers)[:, None] if known is None else self.one_hot(known)

    def one_hot(self, known: tuple[str, ...]) -> np.ndarray:
        """(n, k) of 0 and 1: which of k known texts each row holds; missing and unknown texts give zeros.

        Parameters
        ----------
        known : the texts, in the order of the columns that come out.
        """
        place = {text: i for i, text in enumerate(known)}
        codes = np.array([place.get(text, -1) if text is not None else -1 for text in self.texts], dtype=np.intp)
        block = np.zeros((len(codes), len(known)))
        rows = np.flatnonzero(codes >= 0)
        block[rows, codes[rows]] = 1.0
        return block

    def spelled(self, known: tuple[str, ...] | None) -> "Column":
        """The column with its truth values written as the known texts are, where those are truth values.

        Parameters
        ----------
        known : the texts that a model has for the column; None for numbers.
        """
        words = {TRUTH_VALUES.get(text.lower()): text for text in known or ()}
        if not words or None in words or self.numbers is None or not np.isin(self.numbers[~self.holes], (0, 1)).all():
            return self
        texts = np.empty(len(self.values), dtype=object)
        pairs = zip(self.numbers.tolist(), self.holes, strict=True)
        texts[:] = [None if hole else words.get(value, str(bool(value))) for value, hole in pairs]
        return Column(texts)


@dataclass
class Survey:
    """Counts over a column.

    Parameters
    ----------
    most : texts are counted until there are more than so many different ones; None counts all, numbers included.
    missing : how many values are missing.
    rows : how many values look like what, see `patterns.pattern`.
    first : the first row that looks so, and its text; not for numbers.
    found : how often each text occurs.
    rising : whether all values so far are whole numbers, each larger than the one before.
    """

    most: int | None
    missing: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    first: dict[str, tuple[int, str]] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    rising: bool = True
    _last: float = -np.inf

    @property
    def present(self) -> int:
        """How many values are not missing."""
        return self.rows.total()

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers throughout, or truth values throughout."""
        return self.present in (self.rows[NUMBER], self.rows[TRUTH])

    @property
    def odd(self) -> tuple[int, str]:
        """The first row whose text is no number, and the text."""
        return min(self.first.values())

    @property
    def counts(self) -> dict[str, int]:
        """How often each text occurs, in the order of the texts; not of all texts where they are too many."""
        return dict(sorted(self.found.items()))

    @property
    def different_numbers(self) -> int:
        """How many of the texts that were counted are numbers."""
        return sum(is_number(text) for text in self.found)

    def add(self, column: Column, first: int = 0, *, last: bool = False) -> None:
        """Look at the next piece.

        Parameters
        ----------
        column : the piece.
        first : the number of its first row.
        last : whether no piece follows, so that the texts of a column of numbers need not be counted.
        """
        self.missing += column.missing
        self._look(column, first)
        self._climb(column)
        if self.most is not None and (column.values.dtype.kind == "f" or (last and self.numeric)):
            return
        if self.most is None or len(self.found) <= self.most:
            for text, count in column.counts.items():
                self.found[text] = self.found.get(text, 0) + count

    def _look(self, column: Column, first: int) -> None:
        """Count what the values look like."""
        if column.plain is not None:
            self.rows[NUMBER] += len(column.values) - column.missing
            return
        looks = {text: pattern(text) for text in column.counts}
        for row, text in enumerate(column.texts, start=first):
            if text is not None:
                self.rows[looks[text]] += 1
                if looks[text] != NUMBER:
                    self.first.setdefault(looks[text], (row, text))

    def _climb(self, column: Column) -> None:
        """Go on looking whether the values rise."""
        self.rising = self.rising and column.plain is not None and not column.missing
        if not self.rising or column.plain is None or not len(column.plain):
            return
        values = column.plain
        self.rising = bool(
            values[0] > self._last and (np.diff(values) > 0).all() and (values == np.floor(values)).all()
        )
        self._last = float(values[-1])


def learn(
    source: str, surveys: Mapping[str, Survey], categorical: tuple[str, ...], place: Callable[[int], str]
) -> tuple[Encoding, list[str]]:
    """How the columns become numbers, and what the user should know.

    Parameters
    ----------
    source : how messages name the table.
    surveys : what is known of each column.
    categorical : the columns that become one column for each text, whatever the texts look like.
    place : how messages name a row.

    Raises
    ------
    InputError
        If a column can't be used: times, names of rows, numbers but for a few cells, too many texts.
    """
    problems: dict[str, str] = {}
    categories: list[tuple[str, ...] | None] = []
    for name, survey in surveys.items():
        problem = _too_many(name, survey) if name in categorical else _problem(name, survey, place)
        problems |= {} if problem is None else {name: problem}
        categories.append(tuple(survey.counts) if name in categorical or not survey.numeric else None)
    if problems:
        first, *others = problems
        count = f"{len(others)} more column{'s' * (len(others) > 1)}"
        more = f"; the same goes for {count}: {drop_flag(*others)}" if others else ""
        raise InputError(f"{source} has {problems[first]}{more}.")
    notes = [
        f"Column {name} counts up from row to row, as a time or a row number does: if it is one, leave it out with "
        f"{drop_flag(name)}."
        for name, survey in surveys.items()
        if survey.rising and survey.present >= _RISING and name not in categorical
    ]
    return Encoding(columns=tuple(surveys), categories=tuple(categories)), notes


def _problem(name: str, survey: Survey, place: Callable[[int], str]) -> str | None:
    """Why a column that the user says nothing about can't be used, or None."""
    if survey.numeric:
        return None
    present, numbers = survey.present, survey.rows[NUMBER]
    notation = next((n for n in NOTATIONS if survey.rows[n]), None)
    if notation and 2 * (numbers + sum(survey.rows[n] for n in NOTATIONS)) >= present:
        row, text = survey.first[notation]
        return (
            f"numbers with {notation} in column {name}, the first in {place(row)}: {quoted(text)}; expected digits "
            f"with a decimal point, such as 1234.5: {_ways(name)}"
        )
    if _mostly_numbers(survey):
        return _few_texts(name, survey, place)
    if survey.rows[TIME] >= _TIMES * present:
        row, text = survey.first[TIME]
        return (
            f"times in column {name}, the first in {place(row)}: {quoted(text)}; expected numbers or texts that name "
            f"kinds of rows: {_ways(name)}"
        )
    return _names_of_rows(name, survey) or (_many(name, survey) if len(survey.found) > MOST_TEXTS else None)


def _mostly_numbers(survey: Survey) -> bool:
    """Whether most cells, or most of a few different ones, are numbers."""
    if 2 * survey.rows[NUMBER] > survey.present:
        return True
    return len(survey.found) <= MOST_TEXTS and 2 * survey.different_numbers > len(survey.found)


def _few_texts(name: str, survey: Survey, place: Callable[[int], str]) -> str:
    row, text = survey.odd
    texts = survey.present - survey.rows[NUMBER]
    units = " (a line of units?)" if row == 0 and texts == 1 else ""
    cells = "cell that is no number" if texts == 1 else "cells that are no numbers"
    return (
        f"numbers in column {name} but for {texts} {cells}, the first in {place(row)}{units}: {quoted(text)}; correct "
        f"or empty {'it' if texts == 1 else 'them'}, {_ways(name)}"
    )


def _names_of_rows(name: str, survey: Survey) -> str | None:
    different = len(survey.found)
    if different > MOST_TEXTS or different < _FEW_ROWS or different <= _NAMES * survey.present:
        return None
    return (
        f"{different} different texts in the {survey.present} rows of column {name}, e.g. {quoted(min(survey.found))}, "
        f"which look like names of rows: {_ways(name)}"
    )


def _many(name: str, survey: Survey) -> str:
    return (
        f"more than {MOST_TEXTS} different texts in column {name}, e.g. {quoted(survey.odd[1])}, too many for "
        f"one column each: {_ways(name)}"
    )


def _too_many(name: str, survey: Survey) -> str | None:
    if len(survey.found) <= _MOST_ASKED:
        return None
    return f"more than {_MOST_ASKED} different texts in column {name}: leave it out with {drop_flag(name)}"


def _ways(name: str) -> str:
    return f"leave the column out with {drop_flag(name)}, or give each text a column with {categorical_flag(name)}"


def matrix(features: Mapping[str, Column], encoding: Encoding) -> np.ndarray:
    """Columns as numbers (n, d): those of numbers as they are, those of texts one-hot."""
    pairs = zip(encoding.columns, encoding.categories, strict=True)
    return np.concatenate([features[name].block(texts) for name, texts in pairs], axis=1)
