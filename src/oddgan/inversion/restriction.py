"""Restrictions of a latent search: a support other than the prior's in training."""

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from oddgan._core.checks import positive
from oddgan._core.errors import InputError
from oddgan.inversion.optimisers import State
from oddgan.inversion.result import Support

# A point that projecting moves by no more than this, in units of the type's rounding at its size, is inside.
ROUNDING = 16


class Price(NamedTuple):
    """The penalty of latent points: value (k,), its gradient (k, m), and a bound of its curvature, (k,)."""

    value: Tensor
    gradient: Tensor
    curvature: Tensor


@dataclass(frozen=True)
class Restriction(ABC):
    """Where a search may find latent points: a prior other than that of training, e.g. a tighter truncation.

    Nothing is trained again. The three forms differ in what happens to points outside.

    Parameters
    ----------
    support : where points belong: `TruncatedNormal(limit)`, `Uniform(low, high)`, `Shell(k)`, `Sphere()`, or anything
        else that can `project`. Only the set counts: a truncated normal and a uniform box of the same bounds are one.
    """

    support: Support

    accepts: ClassVar[bool] = False
    """Whether a search keeps the best point inside, rather than its last one."""

    def __post_init__(self) -> None:
        if not isinstance(self.support, Support):
            raise InputError(
                f"{type(self).__name__} got support={self.support!r}: give a prior, e.g. TruncatedNormal(limit=1.0)."
            )

    def contains(self, z: Tensor) -> Tensor:
        """Return which of the points (k, m) lie on the support, but for rounding: (k,) bool."""
        away, size = ((z - self.support.project(z)).abs().amax(dim=1), z.abs().amax(dim=1))
        return away <= ROUNDING * torch.finfo(z.dtype).eps * (1 + size)

    def walk(self, prior: Support) -> Support:
        """Return what each step of a search is projected onto."""
        return prior

    def enter(self, starts: Tensor) -> Tensor:
        """Return where to start instead of (..., m)."""
        return starts

    def price(self, z: Tensor) -> Price | None:
        """Return what is added to the search loss of points (k, m), if anything is."""
        del z
        return None


@dataclass(frozen=True)
class Projected(Restriction):
    """Starts and every step are projected onto the support, in place of the training prior's.

    Boxes clamp each coordinate, shells and spheres rescale z. An encoder's codes are projected, too.
    """

    def walk(self, prior: Support) -> Support:
        """Return the restriction's own support."""
        del prior
        return self.support

    def enter(self, starts: Tensor) -> Tensor:
        """Return the projected starts (..., m)."""
        return self.support.project(starts.flatten(0, -2)).view_as(starts)


@dataclass(frozen=True)
class SupportPenalty(Restriction):
    r"""The squared distance from the support is added to the search loss.

    .. math:: \ell(z) = d(x, G(z)) + w \, \| z - P(z) \|^2, \qquad \nabla_z = \nabla_z d + 2 w \, (z - P(z))

    with P the projection; for a shell ‖z - P(z)‖ is how far ‖z‖ is from its nearer edge. Starts and steps stay on the
    training prior's support only. The loss that is reported, and compared with `eps`, includes the penalty.

    Parameters
    ----------
    weight : w, above 0, in units of the search loss.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, weight=self.weight)

    def price(self, z: Tensor) -> Price:
        """Return the penalty (k,) of z (k, m); its curvature is 2w outside, an upper bound, and 0 inside."""
        away = z - self.support.project(z)
        outside = 2 * self.weight * (away != 0).any(dim=1)
        return Price(self.weight * away.square().sum(dim=1), 2 * self.weight * away, outside.to(z.dtype))


@dataclass(frozen=True)
class Accepted(Restriction):
    """The search goes where it likes on the training prior's support, but only points inside count.

    The answer of a start is the point with the least loss among those inside that it came through, its start included;
    it stops at `eps` only there. A start that never was inside answers with its last point, projected, and the loss
    there. A sphere, on which no step ends but by chance, projects them all.
    """

    accepts: ClassVar[bool] = True


class Best:
    """The best points inside that a search came through so far, as entries of a state that belongs to its rows."""

    Z, LOSS = "accepted", "accepted_loss"

    def __init__(self, restriction: Restriction) -> None:
        self.restriction = restriction

    def start(self, z: Tensor) -> State:
        """Return the state of points (k, m) of which none was looked at."""
        return {self.Z: z.clone(), self.LOSS: torch.full((len(z),), torch.inf, dtype=z.dtype, device=z.device)}

    def note(self, state: State, z: Tensor, loss: Tensor) -> Tensor:
        """Take note of losses (k,) at z (k, m); return which points are the best so far, (k,) bool."""
        better = self.restriction.contains(z) & (loss < state[self.LOSS])
        state[self.Z] = torch.where(better[:, None], z, state[self.Z])
        state[self.LOSS] = torch.where(better, loss.to(z.dtype), state[self.LOSS])
        return better

    def answer(self, state: State, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return answers (k, m), their losses (k,), and which have none yet, since z (k, m) had to be projected."""
        none = state[self.LOSS].isinf()
        return torch.where(none[:, None], self.restriction.support.project(z), state[self.Z]), state[self.LOSS], none


class Kept:
    """The best points inside of rows that end together, with what was drawn there."""

    def __init__(self, restriction: Restriction, z: Tensor, y: Tensor) -> None:
        self.best = Best(restriction)
        self.state, self.y = self.best.start(z), y

    def note(self, z: Tensor, y: Tensor, loss: Tensor) -> None:
        """Take note of losses (k,) at z (k, m), where y (k, ...) is drawn."""
        self.y = torch.where(rowwise(self.best.note(self.state, z, loss), y), y, self.y)

    def answer(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return answers (k, m), their losses (k,), and which have none yet, as `Best.answer` does."""
        return self.best.answer(self.state, z)


def rowwise(chosen: Tensor, y: Tensor) -> Tensor:
    """Return a choice of rows (k,) in a shape that goes with y (k, ...)."""
    return chosen.view(-1, *[1] * (y.ndim - 1))


def restricted(rule: Restriction | None, prior: Support, starts: Tensor) -> tuple[Support, Tensor]:
    """Return the support that steps are projected onto, and where to start instead of (..., m)."""
    return (prior, starts) if rule is None else (rule.walk(prior), rule.enter(starts))
