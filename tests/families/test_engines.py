import json

import numpy as np
import pytest
from sklearn.base import clone

import oddgan
from oddgan import InputError
from oddgan.base import Notice
from oddgan.networks import MLP
from oddgan.similarities import RBF
from oddgan.training import InstanceNoise, Privacy, Selection
from small_detectors import detector, table

PRIVATE = Privacy(noise_multiplier=2.0, delta=1e-3)


def fitted(**settings):
    with pytest.warns(Notice, match=r"weights are \(.*, 0.001\)-differentially private"):
        return detector(**{"privacy": PRIVATE, "batch_size": 6} | settings).fit(table())


def test_what_is_guaranteed_is_told_and_stored(tmp_path):
    model = fitted()
    spent = model.privacy_
    assert (spent.delta, spent.noise_multiplier, spent.steps, spent.players) == (1e-3, 2.0, 5, ("autoencoder",))
    assert spent.sample_rate == pytest.approx(1 / 5)
    again = oddgan.load(model.save(tmp_path / "model"))
    assert again.privacy_ == spent
    assert again.get_params()["privacy"] == PRIVATE
    stored = json.loads((tmp_path / "model" / "detector.json").read_text())
    assert stored["fitted"]["privacy_"]["epsilon"] == spent.epsilon
    assert np.array_equal(again.anomaly_score(table(seed=1)), model.anomaly_score(table(seed=1)))


def test_no_loss_of_a_row_is_kept():
    assert all(record.losses == {} for record in fitted(epochs=2).history_)


def test_a_seed_repeats_the_noise_and_no_seed_hides_it():
    scores = [fitted(random_state=0).anomaly_score(table()) for _ in range(2)]
    assert np.array_equal(*scores)
    secret = [fitted(random_state=None).anomaly_score(table()) for _ in range(2)]
    assert not np.array_equal(*secret)


def test_an_epsilon_is_kept():
    model = fitted(privacy=Privacy(noise_multiplier=None, epsilon=4.0, delta=1e-3))
    assert 3.9 < model.privacy_.epsilon <= 4.0


def test_critic_and_encoder_are_protected_and_the_generator_need_not_be():
    with pytest.warns(Notice, match="private"):
        model = oddgan.FAnoGAN(
            **oddgan.FAnoGAN.tiny, backbone=MLP(hidden=(4,)), batch_size=6, random_state=0, privacy=PRIVATE
        ).fit(table())
    assert model.privacy_.players == ("critic", "encoder")
    assert model.privacy_.steps == 10
    assert {player for record in model.history_ for player in record.losses} <= {"generator"}


def test_fitting_again_without_privacy_takes_the_guarantee_back():
    model = fitted().set_params(privacy=None)
    assert model.fit(table()).privacy_ is None
    assert not hasattr(clone(model), "privacy_")


def test_stabilisers_are_refused():
    with pytest.raises(InputError, match="can't bound what stabilisers take"):
        oddgan.AnoGAN(**oddgan.AnoGAN.tiny, stabilisers=(InstanceNoise(),), privacy=PRIVATE).fit(table())


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"selection": Selection()}, "can't choose among epochs by rows"),
        ({"similarity": RBF()}, "can't fit a similarity to rows"),
        ({"backbone": MLP(hidden=(4,), norm="batch")}, "can't protect 'encoder', as batch normalisation mixes rows"),
    ],
)
def test_what_is_refused(settings, text):
    with pytest.raises(InputError, match=text):
        detector(**{"privacy": PRIVATE} | settings).fit(table())


def test_only_what_takes_nothing_else_from_rows_can_be_private():
    private = {name for name, cls in oddgan.detectors.classes().items() if hasattr(cls, "privacy")}
    assert private == {"ADGAN", "AnoGAN", "AutoEncoder", "BetaVAEGAN", "FAnoGAN", "VAE"}
