"""Inversion by descent in the latent space, each sample by itself."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.inversion.budget import affordable
from oddgan.inversion.engine import PLAIN, Descent, Execution, Problem
from oddgan.inversion.optimisers import LatentAdam, LatentOptimiser
from oddgan.inversion.restriction import Restriction
from oddgan.inversion.result import Inverted, Loss, Map, Support

# A censored loss is eps less at most this share of it: enough to order ties, too little to matter otherwise.
TIE = 1e-6


@dataclass(frozen=True)
class LatentSearch:
    r"""Search :math:`z^* = \arg\min_z d(x, G(z))` from several starts per sample.

    Every pair of a sample and a start has its own loss, its own optimiser state and its own end: it stops before the
    first step at which its loss is at most `eps`, else after `n_max` steps. Losses are summed, never averaged, over
    samples. A start whose loss is not a number stops, and loses against all others. The pairs take turns on a fixed
    number of slots: one that has ended leaves its slot to the next, so that no step is spent on it. The answer for a
    sample depends neither on the samples beside it nor on the number of slots, but for rounding.

    Parameters
    ----------
    n_max : most steps, at least 1.
    optimiser : how latent points move.
    eps : loss at which a sample counts as found, at least 0.
    reduce : "min" reports the loss of the best start, "mean" the mean loss over the starts.
    drop : None, or a loss and a factor, e.g. (0.05, 0.1): from the first time that a point's loss is below the one, its
        step size is multiplied by the other, as in the survey's system.
    restriction : a support of the search's own, chosen without training again: `Projected`, `SupportPenalty` or
        `Accepted`; None stays on the prior's.
    precision : "fp32", or "bf16" for a search in half precision whose ends and losses are confirmed in full.

    References
    ----------
    T. Schlegl et al.: Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker Discovery,
    2017, https://arxiv.org/abs/1703.05921, section 2.2.
    F. Lüer, C. Böhm: Anomaly Detection using Generative Adversarial Networks, section 4.5: stopping, lower rates.
    """

    n_max: int = 500
    optimiser: LatentOptimiser = field(default=LatentAdam())
    eps: float = 0.0
    reduce: Literal["min", "mean"] = "min"
    drop: tuple[float, float] | None = None
    restriction: Restriction | None = None
    precision: Literal["fp32", "bf16"] = "fp32"

    def __post_init__(self) -> None:
        if self.n_max < 1 or not 0 <= self.eps < math.inf:
            raise InputError(
                f"LatentSearch got n_max={self.n_max} and eps={self.eps}: give n_max of at least 1 and eps of at least "
                "0."
            )
        if self.reduce not in ("min", "mean") or self.precision not in ("fp32", "bf16"):
            raise InputError(
                f"LatentSearch got reduce={self.reduce!r} and precision={self.precision!r}: give "
                '"min" or "mean", and "fp32" or "bf16".'
            )
        if self.drop is not None and (len(self.drop) != 2 or not all(0 < v < math.inf for v in self.drop)):
            raise InputError(f"LatentSearch got drop={self.drop}: give a loss and a factor above 0, or None.")

    def __call__(
        self,
        x: Tensor | tuple[Tensor, ...],
        generator: Map,
        prior: Support,
        loss: Loss,
        starts: Tensor,
        how: Execution = PLAIN,
    ) -> Inverted:
        """Invert samples x (n, ...). Works where gradients are switched off; no weight receives a gradient.

        Parameters
        ----------
        x : samples (n, ...), at least one, or all that `loss` needs to know of them, (n, ...) each.
        generator : maps z (k, m) to samples (k, ...), each row by itself: in evaluation mode.
        prior : its `project` brings z (k, m) back to the support after each step, unless `restriction` does.
        loss : maps what is known of samples, and reconstructions, to one loss per sample, (k,).
        starts : latent points (n_seed, m) that the search starts from, the same for every sample, or (n, n_seed, m).
        how : how many points the generator sees at once, a draft in lower precision, who is told how far it is.

        Returns
        -------
        For each sample the best start's z and G(z). With reduce="min" also its loss and steps; with reduce="mean" the
        starts' mean loss and the most steps that any of them took. Converged: the reported loss is at most `eps`.

        Raises
        ------
        InputError
            If there are no samples or starts, or the loss is not one differentiable value per sample.
        """
        known = x if isinstance(x, tuple) else (x,)
        n = len(known[0])
        if n == 0 or starts.ndim not in (2, 3) or starts.numel() == 0 or (starts.ndim == 3 and len(starts) != n):
            raise InputError(
                f"LatentSearch takes at least one sample and starts (n_seed, m) or (n, n_seed, m), but got the shapes "
                f"{tuple(known[0].shape)} and {tuple(starts.shape)}."
            )
        rule, support = self.restriction, prior
        if rule is not None:
            support, starts = rule.walk(prior), rule.enter(starts)
        with torch.inference_mode(mode=False), torch.enable_grad():
            found = Descent(self, known, Problem(generator, loss, rule), support, starts, how).run()
        each = found.loss.view(n, -1)
        best = torch.where(each.isnan(), math.inf, each).argmin(dim=1)
        pick = torch.arange(n, device=each.device) * each.shape[1] + best
        z, least, steps = found.z[pick], found.loss[pick], found.steps[pick]
        y = found.y[pick] if found.y is not None else how.slots.map(generator, z)
        censored = self._censored(found.loss, found.steps).view(n, -1)
        if self.reduce == "min":
            return Inverted(z, y, least, steps, least <= self.eps, censored.gather(1, best[:, None])[:, 0])
        mean, most = each.mean(dim=1), found.steps.view(n, -1).amax(dim=1)
        return Inverted(z, y, mean, most, mean <= self.eps, censored.mean(dim=1))

    def _censored(self, loss: Tensor, steps: Tensor) -> Tensor:
        r"""Losses as scores: :math:`\max(\text{loss}, \epsilon)`, ties at eps ordered by the steps that were taken."""
        tie = self.eps * (1 - TIE * (1 - steps.double() / (self.n_max + 1)))
        return torch.where(loss <= self.eps, tie, loss.double())

    def calibrate(self, budget_ms: float, run: Callable[["LatentSearch"], object], n: int) -> "LatentSearch":
        """Return this search with the n_max that a budget pays for on the machine at hand.

        Parameters
        ----------
        budget_ms : milliseconds for each sample, above 0.
        run : runs the search that it is given on n samples.
        n : the number of samples.

        Raises
        ------
        InputError
            If the budget does not pay for one step.
        """
        steps = affordable(budget_ms, lambda steps: run(replace(self, n_max=steps, eps=0.0)), n)
        return replace(self, n_max=steps)
