"""Method cards: name, paper, kinds of data and deviations of a method, as data."""

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_type_hints

from oddgan._core.annotations import fits, text_of
from oddgan._core.errors import InputError

Kind = Literal["image", "series", "table"]
KINDS: tuple[Kind, ...] = ("image", "series", "table")


@dataclass(frozen=True)
class Card:
    """A method's provenance.

    Parameters
    ----------
    name : the method's name as the field writes it.
    title, authors, year, link : the paper.
    summary : one line for the table of methods.
    kinds : the kinds of data that it takes.
    needs : what it asks of the user beyond data, in a few words.
    deviations : numbered in order; each says what differs from the paper and why.
    gan : whether it is trained with an adversary.
    """

    name: str
    title: str
    authors: str
    year: int
    link: str
    summary: str
    kinds: tuple[Kind, ...] = KINDS
    needs: str = "normal data"
    deviations: tuple[str, ...] = field(default=())
    gan: bool = False

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(Card).items():
            value = getattr(self, name)
            if not fits(value, hint):
                raise InputError(f"Card got {name}={value!r}, but takes {text_of(hint)}.")

    def row(self) -> dict[str, Any]:
        """What the method is and where it comes from, as plain values."""
        names = ("name", "title", "authors", "year", "link", "summary", "needs")
        return {name: getattr(self, name) for name in names} | {"kinds": list(self.kinds)}


def kind_of(shape: tuple[int, ...]) -> Kind:
    """The kind of data by the shape of a sample: (d,) table, (c, t) series, (c, h, w) image."""
    return ("table", "series", "image")[len(shape) - 1]


def read_card(path: Path, name: str) -> Card:
    """Read the card of a class from its source: a listing of methods needs neither torch nor scikit-learn.

    Parameters
    ----------
    path : a file with a class that holds `card: ClassVar[Card] = Card(...)`, all arguments literals.
    name : the class.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    fields = (line for c in tree.body if isinstance(c, ast.ClassDef) and c.name == name for line in c.body)
    for line in fields:
        if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == "card" and isinstance(line.value, ast.Call):
            return Card(**{k.arg: _literal(k.arg, k.value) for k in line.value.keywords if k.arg})
    raise LookupError(f"{path} has no class {name} with a card of literals in its own body")


def _literal(name: str, value: ast.expr) -> Any:
    """The value of an argument that is written out."""
    try:
        return ast.literal_eval(value)
    except ValueError:
        raise LookupError(f"{name} of its card is {ast.unparse(value)}, but must be a literal") from None
