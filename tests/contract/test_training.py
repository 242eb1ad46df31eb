"""Each step by itself: gradients reach every weight of the player, and no update moves anyone else."""

import pytest
import torch

from oddgan import TrainingError
from oddgan.training import Callback, loop

from .cases import differences, make, normals, observe


class Watch:
    """Stands in for the loop's own update, calls it, and looks at what it did."""

    def __init__(self, apply):
        self.apply, self.seen, self.updated, self.reached = apply, set(), {}, {}

    def __call__(self, state, update, updates):
        before = {name: p.detach().clone() for name, p in state.networks.named_parameters()}
        assert update.loss.ndim in (0, 1)
        self.apply(state, update, updates)
        own = state.phase.players[update.player].networks
        for name, p in state.networks.named_parameters():
            key = (state.index, update.player, name)
            if name.partition(".")[0] not in own:
                assert torch.equal(p, before[name]), f"{update.player} moved {name}"
                continue
            self.updated[key] = self.updated.get(key, False) or not torch.equal(p, before[name])
            self.reached[key] = self.reached.get(key, False) or p.grad is not None
        self.seen.add((state.index, update.player))


class Players(Callback):
    """Notes who plays in which phase."""

    def __init__(self):
        self.expected = set()

    def phase_started(self, state):
        self.expected |= {(state.index, player) for player in state.phase.players}


def test_gradients_reach_their_player_only(neural, kind, monkeypatch):
    watch = Watch(loop._apply)
    monkeypatch.setattr(loop, "_apply", watch)

    players = Players()
    # Enough steps that players with a turn every few steps have one.
    make(neural, batch_size=4).fit(normals(kind, 24), callbacks=[players])
    assert watch.seen == players.expected
    assert [key for key, reached in watch.reached.items() if not reached] == []
    # Every network has learned: a weight that stays may have a gradient of exactly zero (a bias before a norm).
    networks = {}
    for (index, player, name), moved in watch.updated.items():
        key = (index, player, name.partition(".")[0])
        networks[key] = networks.get(key, False) or moved
    assert [key for key, moved in networks.items() if not moved] == []


def test_losses_are_recorded(neural):
    detector = make(neural).fit(normals("table", 24))
    assert detector.history_
    for record in detector.history_:
        assert record.losses
        assert all(torch.isfinite(torch.tensor(loss)) for loss in record.losses.values())
        assert 1 <= record.epoch <= record.epochs


def test_half_precision_trains_and_leaves_weights_alone(neural, kind):
    half, again = (make(neural, precision="bf16").fit(normals(kind, 24)) for _ in range(2))
    assert all(p.dtype == torch.float32 for p in half.networks_.parameters())
    assert all(p.is_contiguous() for p in half.networks_.parameters())  # however they lay while they trained
    assert differences(observe(half, normals(kind, 9)), observe(again, normals(kind, 9))) == []


def test_exploding_loss_is_one_error(neural):
    X = normals("table", 24)
    with pytest.raises(TrainingError, match=r"became (nan|inf|-inf).*learning rate"):
        make(neural, optimiser=make(neural).optimiser.__class__(lr=1e30), epochs=20, batch_size=4).fit(X)


def test_interrupted_fit_ends_for_callbacks_too(neural):
    class Stop(Callback):
        ended = False

        def iteration_ended(self, state):
            raise KeyboardInterrupt

        def fit_ended(self, seconds):
            self.ended = True

    stop, detector = Stop(), make(neural)
    with pytest.raises(KeyboardInterrupt):
        detector.fit(normals("table", 24), callbacks=[stop])
    assert stop.ended
    assert not hasattr(detector, "offset_")
