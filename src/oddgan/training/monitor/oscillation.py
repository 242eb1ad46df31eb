"""Oscillation of training: the autocorrelation of what epochs end with."""

from dataclasses import dataclass

import torch
from torch import Tensor

WINDOWS = (18, 36, 72)


@dataclass(frozen=True)
class Swing:
    """The oscillation of a path.

    Parameters
    ----------
    period : steps until it is where it was.
    opposite, again : its autocorrelation after half a period and after a whole one, in [-1, 1].
    amplitude : root mean square distance from its mean.
    settling : amplitude of the second half over that of the first.
    """

    period: int
    opposite: float
    again: float
    amplitude: float
    settling: float


def swing(path: Tensor) -> Swing | None:
    r"""Return the oscillation of a path (t, p): the period whose half has the least autocorrelation.

    .. math:: r(l) = \frac{\frac{1}{t - l} \sum_i \langle d_i, d_{i+l} \rangle}{\frac{1}{t} \sum_i \|d_i\|^2}

    with d the path without its mean and its linear trend. Half a period is at most t/6, so that three periods are seen.
    None for fewer than six steps, or a path that stays.
    """
    t = len(path)
    time = torch.linspace(-1, 1, t, dtype=torch.float64)[:, None]
    d = path.double() - path.double().mean(dim=0)
    d = d - time * ((time * d).sum(dim=0) / time.square().sum())
    power = d.square().sum(dim=1)
    if t < 6 or power.mean() <= 1e-24 * path.double().square().mean().clamp(min=1e-12):
        return None

    def r(lag: int) -> float:
        return ((d[:-lag] * d[lag:]).sum() / (t - lag) / power.mean()).item()

    half = min(range(1, t // 6 + 1), key=r)
    period = max((lag for lag in (2 * half - 1, 2 * half, 2 * half + 1) if lag > 1), key=r)
    late, early = power[t // 2 :].mean().sqrt(), power[: t // 2].mean().sqrt()
    return Swing(period, r(half), r(period), power.mean().sqrt().item(), (late / early.clamp(min=1e-12)).item())


def swings(path: Tensor) -> list[Swing]:
    """Return the oscillations of the last 18, 36 and 72 steps of a path (t, p), as far as it is that long."""
    return [found for window in WINDOWS if len(path) >= window and (found := swing(path[-window:])) is not None]
