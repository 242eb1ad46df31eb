"""Corruption of training rows, from which a critic learns what normal ones look like."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.training.distributed.rows import gathered


def _share(part: str, value: float, name: str = "share") -> None:
    if not 0 < value <= 1:
        raise InputError(f"{part} got {name}={value}: give a number in (0, 1].")


@dataclass(frozen=True, kw_only=True)
class Corruption(ABC):
    """A random change of rows (n, ...) on the network's scale; draws from torch's global generator."""

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor:
        """Return corrupted copies (n, ...) of the rows, in their order."""


@dataclass(frozen=True, kw_only=True)
class GaussianCorruption(Corruption):
    """Noise on every value: x + σ ε, ε ~ N(0, I).

    Parameters
    ----------
    std : standard deviation σ on the network's scale, above 0.
    """

    std: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.std < math.inf:
            raise InputError(f"GaussianCorruption got std={self.std}: give a finite number above 0.")

    def __call__(self, x: Tensor) -> Tensor:
        """Return x + σ ε, (n, ...)."""
        return x + self.std * torch.randn_like(x)


@dataclass(frozen=True, kw_only=True)
class ShuffleCorruption(Corruption):
    """Some pixels, time steps or columns of a row change places: each chosen one gets the values of another.

    Channels move together, so that the row keeps all its values.

    Parameters
    ----------
    share : the share of places that is chosen anew for each row, in (0, 1]; at least two.
    """

    share: float = 0.5

    def __post_init__(self) -> None:
        _share("ShuffleCorruption", self.share)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the rows (n, ...) with some of their places exchanged."""
        flat = x.unsqueeze(1) if x.ndim == 2 else x.flatten(2)
        n, _, places = flat.shape
        chosen = torch.rand(n, places, device=x.device).argsort(1)[:, : max(2, round(self.share * places))]
        source = torch.arange(places, device=x.device).repeat(n, 1).scatter(1, chosen, chosen.roll(1, 1))
        return flat.gather(2, source.unsqueeze(1).expand_as(flat)).view_as(x)


@dataclass(frozen=True, kw_only=True)
class PermutationCorruption(Corruption):
    """Some values are taken from other rows, each from one of its own: what they are alone stays, how they go together
    is lost.

    Parameters
    ----------
    share : the share of columns (values of a row) that is permuted over the batch, in (0, 1]; at least one.
    """

    share: float = 0.5

    def __post_init__(self) -> None:
        _share("PermutationCorruption", self.share)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the rows (n, ...) with some columns permuted over the batch, each by itself."""
        flat = x.flatten(1)
        n, values = flat.shape
        columns = torch.rand(values, device=x.device).argsort()[: max(1, round(self.share * values))]
        order = torch.rand(n, len(columns), device=x.device).argsort(0)
        mixed = flat.clone()
        mixed[:, columns] = flat[:, columns].gather(0, order)
        return mixed.view_as(x)


@dataclass(frozen=True, kw_only=True)
class PatchCorruption(Corruption):
    """A rectangle, interval or run of columns is replaced, at a random place of each row.

    Parameters
    ----------
    size : length of its sides as a share of the row's, in (0, 1]; at least one value.
    how : "paste" puts in a patch from a random place of a random row of the batch, "erase" zeros, which is the middle
        of the network's scale.
    """

    size: float = 0.3
    how: Literal["paste", "erase"] = "paste"

    def __post_init__(self) -> None:
        _share("PatchCorruption", self.size, "size")
        if self.how not in get_args(Literal["paste", "erase"]):
            raise InputError(f"PatchCorruption got how={self.how!r}: give 'paste' or 'erase'.")

    def __call__(self, x: Tensor) -> Tensor:
        """Return the rows (n, ...) with a patch of each replaced."""
        rows = x.unsqueeze(1) if x.ndim == 2 else x
        n, sides = len(rows), rows.shape[2:]
        other = self._others(rows) if self.how == "paste" else torch.zeros_like(rows)
        inside = torch.ones_like(rows, dtype=torch.bool)
        for axis, side in enumerate(sides, start=2):
            length, shape = max(1, round(self.size * side)), [n, *[1] * (rows.ndim - 1)]
            shape[axis] = side
            to, origin = (torch.randint(side - length + 1, (n, 1), device=x.device) for _ in range(2))
            place = torch.arange(side, device=x.device).expand(n, -1)
            inside = inside & ((place >= to) & (place < to + length)).view(shape)
            source = (place - to + origin).clamp(0, side - 1)
            other = other.gather(axis, source.view(shape).expand_as(other))
        return torch.where(inside, other, rows).view_as(x)

    def _others(self, rows: Tensor) -> Tensor:
        """A row of the batch, be it another worker's, for each of these rows (n, ...)."""
        batch = gathered(rows)
        return batch[torch.randint(len(batch), (len(rows),), device=rows.device)]


@dataclass(frozen=True, kw_only=True)
class MixedCorruption(Corruption):
    """Each row is corrupted in one of several ways, drawn at random.

    Parameters
    ----------
    ways : the corruptions, at least one.
    """

    ways: tuple[Corruption, ...] = (
        GaussianCorruption(),
        ShuffleCorruption(),
        PermutationCorruption(),
        PatchCorruption(),
    )

    def __post_init__(self) -> None:
        if not self.ways:
            raise InputError("MixedCorruption got no ways: name at least one corruption.")

    def __call__(self, x: Tensor) -> Tensor:
        """Return the rows (n, ...), each spoiled in one way."""
        spoiled = torch.stack([way(x) for way in self.ways])
        return spoiled[torch.randint(len(self.ways), (len(x),), device=x.device), torch.arange(len(x), device=x.device)]


@dataclass(frozen=True, kw_only=True)
class AutoCorruption(Corruption):
    """Choose the corruption by the shape of the rows: noise for tables and series, pasted patches for images.

    Parameters
    ----------
    table : how rows (n, d) of tables are corrupted.
    series : how series (n, c, t) are.
    image : how images (n, c, h, w) are.
    """

    table: Corruption = GaussianCorruption()
    series: Corruption = GaussianCorruption()
    image: Corruption = PatchCorruption()

    def __call__(self, x: Tensor) -> Tensor:
        """Return the rows (n, ...), corrupted as their kind of data is."""
        chosen = {2: self.table, 3: self.series}.get(x.ndim, self.image)
        return chosen(x)
