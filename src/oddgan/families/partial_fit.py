"""Training that goes on with new rows, and what it changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import torch
from torch import nn

from oddgan._core.errors import InputError
from oddgan.base.fitting import Fitting, identity
from oddgan.inputs.validation import validate
from oddgan.parameters.types import check_type, check_types
from oddgan.training import Callback, Phase, begin, generator, seeded, team

if TYPE_CHECKING:
    from oddgan.families.neural import NeuralDetector


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


class GoesOn:
    """A detector whose networks can be trained on."""

    changes_: Changes

    @team()
    def partial_fit(
        self, X: Any, y: object = None, *, epochs: int | None = None, callbacks: Sequence[Callback] = ()
    ) -> Self:
        """Go on training with new normal rows, and set the threshold anew from them; `changes_` says what changed.

        The networks go on from their weights, with optimisers that start afresh. Scaling and similarities stay as the
        first rows set them. What precedes the training proper (an autoencoder that only initialises, a centre) is not
        done again. Old rows are not kept anywhere: what they alone showed may be forgotten, so mix some of them in. A
        detector that is not fitted yet is fitted.

        Parameters
        ----------
        X : normal rows like those given to `fit`.
        y : ignored.
        epochs : passes over the new rows in each phase, >= 1; None takes the detector's.
        callbacks : as for `fit`.

        Raises
        ------
        InputError
            If the rows do not fit, or epochs is below 1.
        TrainingError
            If a loss is not finite; the detector is to be fitted or loaded anew then.
        """
        del y
        detector = cast("NeuralDetector", self)
        check_types(detector)
        check_type("partial_fit", "epochs", epochs, int | None)
        if epochs is not None and epochs < 1:
            raise InputError(f"epochs must be at least 1, but is {epochs}.")
        if not hasattr(detector, "networks_"):
            return cast(Self, detector._fit(X, callbacks, None, epochs))
        rows, rng = validate(detector, X, reset=False), generator(detector.random_state)
        more = {"epochs": f"{epochs} {_weight(detector)}"}
        with begin(callbacks, rng, lambda: identity(detector, {"rows": rows}) | more) as taking_part:
            seed = (int(rng.randint(2**31 - 1)) + len(detector.history_)) % 2**31  # not the same draws each time
            train, held_out = detector._split(rows, rng)
            before = self._seen(detector._composed(detector._found(held_out, detector.composition_.uses)))
            kept = {name: vector(network) for name, network in detector.networks_.items()}
            history = detector.history_
            fitting = Fitting(taking_part, epochs=epochs, again=True)
            with fitting.told(type(detector).__name__, len(train)), seeded(seed, detector._device):
                detector._go_on(train, fitting)
        n_epochs, detector.history_ = len(detector.history_), [*history, *detector.history_]
        detector._recalibrate(held_out)
        after = self._seen(detector.calibration_scores_)
        threshold, score, flagged = zip(before, after, strict=True)
        self.changes_ = Changes(len(train), len(held_out), n_epochs, threshold, score, flagged, self._moved(kept))
        return self

    def _seen(self, scores: np.ndarray) -> tuple[float, float, float]:
        """The threshold, the mean of scores (n,), and the share of them above the threshold."""
        threshold = cast("NeuralDetector", self).threshold_
        return threshold, float(scores.mean()), float((scores > threshold).mean())

    def _moved(self, kept: dict[str, torch.Tensor]) -> dict[str, float]:
        networks = cast("NeuralDetector", self).networks_
        return {
            name: float((vector(networks[name]) - old).norm() / old.norm().clamp(min=1e-12))
            for name, old in kept.items()
            if len(old)
        }


def vector(network: nn.Module) -> torch.Tensor:
    """All weights of a network in one vector, float64; empty where there are none."""
    weights = [w.detach().double().flatten().cpu() for w in network.parameters()]
    return torch.cat(weights) if weights else torch.empty(0, dtype=torch.float64)


def for_so_long(phases: Iterator[Phase], epochs: int | None) -> Iterator[Phase]:
    """The phases with another number of passes; those that only look at the rows stay as they are."""
    for phase in phases:
        yield phase if epochs is None or not phase.players else replace(phase, epochs=epochs)


def _weight(detector: "NeuralDetector") -> float:
    """A number that tells trained networks apart."""
    return float(np.sum([vector(network).square().sum().item() for network in detector.networks_.values()]))
