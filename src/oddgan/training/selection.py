"""Model selection and early stopping by a held-out criterion."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError


@dataclass(frozen=True)
class Selection:
    r"""Keep the weights of the epoch with the best held-out criterion, and stop early once it no longer improves.

    The criteria see normal rows alone, but for "auroc". Lower is better:

    - "reconstruction": the mean of (x - x̂)² over held-out rows and their values, for methods that draw a row again;
      from the phase on in which the last of the networks learns.
    - "features": the Fréchet distance :math:`\|\mu_x - \mu_y\|^2 + \mathrm{tr}(S_x + S_y - 2 (S_x S_y)^{1/2})` between
      held-out rows and as many samples y, on the first principal components (at most 32) of the held-out rows: a
      yardstick that stays, where a critic's own features move. For methods that draw samples.
    - "critic_gap": mean D(x) - mean D(G(z)) over held-out rows and samples: the critic's estimate of the distance
      between them in a Wasserstein game. For methods with a critic that draw samples.
    - a component of the score by name, e.g. "latent" of GANomaly: its mean over held-out rows.
    - "auroc": 1 - AUROC on labelled rows, which must be given: `fit(X, validation=(X_val, y_val))`. That makes the
      detector semi-supervised, and it says so.

    Parameters
    ----------
    criterion : one of the above; None takes "reconstruction", or the first component of the composition for methods
        that draw no row again.
    share : of the training rows that is held out for it, in (0, 1); none where `validation` is given.
    size : at most so many held-out rows are looked at, >= 2.
    every : epochs from one look to the next, >= 1.
    patience : looks without a better value after which a phase ends, >= 1; None lets it run to its end.

    References
    ----------
    L. Prechelt: Early Stopping - But When?, 1998, for patience; M. Heusel et al.: GANs Trained by a Two Time-Scale
    Update Rule Converge to a Local Nash Equilibrium, 2017, for the Fréchet distance, there on a classifier's features.
    """

    criterion: str | None = None
    share: float = 0.1
    size: int = 512
    every: int = 1
    patience: int | None = None

    def __post_init__(self) -> None:
        if (
            not 0 < self.share < 1
            or self.size < 2
            or self.every < 1
            or (self.patience is not None and self.patience < 1)
        ):
            raise InputError(
                "Selection takes share in (0, 1), size of at least 2, every and patience of at least 1, but got "
                f"{self.share}, {self.size}, {self.every} and {self.patience}."
            )


class Selector:
    """Model selection in one phase.

    Parameters
    ----------
    selection : how.
    judge : computes the criterion, lower is better.
    """

    def __init__(self, selection: Selection, judge: Callable[[], float]) -> None:
        self.selection, self.judge = selection, judge
        self.best, self.epoch, self.looks = math.inf, 0, 0
        self.weights: dict[str, Tensor] = {}

    def look(self, networks: nn.ModuleDict, epoch: int) -> float | None:
        """Compute the criterion after an epoch, from 1; None in epochs without a look."""
        if epoch % self.selection.every:
            return None
        value = self.judge()
        self.looks += 1
        if value < self.best:
            self.best, self.epoch, self.looks = value, epoch, 0
            self.weights = {k: v.detach().clone() for k, v in networks.state_dict().items()}
        return value

    @property
    def exhausted(self) -> bool:
        """Whether the phase should end."""
        return self.selection.patience is not None and self.looks >= self.selection.patience

    def apply(self, networks: nn.ModuleDict) -> None:
        """Put the best weights in place."""
        with torch.no_grad():
            networks.load_state_dict(self.weights)

    def dump(self) -> tuple[dict[str, float], dict[str, Tensor]]:
        """The state for a checkpoint: numbers, and weights of any shape by name."""
        return {"best": self.best if self.weights else 0.0, "epoch": self.epoch, "looks": self.looks}, self.weights

    def load(self, numbers: dict[str, float], weights: dict[str, Tensor]) -> None:
        """Resume from numbers and weights of any shape, by name, that `dump` gave."""
        self.best = numbers["best"] if weights else math.inf
        self.epoch, self.looks, self.weights = int(numbers["epoch"]), int(numbers["looks"]), weights
