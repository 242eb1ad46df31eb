"""Detectors whose networks grow: nothing in their files knows of it."""

import numpy as np
import pytest
import torch

import oddgan
from oddgan import ADGAN, EGBAD, WAIC, AnoGAN, AutoEncoder, FAnoGAN, GANomaly, InputError, JointEncoderGAN
from oddgan.networks import MLP, Growing, Progressive
from oddgan.training import Adam, Callback, Checkpoints, Selection

SMALL = Progressive(width=4, max_width=4, codes=MLP(hidden=(4,)))
IMAGES = np.random.default_rng(0).normal(size=(12, 1, 16, 16))
SERIES = np.random.default_rng(0).normal(size=(12, 1, 40))
SETTINGS = {"random_state": 0, "backbone": SMALL, "batch_size": 6, "optimiser": Adam(lr=1e-3, betas=(0.0, 0.99))}


def grown(cls, X, **more):
    epochs = 5 if X is IMAGES else 7  # as few as three and four levels take
    return cls(**{**cls.tiny, **SETTINGS, "epochs": epochs, **more}).fit(X)


@pytest.mark.parametrize("X", [IMAGES, SERIES], ids=["images", "series"])
@pytest.mark.parametrize("cls", [AnoGAN, FAnoGAN, JointEncoderGAN])
def test_fits_scores_and_is_stored(cls, X, tmp_path):
    detector = grown(cls, X)
    names = list(dict.fromkeys(record.phase.partition(", ")[2] for record in detector.history_))
    sides = ["4x4", "8x8", "16x16"] if X is IMAGES else ["5", "10", "20", "40"]
    growth = [sides[0], *(name for side in sides[1:] for name in (f"{side} fading in", side))]
    assert names == growth + [""] * (cls is FAnoGAN), "its encoder learns once the GAN is grown"
    stages = {m.at for m in detector.networks_.modules() if isinstance(m, Growing)}
    assert stages == {len(sides) - 1.0}
    scores = detector.anomaly_score(X)
    assert np.isfinite(scores).all()
    for few in (X[3:5], X[4:5]):
        at = 3 if len(few) == 2 else 4
        assert np.array_equal(detector.anomaly_score(few), scores[at : at + len(few)]), "no row sees another"
    again = oddgan.load(detector.save(tmp_path / "model"))
    assert np.array_equal(again.anomaly_score(X), scores)
    assert np.array_equal(detector.sample(2, random_state=0), again.sample(2, random_state=0))


@pytest.mark.parametrize("cls", [ADGAN, GANomaly, EGBAD])
def test_other_games_grow_too(cls):
    detector = grown(cls, IMAGES)
    assert len({record.phase for record in detector.history_}) == 5
    assert np.isfinite(detector.anomaly_score(IMAGES)).all()


def test_an_ensemble_of_games_grows_member_by_member():
    detector = grown(WAIC, IMAGES, members="critic")
    assert len({record.phase for record in detector.history_}) == 5
    assert np.isfinite(detector.anomaly_score(IMAGES)).all()


def test_an_autoencoder_has_no_critic_to_grow_with():
    detector = grown(AutoEncoder, IMAGES)
    assert len({record.phase for record in detector.history_}) == 1


def test_growth_changes_what_is_learnt_and_can_be_left_out():
    small, full = grown(AnoGAN, IMAGES), grown(AnoGAN, IMAGES, backbone=Progressive(width=4, max_width=4, grow=False))
    assert len({record.phase for record in full.history_}) == 1
    assert not np.array_equal(small.anomaly_score(IMAGES), full.anomaly_score(IMAGES))


def test_too_few_epochs_say_how_many_it_takes():
    with pytest.raises(InputError, match="Growing through 3 levels takes at least 5 epochs or steps, but there are 4"):
        grown(AnoGAN, IMAGES, epochs=4)


class Kill(Callback):
    """Stops training in the middle of a phase, or before its first step."""

    def __init__(self, phase, iteration):
        self.phase, self.iteration = phase, iteration

    def phase_started(self, state):
        if state.index == self.phase and self.iteration is None:
            raise KeyboardInterrupt

    def iteration_ended(self, state):
        if (state.index, state.clock.iteration) == (self.phase, self.iteration):
            raise KeyboardInterrupt


@pytest.mark.parametrize(("phase", "iteration"), [(1, 0), (2, 1), (3, None), (4, 0)])
def test_growth_that_was_killed_goes_on_to_the_same_end(phase, iteration, tmp_path):
    """Stage, optimisers, and an average that goes on from phase to phase included."""
    detectors = [EGBAD(**EGBAD.tiny | SETTINGS | {"epochs": 6, "ema": 0.9}) for _ in range(3)]
    detectors[0].fit(IMAGES)
    with pytest.raises(KeyboardInterrupt):
        detectors[1].fit(IMAGES, callbacks=[Checkpoints(tmp_path, steps=1), Kill(phase, iteration)])
    detectors[2].fit(IMAGES, callbacks=[Checkpoints(tmp_path, resume=True)])
    whole, resumed = (d.networks_.state_dict() for d in (detectors[0], detectors[2]))
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    phases = [[record.phase for record in d.history_] for d in (detectors[0], detectors[2])]
    assert phases[0] == phases[1]


def test_held_out_rows_choose_among_the_epochs_at_full_size():
    detector = grown(JointEncoderGAN, IMAGES, epochs=10, selection=Selection(share=0.25))
    assert [record.phase for record in detector.history_ if record.chosen] == ["adversarial, 16x16"]
    assert {record.phase for record in detector.history_ if record.criterion is not None} == {"adversarial, 16x16"}


def test_members_of_an_ensemble_keep_their_phases_apart(tmp_path):
    settings = WAIC.tiny | SETTINGS | {"epochs": 5, "members": "critic", "n_members": 2}
    plain, kept = (WAIC(**settings) for _ in range(2))
    plain.fit(IMAGES)
    kept.fit(IMAGES, callbacks=[Checkpoints(tmp_path)])
    assert [record.phase_index for record in kept.history_] == list(range(10))
    assert np.array_equal(plain.anomaly_score(IMAGES), kept.anomaly_score(IMAGES))
    assert np.array_equal(
        WAIC(**settings).fit(IMAGES, callbacks=[Checkpoints(tmp_path, resume=True)]).anomaly_score(IMAGES),
        plain.anomaly_score(IMAGES),
    )


def test_what_has_grown_is_trained_on_at_full_size():
    detector = grown(AnoGAN, IMAGES)
    before = len(detector.history_)
    detector.partial_fit(IMAGES, epochs=1)
    assert [record.phase for record in detector.history_[before:]] == ["adversarial"]
    assert {m.at for m in detector.networks_.modules() if isinstance(m, Growing)} == {2.0}
