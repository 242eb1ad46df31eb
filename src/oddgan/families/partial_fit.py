"""`partial_fit`: what continued training on new rows changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import nn

from oddgan.base.fitting import Fitting
from oddgan.training import Phase


@dataclass(frozen=True)
class Changes:
    """What training on new rows changed.

    Parameters
    ----------
    rows : new rows that were trained on.
    held_out : new rows that were not, or with `calibration=0` some that were: both models are judged by them.
    epochs : passes over the new rows, over all phases.
    threshold : the threshold before and after.
    score : the mean score of the held-out rows before and after; scores of different weights are on different scales.
    flagged : the share of the held-out rows above the threshold before and after.
    weights : how far each network's weights moved, ‖after - before‖ / ‖before‖.
    """

    rows: int
    held_out: int
    epochs: int
    threshold: tuple[float, float]
    score: tuple[float, float]
    flagged: tuple[float, float]
    weights: dict[str, float]

    def __str__(self) -> str:
        """The changes in a sentence."""
        moved = ", ".join(f"{name} {share:.1%}" for name, share in self.weights.items())
        epochs = f"{self.epochs} epoch{'s' * (self.epochs != 1)}"
        return (
            f"{epochs} on {self.rows} new rows: threshold {self.threshold[0]:.4g} -> "
            f"{self.threshold[1]:.4g}, mean score of {self.held_out} rows {self.score[0]:.4g} -> {self.score[1]:.4g}, "
            f"{self.flagged[0]:.1%} -> {self.flagged[1]:.1%} of them flagged; weights moved by {moved}."
        )


@dataclass(frozen=True)
class Snapshot:
    """A detector at one moment.

    Parameters
    ----------
    threshold : its threshold.
    scores : the scores of the held-out rows, (n,).
    weights : all weights of each network in one vector, by name.
    """

    threshold: float
    scores: np.ndarray
    weights: Mapping[str, torch.Tensor]

    @classmethod
    def of(cls, threshold: float, scores: np.ndarray, networks: nn.ModuleDict) -> Self:
        """Take a snapshot: a threshold, scores (n,), and networks whose weights are copied."""
        return cls(threshold, scores, {name: vector(network) for name, network in networks.items()})

    def changes(self, after: Self, *, rows: int, epochs: int) -> Changes:
        """What changed since, by training on new rows."""
        moved = {
            name: float((after.weights[name] - old).norm() / old.norm().clamp(min=1e-12))
            for name, old in self.weights.items()
            if len(old)
        }
        return Changes(
            rows=rows,
            held_out=len(self.scores),
            epochs=epochs,
            threshold=(self.threshold, after.threshold),
            score=(float(self.scores.mean()), float(after.scores.mean())),
            flagged=(self._flagged(), after._flagged()),
            weights=moved,
        )

    def _flagged(self) -> float:
        return float((self.scores > self.threshold).mean())


def vector(network: nn.Module) -> torch.Tensor:
    """All weights of a network in one vector (k,), float64; empty where there are none."""
    weights = [w.detach().double().flatten().cpu() for w in network.parameters()]
    return torch.cat(weights) if weights else torch.empty(0, dtype=torch.float64)


def planned(detector: Any, fitting: Fitting) -> Iterator[Phase]:
    """The phases of a `NeuralDetector`'s fit, in order; those that only look at the rows keep their passes.

    Where trained networks are trained on, a phase takes as many passes as it took before, unless `fitting` names some.
    """
    before = {record.phase: record.epoch for record in detector.history_} if fitting.again else {}
    for phase in detector._phases_again() if fitting.again else detector._phases():
        epochs = before.get(phase.name) if fitting.epochs is None else fitting.epochs
        if not phase.players:
            yield phase
        elif epochs is not None:
            yield phase.lasting(epochs, None)
        else:
            yield phase if fitting.steps is None else phase.lasting(1, fitting.steps)


def total_weight(networks: nn.ModuleDict) -> float:
    """The sum of all squared weights, which tells trained networks apart."""
    return float(np.sum([vector(network).square().sum().item() for network in networks.values()]))
