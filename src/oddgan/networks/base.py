"""Backbone, the interface of network factories, and Judgement, the output of a critic."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Self, cast

import numpy as np
from torch import Tensor, nn

from oddgan._core.errors import InputError

CodeOutput = Literal["linear", "tanh", "sigmoid", "sphere"]
SampleOutput = Literal["linear", "tanh", "sigmoid"]
Norm = Literal["batch", "layer", "group", "none"]
Init = Literal["default", "dcgan", "xavier", "he", "equalised"]


class Judgement(NamedTuple):
    """The output of a critic for n samples.

    Parameters
    ----------
    logit : how real each sample looks, before any sigmoid, (n,).
    features : an inner representation of each sample, (n, ...), for feature matching.
    each : what each of several critics says; empty for one.
    """

    logit: Tensor
    features: Tensor
    each: tuple["Judgement", ...] = ()


@dataclass(frozen=True, kw_only=True)
class Backbone(ABC):
    """A recipe for encoders, decoders and critics that serve samples of a shape.

    Shapes are without the batch: `(d,)` for tables, `(c, t)` for series, `(c, h, w)` for images. Weights are drawn
    from torch's global generator.
    """

    def __call__(self, shape: tuple[int, ...]) -> "Backbone":
        """Return the backbone that serves samples of this shape, or raise InputError: itself, unless it chooses."""
        self.check(shape)
        return self

    @abstractmethod
    def check(self, shape: tuple[int, ...]) -> None:
        """Raise InputError where samples of this shape can't be served, saying which can."""

    @abstractmethod
    def encoder(self, shape: tuple[int, ...], out: int, *, output: CodeOutput = "linear") -> nn.Module:
        """Build a network from samples (n, *shape) to codes (n, out).

        Parameters
        ----------
        shape : shape of a sample.
        out : length of a code, at least 1.
        output : range of the codes: any number ("linear"), (-1, 1) ("tanh"), (0, 1) ("sigmoid"), or the sphere of
            radius √out ("sphere").

        Raises
        ------
        InputError
            If the shape can't be served, or an argument is none of the above.
        """

    @abstractmethod
    def decoder(self, dim: int, shape: tuple[int, ...], *, output: SampleOutput = "linear") -> nn.Module:
        """Build a network from codes (n, dim) to samples (n, *shape).

        Parameters
        ----------
        dim : length of a code, at least 1.
        shape : shape of a sample.
        output : range of the samples: any number ("linear"), (-1, 1) ("tanh"), or (0, 1) ("sigmoid").

        Raises
        ------
        InputError
            If the shape can't be served, or an argument is none of the above.
        """

    @abstractmethod
    def critic(self, shape: tuple[int, ...], *others: tuple[int, ...]) -> nn.Module:
        """Build a network from one or more inputs to a Judgement: logit (n,) and features (n, ...).

        Parameters
        ----------
        shape : shape of the first input.
        others : shapes of further inputs, judged together with the first: codes `(m,)`, or samples that differ from
            the first in their channels only.

        Raises
        ------
        InputError
            If a shape can't be served, or the shapes don't go together.
        """

    def with_spectral_norm(self) -> Self:
        """Return a copy whose encoders and critics have spectral norm on every weight (Miyato et al., 2018).

        This is for backbones with a field `spectral_norm`; others override it.
        """
        copy: Self = replace(cast(Any, self), spectral_norm=True)
        return copy


def whole(minimum: int = 1, **named: int | np.integer) -> None:
    """Raise InputError unless each named value is a whole number of at least `minimum`."""
    for name, value in named.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
            raise InputError(f"{name} must be a whole number of at least {minimum}, not {value!r}.")


def one_of(known: tuple[str, ...], **named: str) -> None:
    """Raise InputError unless each named value is one of the known."""
    for name, value in named.items():
        if value not in known:
            raise InputError(f"{name} must be one of {', '.join(known)}, not {value!r}.")
