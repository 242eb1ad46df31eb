"""Diagnosis of training failures from what the monitor recorded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan._core.monitoring import Diversity, Failure, Watched
from oddgan.training.monitor.diversity import expected_coverage
from oddgan.training.monitor.oscillation import Swing, swings


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Thresholds of the monitor's alarms; `docs/monitor.md` says why these values.

    Parameters
    ----------
    patience : looks (epochs, unless a phase has many) in a row in which a failure must show (explosions: in one of
        them), or over which samples are averaged, >= 1.
    coverage : collapse: coverage below this part of what fresh data would have, and no more than the density, which is
        above `on_data`: the samples lie on the data, but on few of them.
    on_data : see `coverage`.
    spread : collapse, too: the samples' spread is below this part of the data's.
    rising : neither counts while it is above this multiple of what it was in the middle of the phase so far.
    steps : no sooner than after so many steps of the phase are samples judged: fewer leave networks where they started.
    late : samples are judged after this share of a phase, in [0, 1], or once their coverage has lost half of its best.
    separation : saturation: a critic separates more than this ...
    certain : ... with a loss in [0, certain) ...
    starved : ... and another player's gradients are below this part of their largest, or ...
    outplayed : ... its loss is this much above that of its first epoch, in nats, or the samples have a coverage below.
    constant : blind critic: its logits vary less than this, relative to their size, and separate less than a half.
    vanished : vanishing: a player's gradients are below this part of those of its first epoch, its loss is not.
    depth : vanishing, too: gradients of one weight matrix are below this part of those of another in its network.
    exploded : exploding: a player's gradients are above this multiple of those of its first update.
    again : oscillation: autocorrelation above this after a period, and below minus this after half of one ...
    amplitude : ... of sample means that move by more than this part of the data's spread (without samples: of losses
        by this part of their size) ...
    settled : ... in the second half by no less than this part of what they did in the first.
    """

    patience: int = 3
    coverage: float = 0.3
    on_data: float = 0.1
    spread: float = 0.1
    rising: float = 1.25
    steps: int = 300
    late: float = 0.8
    separation: float = 0.98
    certain: float = 0.05
    starved: float = 0.05
    outplayed: float = 4.0
    constant: float = 1e-4
    vanished: float = 1e-4
    depth: float = 1e-5
    exploded: float = 1e4
    again: float = 0.5
    amplitude: float = 0.25
    settled: float = 0.7

    def __post_init__(self) -> None:
        wrong = {k: v for k, v in vars(self).items() if not v > 0}
        if wrong:
            raise InputError(f"Thresholds of the monitor must be above 0, but got {wrong}.")


@dataclass
class Story:
    """What the monitor recorded of a phase so far.

    Parameters
    ----------
    epochs : that the phase will have.
    critics : the player of each network that judges.
    sizes : how many rows and samples are compared.
    scale : the spread of the rows, as embedded.
    first : norm of the gradients of each player's first update.
    steps : taken so far.
    records : one a look.
    path : mean of the embedded samples (p,), one a look.
    stride : epochs from one record to the next.
    """

    epochs: int
    critics: dict[str, str] = field(default_factory=dict)
    sizes: tuple[int, int] = (0, 0)
    scale: float = 1.0
    first: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    records: list[Watched] = field(default_factory=list)
    path: list[Tensor] = field(default_factory=list)
    stride: int = 1


class Symptom(NamedTuple):
    """A failure that shows, whose it is, and what shows it."""

    failure: Failure
    player: str
    seen: str


CAUSES: Mapping[Failure, tuple[Failure, ...]] = {
    "collapse": ("exploding", "saturation", "blind critic"),
    "vanishing": ("exploding", "saturation", "blind critic"),
    "saturation": ("exploding",),
    "blind critic": ("exploding", "saturation"),
    "oscillation": ("exploding",),
}
"""What brings a failure about, so that it needs no sentence of its own."""


def symptoms(story: Story, t: Thresholds) -> list[Symptom]:
    """Return the failures that the last epochs show, without those that follow from others of them.

    Parameters
    ----------
    story : the phase so far.
    t : when to speak.
    """
    if len(story.records) < t.patience:
        return []
    last = story.records[-t.patience :]
    rules = (_exploding, _saturation, _blind, _collapse, _vanishing, _oscillation)
    found = [symptom for rule in rules for symptom in rule(story, last, t)]
    there = {symptom.failure for symptom in found}
    return [s for s in found if not there.intersection(CAUSES.get(s.failure, ()))]


def _exploding(story: Story, last: Sequence[Watched], t: Thresholds) -> Iterator[Symptom]:
    for player, first in story.first.items():
        norms = [r.gradients[player].norm for r in last if player in r.gradients]
        if norms and max(norms) > t.exploded * first > 0:
            yield Symptom(
                "exploding", player, f"its gradients are {max(norms) / first:.2g} times those of its first update"
            )


def _saturation(story: Story, last: Sequence[Watched], t: Thresholds) -> Iterator[Symptom]:
    for network, player in story.critics.items():
        parts = [r.critics.get(network) for r in last]
        losses = [r.losses.get(player, -1.0) for r in last]
        wins = all(part is not None and part.separation > t.separation for part in parts)
        if wins and all(0 <= loss < t.certain for loss in losses) and (why := _loser(story, t)):
            yield Symptom(
                "saturation", player, f"it tells all real samples from all others (loss {losses[-1]:.2g}), {why}"
            )


