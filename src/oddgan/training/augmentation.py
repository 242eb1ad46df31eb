"""Data augmentation of training batches."""

from dataclasses import dataclass

import torch
from torch import Tensor

from oddgan._core.errors import InputError


@dataclass(frozen=True)
class TimeWarp:
    """Time warping of series: a little faster here and slower there, as heartbeats are; their length stays.

    On each side of a pivot some random steps are dropped and as many others doubled: the mean of the step and its
    successor is put in behind. So the pivot, e.g. the R peak, stays in its place. The last step is never moved.

    B. Zhou, S. Liu, B. Hooi, X. Cheng, J. Ye: BeatGAN, IJCAI 2019, whose released code drops and doubles 7 of 320 steps
    on each side of step 140. There, warped copies are made once and join the training rows; here, batches are warped
    afresh. A side drops at most half of its steps, and at least one if it has two.

    Parameters
    ----------
    steps : how many steps each side drops, as a share of the whole series, in (0, 1).
    pivot : where the sides meet, as a share of the whole series, in [0, 1]; 0 for beats that start at their R peak.
    share : the share of rows that are warped, in (0, 1]; n copies of each row are n / (n + 1).
    """

    steps: float = 7 / 320
    pivot: float = 140 / 320
    share: float = 0.5

    def __post_init__(self) -> None:
        if not (0 < self.steps < 1 and 0 <= self.pivot <= 1 and 0 < self.share <= 1):
            raise InputError(
                f"TimeWarp takes steps in (0, 1), pivot in [0, 1] and share in (0, 1], but got {self.steps}, "
                f"{self.pivot} and {self.share}."
            )

    def __call__(self, x: Tensor) -> Tensor:
        """Return series (n, c, t), some of them warped; draws from torch's global generator.

        Raises
        ------
        InputError
            If x holds no series.
        """
        if x.ndim != 3:
            raise InputError(f"TimeWarp takes series (n, c, t), but got {tuple(x.shape)}.")
        n, _, t = x.shape
        times, pivot = torch.ones(n, t, dtype=torch.long), round(self.pivot * (t - 1))
        for start, stop in ((0, pivot), (pivot, t - 1)):
            few = min(max(1, round(self.steps * t)), (stop - start) // 2)
            order = start + torch.rand(n, stop - start).argsort(dim=1)
            times.scatter_(1, order[:, :few], 0).scatter_(1, order[:, few : 2 * few], 2)
        times[torch.rand(n) >= self.share] = 1
        # Output step k shows input step `source[k]`, or its mean with the next where it comes for the second time.
        source = torch.arange(t).repeat(n).repeat_interleave(times.flatten()).view(n, t).to(x.device)
        second = torch.zeros_like(source, dtype=torch.bool)
        second[:, 1:] = source[:, 1:] == source[:, :-1]
        here = x.gather(2, source[:, None].expand_as(x))
        after = x.gather(2, (source + second)[:, None].expand_as(x))
        return (here + after) / 2
