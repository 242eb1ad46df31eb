"""Detectors whose networks grow: nothing in their files knows of it."""

import numpy as np
import pytest

import oddgan
from oddgan import ADGAN, EGBAD, WAIC, AnoGAN, AutoEncoder, FAnoGAN, GANomaly, InputError, JointEncoderGAN
from oddgan.networks import MLP, Growing, Progressive
from oddgan.training import Adam

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
    with pytest.raises(InputError, match="Growing through 3 levels takes at least 5 epochs, but there are 4: raise"):
        grown(AnoGAN, IMAGES, epochs=4)
