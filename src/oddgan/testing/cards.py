"""Checks of what a detector says about itself: its card, its documentation, its tiny settings."""

import dataclasses
import re
from datetime import UTC, datetime
from typing import ClassVar, get_origin, get_type_hints

from oddgan._core.docstrings import parameter_docs
from oddgan.base import KINDS
from oddgan.detectors import classes
from oddgan.testing.checks import check, require
from oddgan.testing.subject import Subject


@check()
def card_is_complete(subject: Subject, _case: str) -> None:
    """The card names paper, year and link, and sums the method up in one line of at most 80 characters."""
    card = subject.cls.card
    for name in ("name", "title", "authors", "summary", "needs"):
        require(getattr(card, name).strip() == getattr(card, name) != "", f"{name} is empty or has spaces around it.")
    require(1900 <= card.year <= datetime.now(tz=UTC).year, f"year is {card.year}.")
    require(re.fullmatch(r"https://\S+", card.link), f"link is {card.link!r}.")
    require(card.kinds, f"kinds is empty, but must be of {KINDS}.")
    require(len(card.summary) <= 80 and "\n" not in card.summary, f"summary has {len(card.summary)} characters.")


@check()
def name_is_its_own(subject: Subject, _case: str) -> None:
    """No detector of oddgan has the class's name, or models of one would be loaded as the other."""
    name = subject.cls.__name__
    require(classes().get(name, subject.cls) is subject.cls, f"{name} is the name of one of oddgan's.")


@check()
def parameters_are_documented(subject: Subject, _case: str) -> None:
    """Each field is described under Parameters of the docstring, which is also the command line's help."""
    docs, names = parameter_docs(subject.cls), {f.name for f in dataclasses.fields(subject.cls)}
    plain = {k for k, hint in get_type_hints(subject.cls).items() if ClassVar not in (hint, get_origin(hint))} - names
    require(not plain, f"{sorted(plain)} would be parameters if @hyperparameters stood above the class.")
    missing, strange = sorted(name for name in names if not docs.get(name)), sorted(docs.keys() - names)
    require(not missing and not strange, f"Missing: {missing}; no fields: {strange}.")


@check()
def tiny_settings_are_parameters(subject: Subject, _case: str) -> None:
    """`tiny` holds parameters of the class."""
    names = {f.name for f in dataclasses.fields(subject.cls)}
    require(subject.cls.tiny.keys() <= names, f"No parameters: {sorted(subject.cls.tiny.keys() - names)}.")
