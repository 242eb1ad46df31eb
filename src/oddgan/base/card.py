"""Where a method comes from: the paper, as data."""

from dataclasses import dataclass, field
from typing import Literal

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


def kind_of(shape: tuple[int, ...]) -> Kind:
    """The kind of data by the shape of a sample: (d,) table, (c, t) series, (c, h, w) image."""
    return ("table", "series", "image")[len(shape) - 1]
