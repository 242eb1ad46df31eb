"""What there is to choose from: the methods and their parameters."""

import inspect
from dataclasses import dataclass, fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from oddgan._core.docstrings import parameter_docs
from oddgan.base import Card, Detector, NeuralDetector
from oddgan.detectors import classes
from oddgan.experiments.settings import choices, takes
from oddgan.experiments.wording import in_words

_PLAIN = {bool: "true or false", int: "whole number", float: "number", str: "text"}


@dataclass(frozen=True)
class Parameter:
    """A parameter as help shows it.

    Parameters
    ----------
    name, default, meaning : in words.
    takes : what it can be set to.
    own : it is the method's, rather than one that every method has.
    """

    name: str
    default: str
    meaning: str
    takes: str
    own: bool


def method_rows() -> list[dict[str, Any]]:
    """One entry a method: its name, paper, year, kinds of data and needs, oldest first."""
    cards = [(name, cls.card) for name, cls in classes().items()]
    return [
        card_row(card) | {"class": name, "gan": card.gan}
        for name, card in sorted(cards, key=lambda item: (item[1].year, item[0]))
    ]


def card_row(card: Card) -> dict[str, Any]:
    """What a method is and where it comes from."""
    row = {name: getattr(card, name) for name in ("name", "title", "authors", "year", "link", "summary", "needs")}
    return row | {"kinds": list(card.kinds)}


def parameter_rows(cls: type[Detector]) -> list[Parameter]:
    """The parameters of a method: its own first, then those that every method has."""
    meanings, hints = parameter_docs(cls), takes(cls)
    common = {f.name for base in (Detector, NeuralDetector) for f in fields(base)}
    defaults = {name: p.default for name, p in inspect.signature(cls).parameters.items()}
    rows = [
        Parameter(name, in_words(defaults[name]), meanings.get(name, ""), _takes(hint), name not in common)
        for name, hint in hints.items()
    ]
    return sorted(rows, key=lambda row: not row.own)


def _takes(hint: Any) -> str:
    arms = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    return " or ".join(dict.fromkeys(word for word in map(_word, arms) if word))


def _word(hint: Any) -> str:
    if hint is NoneType:
        return "none"
    if get_origin(hint) is Literal:
        return ", ".join(map(str, get_args(hint)))
    if get_origin(hint) is tuple:
        parts = _word(get_args(hint)[0]) if isinstance(get_args(hint)[0], type) else ""
        return f"{parts} (a list)" if "," in parts else "list"
    if hint in _PLAIN:
        return _PLAIN[hint]
    return ", ".join(sorted(choices(hint))) if isinstance(hint, type) else ""
