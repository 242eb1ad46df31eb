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
from oddgan.detectors import classes
from oddgan.networks import Backbone
from oddgan_docs.catalogue import ordered, table

COLUMNS: tuple[Kind, ...] = ("table", "series", "image")
SHAPES: dict[Kind, tuple[int, ...]] = {"table": (5,), "series": (2, 64), "image": (1, 32, 32)}
DERIVED = {"critic_centred", *CHI, *EMPIRICAL}
YES, NO = "✓", "–"


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
    """One line a method: kinds of data, capabilities, components; those of its score by default are bold."""
    listed = [(name, cls) for _, members in ordered() for name, cls in members]
    rows = []
    for name, cls in listed:
        cells = [kind in cls.card.kinds for kind in COLUMNS] + list(capabilities(cls).values())
        counted = cls().composition.uses
        named = [f"**`{c}`**" if c in counted else f"`{c}`" for c in components(name)]
        rows.append([f"[`{name}`](#{name.lower()})", *map(mark, cells), ", ".join(named)])
    return table(["class", *COLUMNS, *capabilities(listed[0][1]), "components of the score"], rows)


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
    return table(["networks", *COLUMNS], rows)
