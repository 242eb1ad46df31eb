"""Layers of progressively growing networks: they run at a lower resolution first, and fade in level after level."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan.networks.blocks.layers import CONV, Grow, Sides, shrink

Shape = tuple[list[Sides], list[int]]  # sides and channels of each level, from the smallest on
EPS = 1e-8  # as in the released code


class Period(NamedTuple):
    """A stage of growth: the level, whether it fades in, and its epochs or steps."""

    level: int
    fades: bool
    length: int


@dataclass(frozen=True)
class Timetable:
    """How long each level takes.

    Parameters
    ----------
    shares : epochs of the levels relative to each other, from the smallest on; the last holds for all further ones.
    fade : share of a level's epochs in which it fades in; the first level leaves that time out.
    """

    shares: tuple[float, ...]
    fade: float

    def periods(self, levels: int, length: int) -> list[Period]:
        """Return the periods of `levels` levels in the order of growth, which take a `length` together.

        Each has one epoch or step, and its part of the others, rounded where it ends.

        Raises
        ------
        InputError
            If there are fewer epochs or steps than periods.
        """
        shares = [self.shares[min(i, len(self.shares) - 1)] for i in range(levels)]
        parts = [(i, fades, s * (self.fade if fades else 1 - self.fade)) for i, s in enumerate(shares)
                 for fades in (True, False) if not fades or (i and self.fade)]  # fmt: skip
        spare = length - len(parts)
        if spare < 0:
            raise InputError(
                f"Growing through {levels} levels takes at least {len(parts)} epochs or steps, but there are {length}: "
                "give more, resize the samples, or take networks that don't grow."
            )
        sums = [0.0, *accumulate(part for *_, part in parts)]
        ends = [round(spare * end / sums[-1]) for end in sums]
        return [Period(i, fades, 1 + b - a) for (i, fades, _), (a, b) in zip(parts, pairwise(ends), strict=True)]


class PixelNorm(nn.Module):
    r"""Give the channels of each place a mean square of 1, so that a generator can't escalate.

    .. math:: b_{xy} = a_{xy} / \sqrt{\tfrac1c \sum_j (a^j_{xy})^2 + 10^{-8}}

    Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs, 2018, section 4.2.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, ...) to (n, c, ...)."""
        return x * (x.square().mean(1, keepdim=True) + EPS).rsqrt()


class Growing(nn.Module):
    """A network on samples of several levels of resolution, which runs at one of them or between two.

    Its `stage` s is a buffer: at a whole number the network has the levels 0 to s; between two of them, level ⌈s⌉ fades
    in with the weight α = s - ⌊s⌋. A network starts with all of its levels. Samples keep their full size at every
    stage: what is drawn is repeated up to it, and what is read is averaged down from it, which undo each other exactly.

    Parameters
    ----------
    levels : sides of each level, from the smallest to the samples'.
    ports : for each level, the layers between its maps and samples of its size.
    plan : how long each level takes; None for networks that have all their levels from the start.
    """

    stage: Tensor

    def __init__(self, levels: list[Sides], ports: Sequence[nn.Module], plan: Timetable | None) -> None:
        super().__init__()
        self.levels, self.plan, self.at = levels, plan, float(len(levels) - 1)
        self.ports = nn.ModuleList(ports)
        self.ups = nn.ModuleList(Grow(small, large) for small, large in pairwise(levels))
        self.downs = nn.ModuleList(shrink(large, small) for small, large in pairwise(levels))
        self.register_buffer("stage", torch.tensor(self.at))
        cast(Any, self).register_load_state_dict_post_hook(_stand_where_loaded)

    def grow(self, stage: float) -> None:
        """Stand at this stage from now on.

        Raises
        ------
        InputError
            If there is no such stage.
        """
        if not 0 <= stage <= len(self.levels) - 1:
            last = len(self.levels) - 1
            raise InputError(f"A network of {last + 1} levels has stages from 0 to {last}, not {stage}.")
        if stage != self.at:
            self.at = stage  # the buffer's value where it can be read without waiting for a device
            self.stage.fill_(stage)

    @property
    def place(self) -> tuple[int, float]:
        """The level of the present stage, and its weight α in (0, 1]."""
        level = math.ceil(self.at)
        return level, 1 - (level - self.at)

    def view(self, x: Tensor) -> Tensor:
        """Return samples (n, ...) of full size as they look at the present stage."""
        level, alpha = self.place
        x = self._down(x, level)
        if alpha < 1:
            x = torch.lerp(self.ups[level - 1](self.downs[level - 1](x)), x, alpha)
        return self._up(x, level)

    def row(self) -> list[nn.Module]:
        """Return the layers of the present stage in a row; none while a level fades in, as its two paths are no row."""
        level, alpha = self.place
        return self._row(level) if alpha == 1 else []

    @abstractmethod
    def _row(self, level: int) -> list[nn.Module]:
        """Return the layers that run once `level` has faded in."""

    def _down(self, x: Tensor, level: int) -> Tensor:
        for down in reversed(list(self.downs)[level:]):
            x = down(x)
        return x

    def _up(self, x: Tensor, level: int) -> Tensor:
        for up in list(self.ups)[level:]:
            x = up(x)
        return x


class Reading(Growing):
    """From samples to the smallest map: the body of encoders and critics."""

    def __init__(self, channels: int, shape: Shape, slope: float, plan: Timetable | None) -> None:
        levels, widths = shape
        conv = CONV[len(levels[0])]
        super().__init__(levels, [nn.Sequential(conv(channels, w, 1), nn.LeakyReLU(slope)) for w in widths], plan)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                *(conv(wide, wide, 3, padding=1), nn.LeakyReLU(slope)),
                *(conv(wide, deep, 3, padding=1), nn.LeakyReLU(slope)),
            )
            for deep, wide in pairwise(widths)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map samples (n, c, ...) to maps (n, widths[0], *levels[0])."""
        level, alpha = self.place
        x = self._down(x, level)
        h: Tensor = self.ports[level](x)
        for i in reversed(range(level)):
            h = self.downs[i](self.blocks[i](h))
            if alpha < 1 and i == level - 1:
                h = torch.lerp(self.ports[i](self.downs[i](x)), h, alpha)
        return h

    def _row(self, level: int) -> list[nn.Module]:
        before = reversed(list(self.downs)[level:])
        after = [layer for i in reversed(range(level)) for layer in (self.blocks[i], self.downs[i])]
        return [*before, self.ports[level], *after]


