"""Fields of options: how they are checked, and how each becomes an argument or a flag of the command line."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from oddgan._core.docstrings import parameter_docs
from oddgan._core.errors import InputError


class UsageError(InputError):
    """An option or a parameter that can't be used as given."""

    exit_code = 2


@dataclass(frozen=True)
class Flag:
    """What the command line needs to know of a field beside its type, default and docstring.

    Parameters
    ----------
    group : the heading in `--help`; None marks an argument that is given by its place instead of its name.
    name : the flag without its dashes; empty takes the field's name.
    parse : from the words given to the value; None where the type says it all.
    repeatable : `parse` takes a tuple of words.
    hidden : the command fills it in.
    """

    group: str | None = "Output"
    name: str = ""
    parse: Callable[[Any], Any] | None = None
    repeatable: bool = False
    hidden: bool = False


ARGUMENT = Flag(group=None)


@dataclass(frozen=True)
class Range:
    """The values that a number may have.

    Parameters
    ----------
    least, above : the lowest value, or what it must exceed.
    most, below : the highest value, or what it must not reach.
    """

    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        low = (self.least is None or value >= self.least) and (self.above is None or value > self.above)
        return low and (self.most is None or value <= self.most) and (self.below is None or value < self.below)

    def __str__(self) -> str:
        words = {"at least": self.least, "above": self.above, "at most": self.most, "below": self.below}
        return " and ".join(f"{word} {value}" for word, value in words.items() if value not in (None, math.inf))


@dataclass(frozen=True)
class Field:
    """A field of an options class.

    Parameters
    ----------
    name, default, help : its name, its default, and its line in the docstring.
    kind : its type.
    flag : how it is given on the command line.
    range : what a number may be; None allows any.
    """

    name: str
    kind: Any
    default: Any
    help: str
    flag: Flag
    range: Range | None

    @property
    def arms(self) -> tuple[Any, ...]:
        """The types of a union, or the one type."""
        return get_args(self.kind) if get_origin(self.kind) in {Union, UnionType} else (self.kind,)

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is dataclasses.MISSING

    @property
    def switch(self) -> bool:
        """Whether it is on or off; one that is on by default has the flag `--no-NAME`."""
        return self.kind is bool

    @property
    def option(self) -> str:
        """The name of its flag, without dashes."""
        return self.flag.name or f"{'no-' * (self.switch and self.default)}{self.name}".replace("_", "-")

    def wrong(self, value: Any) -> str:
        """What is expected instead of a value; empty if it can be taken."""
        choices = tuple(choice for arm in self.arms if get_origin(arm) is Literal for choice in get_args(arm))
        if value is None and NoneType in self.arms:
            return ""
        if choices and value not in choices:
            return " or ".join(map(str, choices))
        if bool in self.arms and not isinstance(value, bool):
            return "true or false"
        if isinstance(value, str) and get_origin(self.kind) is tuple:
            return "a tuple of texts"
        if self.range is not None:
            number, text = (Real, "a number") if float in self.arms else (Integral, "a whole number")
            if isinstance(value, bool) or not isinstance(value, number) or float(value) not in self.range:
                return f"{text}, {self.range}"
        return ""


@cache
def fields_of(cls: Any) -> tuple[Field, ...]:
    """The fields of an options class, those of its bases first."""
    return tuple(_fields(cls))


def _fields(cls: Any) -> Iterator[Field]:
    texts, hints = parameter_docs(cls), get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        kind, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        flag = next((mark for mark in marks if isinstance(mark, Flag)), Flag())
        limits = next((mark for mark in marks if isinstance(mark, Range)), None)
        yield Field(field.name, kind, default, texts[field.name], flag, limits)


def check_fields(options: object, dashes: str = "") -> None:
    """Refuse values that a field does not take; a text becomes a `Path` where one is expected.

    Parameters
    ----------
    options : an options class's instance.
    dashes : what messages put before a field's name, "--" where it is a flag.

    Raises
    ------
    UsageError
        If a value is none of a field's choices, out of its range, or one text instead of a tuple of them.
    """
    cls: Any = type(options)
    for field in fields_of(cls):
        value = getattr(options, field.name)
        if isinstance(value, str) and Path in field.arms:
            object.__setattr__(options, field.name, Path(value))
        expected = field.wrong(value)
        if expected:
            raise UsageError(f"{dashes}{field.option if dashes else field.name} is {value!r}; expected {expected}.")
