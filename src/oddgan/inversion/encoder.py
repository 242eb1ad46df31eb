"""Inversion by a trained encoder: in one pass, or followed by a few steps of search."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

import torch
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan.inversion.execution import PLAIN, Execution
from oddgan.inversion.optimisers import LatentAdam
from oddgan.inversion.restriction import Projected, restricted
from oddgan.inversion.result import Inverted, Loss, Map, Support
from oddgan.inversion.search import LatentSearch


@dataclass(frozen=True)
class EncoderInversion:
    """Take the encoder's answer, z = E(x), for the latent point: no search, 0 steps, always converged.

    Parameters
    ----------
    restriction : what codes are projected onto, chosen without training again; None takes them as they are. A penalty
        and an acceptance rule need a search: those are for `Hybrid`.
    """

    restriction: Projected | None = None

    def __post_init__(self) -> None:
        if self.restriction is not None and not isinstance(self.restriction, Projected):
            raise InputError(
                f"EncoderInversion got restriction={self.restriction!r}: give Projected(...) or None; the others need "
                "a search, as in Hybrid(LatentSearch(restriction=...))."
            )

    def __call__(self, x: Tensor, generator: Map, encoder: Map, loss: Loss, how: Execution = PLAIN) -> Inverted:
        """Invert samples x (n, ...); no gradients are kept.

        Parameters
        ----------
        x : samples, (n, ...).
        generator : maps z (n, m) to samples (n, ...).
        encoder : maps samples (n, ...) to z (n, m).
        loss : maps samples and reconstructions to one loss per sample, (n,).
        how : how many samples the networks see at once.
        """
        with torch.inference_mode():
            z = how.slots.map(encoder, x)
            z = z if self.restriction is None else self.restriction.enter(z)
            y = how.slots.map(generator, z)
            each = loss(x, y)
        steps = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        return Inverted(z, y, each, steps, torch.ones_like(steps, dtype=torch.bool), each.double())

    def calibrate(self, budget_ms: float, run: object, n: int) -> NoReturn:
        """Raise InputError: there are no steps that a budget could pay for."""
        del run, n
        raise InputError(f"An encoder's inversion takes no steps that {budget_ms:g} ms could pay for: use Hybrid.")


@dataclass(frozen=True)
class Hybrid:
    """Start at the encoder's answer and search a few steps from there.

    Parameters
    ----------
    search : the search; its steps are what is paid for, and its restriction holds for the encoder's answer, too.
    """

    search: LatentSearch = field(default=LatentSearch(n_max=10, optimiser=LatentAdam(lr=0.05)))

    def __call__(
        self,
        x: Tensor | tuple[Tensor, ...],
        generator: Map,
        prior: Support,
        loss: Loss,
        starts: Tensor,
        how: Execution = PLAIN,
    ) -> Inverted:
        """Invert samples x (n, ...), as `LatentSearch` does, from one start for each: the encoder's codes (n, m)."""
        support, _ = restricted(self.search.restriction, prior, starts)
        return self.search(x, generator, prior, loss, support.project(starts)[:, None], how)

    def calibrate(self, budget_ms: float, run: Callable[["Hybrid"], object], n: int) -> "Hybrid":
        """Return this inversion with the steps that a budget pays for, as `LatentSearch.calibrate`."""
        return Hybrid(self.search.calibrate(budget_ms, lambda search: run(Hybrid(search)), n))
