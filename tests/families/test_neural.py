"""Training for a number of steps instead of passes."""

import numpy as np
import pytest
import torch

from oddgan import WAIC, AnoGAN, AutoEncoder, JointEncoderGAN
from oddgan.base import Notice, hyperparameters
from oddgan.networks import MLP, Progressive
from oddgan.training import Callback, Checkpoints, Phase

X = np.random.default_rng(0).normal(size=(100, 4))
SMALL = {"backbone": MLP(hidden=(4,)), "random_state": 0, "batch_size": 25}  # four batches a pass


class Steps(Callback):
    """Notes the clock of every step; may end the process at one of them."""

    def __init__(self, end: int | None = None) -> None:
        self.clocks, self.end = [], end

    def iteration_ended(self, state):
        self.clocks.append(state.clock)
        if self.end is not None and len(self.clocks) == self.end:
            raise KeyboardInterrupt


def weights(detector):
    return torch.cat([p.flatten() for p in detector.networks_.parameters()])


@pytest.mark.parametrize(("steps", "passes"), [(1, 1), (4, 1), (6, 2), (8, 2)])
def test_training_takes_as_many_steps_as_asked_for(steps, passes):
    seen = Steps()
    detector = AutoEncoder(steps=steps, **SMALL).fit(X, callbacks=[seen])
    assert [clock.iteration for clock in seen.clocks] == list(range(steps))
    assert [clock.progress for clock in seen.clocks] == [i / steps for i in range(steps)]
    assert [record.epochs for record in detector.history_] == [passes] * passes
    assert sum(record.updates for record in detector.history_) == steps


def test_steps_of_whole_passes_are_these_passes():
    by_steps, by_passes = AutoEncoder(steps=8, **SMALL).fit(X), AutoEncoder(epochs=2, **SMALL).fit(X)
    assert torch.equal(weights(by_steps), weights(by_passes))


def test_the_generator_counts_where_the_critic_learns_more_often():
    seen = Steps()
    detector = AnoGAN(steps=3, n_critic=5, **SMALL).fit(X, callbacks=[seen])
    assert len(seen.clocks) == 15
    assert sum(record.updates for record in detector.history_) == 3


def test_each_phase_has_its_own():
    history = WAIC(steps=3, n_members=2, **SMALL).fit(X).history_
    assert [sum(r.updates for r in history if r.phase_index == i) for i in range(2)] == [3, 3]


@pytest.mark.parametrize("killed", [2, 5])
def test_a_killed_fit_resumes_to_the_same_end(tmp_path, killed):
    whole = AutoEncoder(steps=6, **SMALL).fit(X)
    kept = Checkpoints(tmp_path / "c", steps=1)
    with pytest.raises(KeyboardInterrupt):
        AutoEncoder(steps=6, **SMALL).fit(X, callbacks=[kept, Steps(killed)])
    again = AutoEncoder(steps=6, **SMALL).fit(X, callbacks=[Checkpoints(tmp_path / "c", steps=1, resume=True)])
    assert torch.equal(weights(again), weights(whole))


def test_new_rows_get_as_many_passes_as_the_old_or_those_asked_for():
    detector = AutoEncoder(steps=6, **SMALL).fit(X)  # two passes, the second one half
    assert detector.partial_fit(X[:50]).changes_.epochs == 2
    assert sum(r.updates for r in detector.history_) == 6 + 4
    assert detector.partial_fit(X[:50], epochs=3).changes_.epochs == 3


def test_the_notice_counts_the_player_that_learns_most_rarely():
    with pytest.warns(Notice, match=r"took only 4 training steps on 100 rows"):
        AnoGAN(epochs=5, n_critic=5, **SMALL).fit(X)  # 20 batches


def test_growth_counts_steps_where_training_does():
    tiles = np.random.default_rng(0).random((10, 1, 16, 16))
    seen = Steps()
    growing = Progressive(width=2, max_width=2)
    settings = {"backbone": growing, "latent_dim": 2, "batch_size": 4, "n_critic": 2, "random_state": 0}
    history = JointEncoderGAN(steps=7, **settings).fit(tiles, callbacks=[seen]).history_
    of_phase = [sum(r.updates for r in history if r.phase_index == i) for i in range(5)]
    assert (of_phase, len(seen.clocks)) == ([1, 2, 1, 2, 1], 14)  # 4 px, then 8 and 16, each fading in first


def test_a_fit_in_which_nobody_learns_says_so():
    @hyperparameters
    class Still(AutoEncoder):
        def _phases(self):
            yield Phase(lambda *_: iter(()), {}, 1)

    with pytest.warns(Notice, match=r"took only 0 training steps on 100 rows"):
        assert Still(**SMALL).fit(X).history_ == []
