"""Checks of training: gradients reach their player only, and a fit can be stopped, resumed and continued."""

import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from oddgan._core.errors import TrainingError
from oddgan.base import Kind
from oddgan.families import NeuralDetector
from oddgan.testing.checks import check, every_kind, raises, require, require_same
from oddgan.testing.subject import Subject, differences, normals, observe
from oddgan.training import Callback, Checkpoints, State, loop


class Watch:
    """Stands in for the loop's own update, calls it, and looks at what it did."""

    def __init__(self) -> None:
        self.apply = loop._apply
        self.players: set[tuple[int, str]] = set()
        self.moved: dict[tuple[int, str, str], bool] = {}
        self.reached: dict[tuple[int, str, str], bool] = {}

    def __call__(self, state: Any, plan: Any, update: Any, updates: Any) -> None:
        """Update, and note whose weights moved."""
        before = {name: p.detach().clone() for name, p in state.networks.named_parameters()}
        self.apply(state, plan, update, updates)
        self.players.add((state.index, update.player))
        own = state.phase.players[update.player].networks
        for name, p in state.networks.named_parameters():
            network, moved = name.partition(".")[0], not torch.equal(p, before[name])
            require(network in own or not moved, f"{update.player} moved {name}.")
            if network in own:
                # A weight that stays may have a gradient of exactly zero (a bias before a norm): its network counts.
                key, each = (state.index, update.player, network), (state.index, update.player, name)
                self.moved[key] = self.moved.get(key, False) or moved
                self.reached[each] = self.reached.get(each, False) or p.grad is not None


class Players(Callback):
    """Collects who plays in which phase."""

    def __init__(self) -> None:
        self.expected: set[tuple[int, str]] = set()

    def phase_started(self, state: State) -> None:
        """Note its players."""
        self.expected |= {(state.index, player) for player in state.phase.players}


class StoppedError(Exception):
    """Training was stopped on purpose."""


class Stop(Callback):
    """Stops training after a number of steps, over all phases."""

    def __init__(self, steps: int) -> None:
        self.left, self.ended = steps, False

    def iteration_ended(self, state: State) -> None:
        """Count down."""
        self.left -= 1
        if self.left < 0:
            raise StoppedError

    def fit_ended(self, seconds: float) -> None:
        """Note it."""
        self.ended = True


@check(every_kind, of=NeuralDetector)
def updates_move_their_player_only(subject: Subject, kind: Kind) -> None:
    """Every weight of a player has a gradient, every network learns, and no update moves another player's weights."""
    watch, players = Watch(), Players()
    # Enough steps that players with a turn every few steps have one.
    with patch.object(loop, "_apply", watch):
        subject.make(batch_size=4).fit(normals(kind, 24), callbacks=[players])
    idle = sorted(players.expected - watch.players)
    require(not idle, f"Never updated: {idle}.")
    unreached = [key for key, reached in watch.reached.items() if not reached]
    require(not unreached, f"No gradient reaches {unreached}.")
    unmoved = [key for key, moved in watch.moved.items() if not moved]
    require(not unmoved, f"Never changed: {unmoved}.")


@check(of=NeuralDetector)
def losses_are_recorded(subject: Subject, kind: Kind) -> None:
    """`history_` has the finite losses of every epoch."""
    history = subject.make().fit(normals(kind, 24)).history_
    require(history, "history_ is empty.")
    for record in history:
        require(record.losses and np.isfinite(list(record.losses.values())).all(), f"{record} has no finite losses.")
        require(1 <= record.epoch <= record.epochs, f"{record} has an epoch out of range.")


@check(every_kind, of=NeuralDetector)
def half_precision_is_repeatable(subject: Subject, kind: Kind) -> None:
    """With `precision="bf16"` weights stay in float32, contiguous, and the same seed gives the same detector."""
    half, again = (subject.make(precision="bf16").fit(normals(kind, 24)) for _ in range(2))
    wrong = [name for name, p in half.networks_.named_parameters() if p.dtype != torch.float32 or not p.is_contiguous()]
    require(not wrong, f"Not float32 or not contiguous: {wrong}.")
    require_same(observe(half, normals(kind, 9)), observe(again, normals(kind, 9)), "The second fit")


@check(of=NeuralDetector)
def exploding_losses_end_in_one_error(subject: Subject, kind: Kind) -> None:
    """A loss that becomes infinite or NaN ends `fit` with a sentence about the learning rate."""
    optimiser = type(subject.make().optimiser)(lr=1e30)
    with raises(TrainingError, r"became (nan|inf|-inf).*learning rate"):
        subject.make(optimiser=optimiser, epochs=20, batch_size=4).fit(normals(kind, 24))


@check(of=NeuralDetector)
def stopped_fit_is_not_fitted(subject: Subject, kind: Kind) -> None:
    """After an interrupted `fit` callbacks have been told, and the detector is not fitted."""
    stop, detector = Stop(0), subject.make()
    with raises(StoppedError, ""):
        detector.fit(normals(kind, 24), callbacks=[stop])
    require(stop.ended, "Callbacks were not told that the fit ended.")
    require(not hasattr(detector, "offset_"), "It has an offset_.")


@check(of=NeuralDetector)
def killed_fit_resumes_to_the_same_detector(subject: Subject, kind: Kind) -> None:
    """A fit that was interrupted twice and resumed from its checkpoints ends as one that was not, to the last bit."""
    X, settings = normals(kind, 25), {"batch_size": 7, "epochs": 2}
    whole = subject.make(**settings).fit(X)
    steps = len(whole.history_) * 3 + 3  # at least so many, with the three batches of a pass
    rng = np.random.default_rng(sum(map(ord, subject.cls.__name__)))
    with tempfile.TemporaryDirectory() as folder:
        keep, made = Checkpoints(Path(folder) / "kept", steps=2), None
        for done in sorted(rng.choice(steps, 2, replace=False)):
            try:
                made = subject.make(**settings).fit(X, callbacks=[keep, Stop(done)])
            except StoppedError:
                made = None
            keep = Checkpoints(Path(folder) / "kept", steps=2, resume=True)
        made = made or subject.make(**settings).fit(X, callbacks=[keep])
    require_same(observe(whole, X[:5]), observe(made, X[:5]), "After resuming")


@check(of=NeuralDetector)
def partial_fit_continues(subject: Subject, kind: Kind) -> None:
    """`partial_fit` trains on with new rows, repeatably, and says what changed."""
    X, new = normals(kind, 24), normals(kind, 16, seed=5) + 1
    first, second = (subject.make(batch_size=7).fit(X) for _ in range(2))
    before, epochs = observe(first, new), len(first.history_)
    for detector in (first, second):
        detector.partial_fit(new, epochs=1)
    require_same(observe(first, new), observe(second, new), "The second time")
    require(differences(before, observe(first, new)), "It changes nothing.")
    changes = first.changes_
    require(changes.rows == 16, f"changes_ counts {changes.rows} rows instead of 16.")
    expected = (float(before["threshold"]), first.threshold_)
    require(changes.threshold == expected, f"changes_ has thresholds {changes.threshold}, not {expected}.")
    # The threshold is that of the new rows.
    require(changes.flagged[1] <= 0.1 + 1 / 16, f"{changes.flagged[1]:.3f} of the new rows are flagged.")
    require(any(share > 0 for share in changes.weights.values()), "changes_ says that no weight moved.")
    require(len(first.history_) == epochs + changes.epochs, f"history_ has {len(first.history_)} epochs.")
