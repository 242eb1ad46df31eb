"""Which columns of a table become numbers, which one column for each text, and which can't be used."""

from collections.abc import Callable, Mapping

from oddgan._core.errors import InputError
from oddgan.data.dataset import Encoding
from oddgan.data.patterns import NOTATIONS, NUMBER, TIME, quoted
from oddgan.data.selection import categorical_flag, drop_flag
from oddgan.data.survey import Survey

MOST_TEXTS = 30  # that become one column each without being asked for
_MOST_ASKED = 10_000
_FEW_ROWS = 6  # from so many texts on, texts that hardly occur twice are names of rows
_NAMES = 0.8  # of the rows hold a text of their own in a column of names
_TIMES = 0.9
_RISING = 20  # rows from which on whole numbers that only rise are pointed out


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