class Drawing(Growing):
    """From the smallest map to samples: the body of decoders.

    Parameters
    ----------
    outputs : the layers that give samples their range.
    """

    def __init__(
        self, channels: int, shape: Shape, slope: float, plan: Timetable | None, outputs: list[nn.Module]
    ) -> None:
        levels, widths = shape
        conv = CONV[len(levels[0])]
        super().__init__(levels, [nn.Sequential(conv(w, channels, 1), *outputs) for w in widths], plan)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                *(conv(deep, wide, 3, padding=1), nn.LeakyReLU(slope), PixelNorm()),
                *(conv(wide, wide, 3, padding=1), nn.LeakyReLU(slope), PixelNorm()),
            )
            for deep, wide in pairwise(widths)
        )

    def forward(self, h: Tensor) -> Tensor:
        """Map maps (n, widths[0], *levels[0]) to samples (n, c, ...)."""
        level, alpha = self.place
        for i in range(level):
            before, h = h, self.blocks[i](self.ups[i](h))
        x: Tensor = self.ports[level](h)
        if alpha < 1:
            x = torch.lerp(self.ups[level - 1](self.ports[level - 1](before)), x, alpha)
        return self._up(x, level)

    def _row(self, level: int) -> list[nn.Module]:
        before = [layer for i in range(level) for layer in (self.ups[i], self.blocks[i])]
        return [*before, self.ports[level], *list(self.ups)[level:]]


def _stand_where_loaded(network: Any, _keys: object) -> None:
    network.at = float(network.stage)
