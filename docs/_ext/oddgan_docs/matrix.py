"""What runs on what: methods, and networks, against kinds of data."""

import functools
import importlib
import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from oddgan._core.errors import InputError
from oddgan.base import Detector, Encodes, Kind, Reconstructs, Samples
from oddgan.base.components import CHI, EMPIRICAL
from oddgan.detectors import classes, methods
from oddgan.networks import Backbone
from oddgan_docs.catalogue import ordered, table

COLUMNS: tuple[Kind, ...] = ("table", "series", "image")
SHAPES: dict[Kind, tuple[int, ...]] = {"table": (5,), "series": (2, 64), "image": (1, 32, 32)}
DERIVED = {"critic_centred", *CHI, *EMPIRICAL}
YES, NO = "✓", "–"
# Many short columns: see the style sheet.
NARROW = "```{rst-class} matrix\n```\n\n"


def capabilities(cls: type[Detector]) -> dict[str, bool]:
    """What a method can do beyond scoring, and whether it is trained with an adversary."""
    return {
        "reconstructs": issubclass(cls, Reconstructs),
        "localises": hasattr(cls(), "anomaly_map"),
        "encodes": issubclass(cls, Encodes),
        "samples": issubclass(cls, Samples),
        "searches": hasattr(cls, "invert"),
        "GAN": cls.card.gan,
    }


@functools.cache
def components(name: str) -> tuple[str, ...]:
    """The components of a method's score, without those that every method derives from others.

    A tiny detector tells: which components there are depends on its parts.
    """
    x = np.random.default_rng(0).normal(size=(24, *SHAPES["table"]))
    cls = classes()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one epoch is too few for anything else
        detector = cls(**{"random_state": 0} | dict(cls.tiny)).fit(x)
    return tuple(c for c in detector.score_components(x[:2], extra="all") if c not in DERIVED)


def methods_matrix() -> str:
    """One line a method: kinds of data and capabilities."""
    rows = [
        [_name(name), *map(mark, [*(kind in cls.card.kinds for kind in COLUMNS), *capabilities(cls).values()])]
        for name, cls in _listed()
    ]
    return NARROW + table(["class", *COLUMNS, *capabilities(_listed()[0][1])], rows)


def methods_components() -> str:
    """One line a method: its components, those of its score by default in bold."""
    rows = []
    for name, cls in _listed():
        counted = cls().composition.uses
        rows.append([_name(name), ", ".join(f"**{c}**" if c in counted else c for c in components(name))])
    return table(["class", "components"], rows)


def _listed() -> list[tuple[str, type[Detector]]]:
    """The methods; of what is made of detectors, those decide."""
    return [pair for _, members in ordered() for pair in members if pair[0] in methods()]


def _name(name: str) -> str:
    return f"[`{name}`](#{name.lower()})"


def mark(yes: bool) -> str:
    """A cell."""
    return YES if yes else NO


def backbones() -> dict[str, Backbone]:
    """The families of networks as they are by default."""
    networks = importlib.import_module("oddgan.networks")
    found: Iterator[tuple[str, Any]] = ((name, getattr(networks, name)) for name in networks.__all__)
    return {n: c() for n, c in found if isinstance(c, type) and issubclass(c, Backbone) and not inspect.isabstract(c)}


def serves(backbone: Backbone, kind: Kind) -> bool:
    """Whether the networks take this kind of data."""
    try:
        backbone.check(SHAPES[kind])
    except InputError:
        return False
    return True


def networks_matrix() -> str:
    """One line a family of networks."""
    rows = [
        [f"[`{name}`](parts.md#{name.lower()})", *(mark(serves(backbone, kind)) for kind in COLUMNS)]
        for name, backbone in backbones().items()
    ]
    return NARROW + table(["networks", *COLUMNS], rows)
