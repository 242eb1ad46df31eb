import numpy as np
import pytest
import torch

from oddgan import InputError, load
from oddgan.detectors import NAE
from oddgan.networks import MLP
from oddgan.priors import Langevin, Replay
from oddgan.scaling import MinMax
from oddgan.training import Adam

X = torch.tensor([[1.0, 3.0], [0.0, 2.0]])
STILL = Langevin(steps=1, step=1e-9, noise=0.0)
SMALL = {"pretraining_epochs": 1, "epochs": 1, "batch_size": 8, "random_state": 0, "latent_dim": 3}
CHAINS = {"latent_chain": Langevin(steps=2, step=0.1), "sample_chain": Langevin(steps=2, step=0.01)}


@pytest.fixture
def detector(ready, linear):
    """x̂ = (x1, 0), so that E(x) = x2²/2: 4.5 and 2 for the rows of X. The encoder's squared weights sum to 2 + 1."""
    encoder, decoder = linear([[1.0, 0.0], [0.0, 1.0]], [1.0, 0.0]), linear([[1.0, 0.0], [0.0, 0.0]], [-1.0, 0.0])
    detector = NAE(latent_dim=2, encoder_decay=0.0, latent_chain=STILL, sample_chain=STILL)
    return ready(detector, 2, encoder=encoder, decoder=decoder)


def loss(detector, x, negatives, monkeypatch):
    monkeypatch.setattr(type(detector), "_negatives", lambda *_: negatives)
    (update,) = detector._normalisation(x, None, Replay(1, 0.0))
    assert update.player == "autoencoder"
    return update.loss.tolist()


def test_energy_is_the_mean_squared_error(detector):
    np.testing.assert_array_equal(detector.anomaly_score(X.numpy()), [4.5, 2.0])


def test_pretraining_loss_by_hand(detector, losses):
    assert losses(detector._reconstruction, X)["autoencoder"].tolist() == [4.5, 2.0]
    detector.set_params(encoder_decay=0.1)
    torch.testing.assert_close(losses(detector._reconstruction, X)["autoencoder"], torch.tensor([4.8, 2.3]))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # E(x) = 4.5 and 2, E(x⁻) = 0.5 and 8.
        ({"gamma": 0.0}, [4.0, -6.0]),
        ({"gamma": 0.0, "temperature": 2.0}, [2.0, -3.0]),
        ({"gamma": 0.1}, [4 + 0.1 * (20.25 + 0.25), -6 + 0.1 * (4 + 64)]),
        ({"gamma": 0.0, "encoder_decay": 1.0}, [7.0, -3.0]),
    ],
)
def test_normalisation_loss_by_hand(detector, monkeypatch, settings, expected):
    negatives = torch.tensor([[7.0, 1.0], [7.0, -4.0]])
    assert loss(detector.set_params(**settings), X, negatives, monkeypatch) == pytest.approx(expected)


def test_negatives_start_on_the_manifold(detector):
    # Chains that stay where they are: codes on the circle of radius √2, samples (z1 - 1, 0), kept codes of length 1.
    replay = Replay(100, 0.0)
    x = detector._negatives(50, torch.device("cpu"), replay)
    assert (x[:, 1] == 0).all()
    torch.testing.assert_close(replay.points.norm(dim=1), torch.ones(50))
    torch.testing.assert_close(x[:, 0], 2**0.5 * replay.points[:, 0] - 1, atol=1e-5, rtol=1e-5)


def test_negatives_stay_within_the_data(detector):
    detector.scaling_ = MinMax(low=0.0, high=1.0).fit([np.array([[0.0, 0.0], [1.0, 1.0]])])
    detector.set_params(sample_chain=Langevin(steps=3, step=0.1, noise=2.0))
    x = detector._negatives(50, torch.device("cpu"), Replay(100, 0.0))
    assert (x.min(), x.max()) == (0, 1)


def test_chains_go_down_the_energy(detector, linear):
    # E rises with x2; the decoder lifts z2 there. Both chains end lower than they began.
    detector.networks_["decoder"] = linear([[1.0, 0.0], [0.0, 0.5]], [-1.0, 0.0])
    still = detector._negatives(200, torch.device("cpu"), Replay(1, 0.0))
    energies = [detector._energy(still).mean()]
    for chain in ("latent_chain", "sample_chain"):
        moved = NAE(latent_dim=2, latent_chain=STILL, sample_chain=STILL)
        moved.set_params(**{chain: Langevin(steps=50, step=0.5, noise=0.0)})
        moved.networks_, moved.scaling_ = detector.networks_, detector.scaling_
        energies.append(moved._energy(moved._negatives(200, torch.device("cpu"), Replay(1, 0.0))).mean())
    assert max(energies[1:]) < 0.5 * energies[0]


def test_later_chains_start_where_earlier_ones_ended(detector):
    detector.set_params(replay=1.0)
    replay = Replay(100, 1.0)
    first = detector._negatives(5, torch.device("cpu"), replay)
    second = detector._negatives(50, torch.device("cpu"), replay)
    assert all((first - x).abs().sum(1).min() < 1e-5 for x in second)


def test_what_is_stored_are_the_networks_only(tmp_path):
    detector = NAE(**SMALL, **CHAINS, backbone=MLP(hidden=(8,))).fit(np.random.default_rng(0).normal(size=(30, 4)))
    assert set(detector.networks_) == {"encoder", "decoder"}
    assert load(detector.save(tmp_path / "m")).networks_.keys() == detector.networks_.keys()
    codes = detector.encode(np.ones((2, 4)))
    np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 3**0.5, rtol=1e-6)


def test_normalisation_raises_the_energy_of_negatives(monkeypatch):
    # Corners of a square are normal, and its middle stands for all that the chains would find.
    corners = np.repeat([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], 8, axis=0)
    middle = torch.full((8, 2), 0.5)
    monkeypatch.setattr(NAE, "_negatives", lambda *_: middle)
    plain, normalised = (
        NAE(**SMALL | {"epochs": 40}, optimiser=Adam(lr=lr), backbone=MLP(hidden=(16,))).fit(corners)
        for lr in (1e-12, 3e-3)
    )
    contrast = [d.anomaly_score(middle.numpy()).mean() - d.anomaly_score(corners).mean() for d in (plain, normalised)]
    assert contrast[1] > contrast[0] + 0.05


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"latent_dim": 1}, "latent_dim must be a whole number of at least 2"),
        ({"pretraining_epochs": 0}, "pretraining_epochs must be a whole number of at least 1"),
        ({"replay": 1.5}, "a share in"),
        ({"temperature": 0.0}, "temperature must be above 0, not 0"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        NAE(**SMALL | wrong).fit(np.random.default_rng(0).normal(size=(10, 3)))
