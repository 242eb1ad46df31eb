"""Differential privacy: how much noise training adds, and what that guarantees."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from oddgan._core.errors import InputError
from oddgan._core.extras import load_extra

_LARGEST = 1e3  # a noise multiplier beyond which nothing is learned


class Release(NamedTuple):
    """Like steps of training, each of which takes every row with one probability and publishes noisy sums of gradients.

    Parameters
    ----------
    updates : noisy sums that a step publishes of the same rows.
    sample_rate : the probability that a row takes part in a step, in (0, 1].
    steps : how many.
    """

    updates: int
    sample_rate: float
    steps: int


@dataclass(frozen=True)
class Privacy:
    r"""Train with differentially private gradient descent (DP-SGD).

    Every step takes each row with one probability, independently. Each row's gradient g_i is clipped to a length of at
    most C, and noise is added to the sum:

    .. math:: \bar g = \frac1L (\sum_i g_i \min(1, C / \|g_i\|_2) + \sigma C \, N(0, I))

    with L the expected number of rows. The weights are then (ε, δ)-private for data sets that differ in whether one row
    counts or adds nothing; the number of rows is no secret. A step
    that updates k players from the same rows counts as one with the noise σ/√k, as k such sums are one vector of a
    sensitivity of √k·C.

    Parameters
    ----------
    noise_multiplier : σ, > 0; None takes the least that keeps `epsilon`.
    epsilon : the ε that training may spend, > 0; None goes by `noise_multiplier`. Exactly one of both is given.
    max_grad_norm : C, > 0.
    delta : δ in (0, 1); choose it well below one over the number of rows.
    accountant : how steps add up, by Opacus: "rdp" (Rényi divergences, an upper bound) or "prv" (tighter, slower).

    References
    ----------
    M. Abadi et al.: Deep Learning with Differential Privacy, CCS 2016, https://arxiv.org/abs/1607.00133.
    """

    noise_multiplier: float | None = 1.0
    epsilon: float | None = None
    max_grad_norm: float = 1.0
    delta: float = 1e-5
    accountant: Literal["rdp", "prv"] = "rdp"

    def __post_init__(self) -> None:
        given = [v for v in (self.noise_multiplier, self.epsilon) if v is not None]
        if len(given) != 1 or not 0 < given[0] < math.inf:
            raise InputError(
                f"Privacy got noise_multiplier={self.noise_multiplier} and epsilon={self.epsilon}: give one of them, "
                "above 0, and None for the other."
            )
        if not (0 < self.max_grad_norm < math.inf and 0 < self.delta < 1) or self.accountant not in ("rdp", "prv"):
            raise InputError(
                f"Privacy got max_grad_norm={self.max_grad_norm}, delta={self.delta} and accountant="
                f"{self.accountant!r}: give a finite norm above 0, a delta in (0, 1), and 'rdp' or 'prv'."
            )

    def noise(self, releases: Sequence[Release]) -> float:
        """Return σ: the given one, or the least, to a thousandth, that keeps `epsilon` in all these steps.

        Raises
        ------
        InputError
            If no noise keeps it.
        """
        if self.epsilon is None:
            return self.noise_multiplier or 0.0
        low, high = 0.0, 1.0
        while self.spent(high, releases) > self.epsilon:
            low, high = high, 2 * high
            if high > _LARGEST:
                raise InputError(
                    f"No noise keeps epsilon={self.epsilon} with delta={self.delta}: allow more, or train for fewer "
                    "epochs."
                )
        while high - low > 1e-3 * high:
            middle = (low + high) / 2
            low, high = (low, middle) if self.spent(middle, releases) <= self.epsilon else (middle, high)
        return high

    def spent(self, noise: float, releases: Sequence[Release]) -> float:
        """Return the ε of all these steps with the noise multiplier σ."""
        accountants: Any = load_extra("opacus.accountants", "privacy")
        accountant = accountants.create_accountant(self.accountant)
        accountant.history = [(noise / math.sqrt(r.updates), r.sample_rate, r.steps) for r in releases]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that other orders might give a lower bound changes nothing for the user
            return float(accountant.get_epsilon(delta=self.delta))
