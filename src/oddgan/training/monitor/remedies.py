"""Remedies for training failures: which parameter to set to which value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from oddgan._core.monitoring import Failure
from oddgan.training.optimisers import Optimiser


@dataclass(frozen=True)
class Case:
    """What a remedy depends on.

    Parameters
    ----------
    method : the detector's class.
    optimiser : of the player that fails, or of the one that makes the samples.
    rates : learning rates of critic and generator; None where no critic plays.
    """

    method: str
    optimiser: Optimiser
    rates: tuple[float, float] | None = None

    def apart(self, critic: float, generator: float) -> str:
        """Learning rates of critic and generator, as multiples of what they are."""
        lrs = self.rates or (self.optimiser.lr, self.optimiser.lr)
        return f"TwoTimescale(critic={lrs[0] * critic:.2g}, generator={lrs[1] * generator:.2g})"

    def slower(self, factor: float) -> str:
        """The optimiser with a rate that is this part of its own."""
        return f"optimiser={type(self.optimiser).__name__}(lr={self.optimiser.lr * factor:.2g})"


def _collapse(c: Case) -> str:
    return (
        f"let the critic see how much samples differ, {c.method}(stabilisers=(MinibatchStdDev(),)); bound its slope, "
        f"objective=NonSaturating(regulariser=R1(weight=1.0)); or take smaller steps, {c.slower(0.25)}"
    )


def _saturation(c: Case) -> str:
    return (
        f"let real and generated samples overlap, {c.method}(stabilisers=(InstanceNoise(std=0.1), "
        "LabelSmoothing(real=0.9))); bound the critic's slope, objective=NonSaturating(regulariser=R1(weight=10.0)); "
        f"or slow it down, stabilisers=({c.apart(0.25, 1)},)"
    )


def _blind(c: Case) -> str:
    return (
        f"its units may be dead: take smaller steps, {c.method}({c.slower(0.1)}); if its weights are clipped, do not: "
        "objective=WGANGP(); or let it learn first and faster, stabilisers=(CriticWarmUp(steps=100), "
        f"{c.apart(1, 0.25)})"
    )


def _vanishing(c: Case) -> str:
    game = "take a loss that does not saturate, objective=NonSaturating(); " if c.rates else ""
    return (
        f"{game}take fewer layers or normalise them, {c.method}(backbone=MLP(hidden=(64, 64))) or "
        f"backbone=ConvLadder(norm='batch'); if units died, take smaller steps, {c.slower(0.1)}"
    )


def _exploding(c: Case) -> str:
    game = "; or bound the critic's slope, objective=WGANGP(regulariser=GradientPenalty(weight=10.0))"
    return f"take smaller steps, {c.method}({c.slower(0.1)}){game if c.rates else ''}"


def _oscillation(c: Case) -> str:
    return (
        f"damp the game at the data, {c.method}(objective=NonSaturating(regulariser=R1(weight=10.0))); leave momentum "
        f"out, optimiser=Adam(lr={c.optimiser.lr:.2g}, betas=(0.0, 0.9)); or let the critic keep up, "
        f"stabilisers=({c.apart(1, 0.25)},)"
    )


REMEDIES: Mapping[Failure, Callable[[Case], str]] = {
    "collapse": _collapse,
    "saturation": _saturation,
    "blind critic": _blind,
    "vanishing": _vanishing,
    "exploding": _exploding,
    "oscillation": _oscillation,
}
NAMES: Mapping[Failure, str] = {
    "collapse": "Mode collapse",
    "saturation": "Critic saturation",
    "blind critic": "Blind critic",
    "vanishing": "Vanishing gradients",
    "exploding": "Exploding gradients",
    "oscillation": "Oscillation",
}
