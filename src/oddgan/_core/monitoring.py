"""Records of the training monitor: written while training, read by the report."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

import numpy as np

from oddgan._core.errors import InputError

Failure = Literal["collapse", "saturation", "blind critic", "vanishing", "exploding", "oscillation"]
FAILURES: tuple[Failure, ...] = get_args(Failure)


@dataclass(frozen=True)
class Gradients:
    """A player's gradients in an epoch: medians over the updates that were looked at.

    Parameters
    ----------
    norm : the Euclidean norm over all weights.
    depth : least over greatest root mean square of a weight matrix's gradient, in [0, 1]; 1 with a single matrix.
    """

    norm: float
    depth: float


@dataclass(frozen=True)
class Judged:
    """What a critic says about real and generated samples, the mean over the updates that were looked at.

    Parameters
    ----------
    separation : |2·AUC - 1| of the logits, real against generated: 0 where the critic can't tell them apart, 1 where
        no logit of one kind lies among those of the other.
    gap : distance of the mean logits.
    variation : standard deviation of all logits over their root mean square: 0 for a constant.
    """

    separation: float
    gap: float
    variation: float


@dataclass(frozen=True)
class Diversity:
    """Samples against training rows, see `diversity`.

    Parameters
    ----------
    coverage, density, spread : 1 is what the rows themselves have, about; spread and density may lie above.
    """

    coverage: float
    density: float
    spread: float


@dataclass(frozen=True)
class Watched:
    """What the monitor saw in one epoch.

    Parameters
    ----------
    phase, phase_index, epoch : as in `EpochRecord`.
    losses : mean loss of each player.
    gradients : by player; of those that were updated.
    critics : by network; of those that judged pairs in their own updates.
    samples : None where the method draws none, or training does not change them.
    """

    phase: str
    phase_index: int
    epoch: int
    losses: dict[str, float]
    gradients: dict[str, Gradients]
    critics: dict[str, Judged]
    samples: Diversity | None

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self:
        """Build it from plain values; others than the fields are ignored."""
        return cls(
            phase=str(event["phase"]),
            phase_index=int(event["phase_index"]),
            epoch=int(event["epoch"]),
            losses=dict(event["losses"]),
            gradients={player: Gradients(**values) for player, values in event["gradients"].items()},
            critics={name: Judged(**values) for name, values in event["critics"].items()},
            samples=None if event["samples"] is None else Diversity(**event["samples"]),
        )


@dataclass(frozen=True)
class Alarm:
    """A failure of training.

    Parameters
    ----------
    failure : which.
    player : whose; empty where it is about the samples.
    phase, phase_index, epoch : when it was noticed.
    text : what was seen, and what to do.
    """

    failure: Failure
    player: str
    phase: str
    phase_index: int
    epoch: int
    text: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self:
        """Build it from plain values; others than the fields are ignored."""
        return cls(**{field.name: event[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class Snapshots:
    """Samples over time, on the scale of the data.

    Parameters
    ----------
    phase_index, epoch : (s,) when, rising.
    samples : (s, k, ...); sample i is drawn from the same latent point throughout.
    rows : (r, ...) training rows.
    """

    phase_index: np.ndarray
    epoch: np.ndarray
    samples: np.ndarray
    rows: np.ndarray

    def __post_init__(self) -> None:
        s = len(self.samples)
        if self.phase_index.shape != (s,) or self.epoch.shape != (s,) or self.rows.shape[1:] != self.samples.shape[2:]:
            raise InputError(
                f"Snapshots hold samples {self.samples.shape} and rows {self.rows.shape} of {len(self.epoch)} epochs: "
                "expected (s, k, ...), (r, ...) and s."
            )
