"""Classes that installed packages register as entry points, found and read without importing them."""

from collections.abc import Iterator, Mapping
from importlib.machinery import PathFinder
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from oddgan._core.card import Card, read_card
from oddgan._core.damage import brief
from oddgan._core.names import canonical


class Registered(NamedTuple):
    """A class that a package registers.

    Parameters
    ----------
    name : the class.
    module : where it is.
    package : the distribution that registers it.
    """

    name: str
    module: str
    package: str

    def card(self) -> Card | str:
        """The card, read from the class's file, or a sentence that says why it can't be read."""
        if not self.name.isidentifier():
            return f"its entry point must be module:Class, but has {self.name}."
        path = source_of(self.module)
        if path is None:
            return f"there is no file of a module {self.module}."
        try:
            return read_card(path, self.name)
        except (LookupError, OSError, SyntaxError, TypeError, ValueError) as error:
            return f"{brief(error)}."


def registered(group: str) -> Iterator[Registered]:
    """The classes that installed packages register in a group of entry points, by name."""
    for point in sorted(entry_points(group=group), key=lambda point: (point.attr or point.value, point.value)):
        yield Registered(
            point.attr or point.value, point.module, point.dist.name if point.dist else "an unknown package"
        )


class Readable(NamedTuple):
    """The classes of a group whose cards can be read.

    Parameters
    ----------
    classes, cards : by name of the class.
    left_out : why others are left out, a sentence each.
    """

    classes: dict[str, Registered]
    cards: dict[str, Card]
    left_out: list[str]


def readable(group: str, kind: str, *, taken: Mapping[str, str]) -> Readable:
    """The classes that installed packages register in a group, with their cards.

    Parameters
    ----------
    group : of entry points.
    kind : what they are, in a word.
    taken : the package of each name that is in use already; names that differ in case or punctuation are the same.
    """
    found = Readable({}, {}, [])
    names = {canonical(name): package for name, package in taken.items()}
    for one in registered(group):
        owner = names.get(canonical(one.name))
        card = one.card() if owner is None else f"another {kind} is called {one.name}, of {owner}: rename yours."
        if isinstance(card, str):
            found.left_out.append(f"The {kind} {one.name} of the package {one.package} is left out: {card}")
        else:
            found.classes[one.name], found.cards[one.name] = one, card
            names[canonical(one.name)] = one.package
    return found


def source_of(module: str) -> Path | None:
    """The file of a module, found without importing the packages that it is in; None if there is none."""
    first, *rest = module.split(".")
    spec, name = find_spec(first), first
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None