def _loser(story: Story, t: Thresholds) -> str:
    """How the others show that they can't learn from the critic; empty where they don't."""
    now, begin = story.records[-1], story.records[0]
    for player in now.losses:
        norms = [r.gradients[player].norm for r in story.records if player in r.gradients]
        if player in story.critics.values() or not norms:
            continue
        if norms[-1] < t.starved * max(norms):
            return f"and {player!r} gets {norms[-1] / max(norms):.1g} of the gradients that it had"
        if now.losses[player] > begin.losses.get(player, now.losses[player]) + t.outplayed:
            return f"and the loss of {player!r} rose from {begin.losses[player]:.3g} to {now.losses[player]:.3g}"
    if now.samples is not None and now.samples.coverage < t.coverage * expected_coverage(*story.sizes):
        return f"and samples cover only {now.samples.coverage:.2f} of the training rows"
    return ""


def _blind(story: Story, last: Sequence[Watched], t: Thresholds) -> Iterator[Symptom]:
    for network, player in story.critics.items():
        parts = [r.critics[network] for r in last if network in r.critics]
        if len(parts) == len(last) and all(p.variation < t.constant and p.separation < 0.5 for p in parts):
            yield Symptom("blind critic", player, "it gives all samples the same logit")


def _collapse(story: Story, last: Sequence[Watched], t: Thresholds) -> Iterator[Symptom]:
    """Of adversarial phases only: other generators may well be far from the data between their codes."""
    every = [r.samples for r in story.records if r.samples is not None]
    known = [r.samples for r in last if r.samples is not None]
    if not story.critics or len(known) < len(last) or story.steps < t.steps:
        return
    coverage, density, spread = (_mean(known, name) for name in ("coverage", "density", "spread"))
    expected, best = expected_coverage(*story.sizes), max(s.coverage for s in every)
    fallen = best > 2 * coverage and best > t.coverage * expected
    if last[-1].epoch <= t.late * story.epochs and not fallen:
        return
    middle = every[max(0, len(every) // 2 - len(known)) :][: len(known)]
    few = coverage < t.coverage * expected and density > max(t.on_data, coverage)
    few = few and coverage < t.rising * _mean(middle, "coverage")
    alike = spread < t.spread and spread < t.rising * _mean(middle, "spread")
    if few or alike:
        yield Symptom(
            "collapse",
            "",
            f"samples cover {coverage:.2f} of the training rows (fresh data: {expected:.2f}) at a density of "
            f"{density:.2f}, with {spread:.2f} of their spread",
        )


def _mean(samples: Sequence[Diversity], name: str) -> float:
    return sum(float(getattr(s, name)) for s in samples) / len(samples)


def _vanishing(story: Story, last: Sequence[Watched], t: Thresholds) -> Iterator[Symptom]:
    begin = story.records[0]
    for player, first in begin.gradients.items():
        looks = [r.gradients[player] for r in last if player in r.gradients]
        if len(looks) < len(last):
            continue
        loss, was = last[-1].losses.get(player, 0.0), begin.losses.get(player, 0.0)
        if all(look.norm < t.vanished * first.norm for look in looks) or not any(look.norm for look in looks):
            if abs(loss) > 0.01 * abs(was):
                share = looks[-1].norm / first.norm if first.norm else 0.0
                yield Symptom("vanishing", player, f"its gradients are {share:.1g} of those of its first epoch")
        elif all(look.depth < t.depth for look in looks):
            yield Symptom("vanishing", player, f"some layer's gradients are {looks[-1].depth:.1g} of another's")


def _oscillation(story: Story, last: Sequence[Watched], t: Thresholds) -> Iterator[Symptom]:
    """Of games only: of their samples where there are some, otherwise of their losses."""
    if not last[-1].critics:
        return
    what, scale, path = "sample means", story.scale, torch.stack(story.path) if story.path else _losses(story)
    if not story.path:
        what, scale = "losses", 1.0

    def swinging(end: int) -> Swing | None:
        return next((s for s in swings(path[:end]) if _swings(s, scale, t)), None)

    ends = range(len(path), max(0, len(path) - t.patience), -1)
    if (found := swinging(len(path))) and all(swinging(end) for end in ends):
        yield Symptom(
            "oscillation",
            "",
            f"{what} come back every {found.period * story.stride} epochs (autocorrelation {found.again:.2f}, after "
            f"half of that {found.opposite:.2f}) and do not settle",
        )


def _swings(found: Swing, scale: float, t: Thresholds) -> bool:
    turns = found.opposite < -t.again and found.again > t.again
    return turns and found.amplitude > t.amplitude * scale and found.settling > t.settled


def _losses(story: Story) -> Tensor:
    """Return the losses of all players (t, p), each relative to its mean size."""
    players = list(story.records[-1].losses)
    values = torch.tensor([[r.losses.get(p, 0.0) for p in players] for r in story.records], dtype=torch.float64)
    return values / values.abs().mean(dim=0).clamp(min=1e-12)
