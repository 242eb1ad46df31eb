import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from oddgan import InputError, ModelError, load
from oddgan.detectors import ADGAN, VAE, AutoEncoder, FAnoGAN
from oddgan.families import Stored, generator_of
from oddgan.inversion import JointSearch
from oddgan.networks import FirstChannels
from oddgan.objectives import LeastSquares
from oddgan.priors import Gaussian, Uniform
from oddgan.scaling import MinMax
from oddgan.similarities import L1, RBF

X = np.random.default_rng(0).normal(size=(30, 3))
SMALL = {"latent_dim": 2, "n_seed": 4, "epochs": 1, "random_state": 0}


@pytest.fixture
def detector(ready, linear, judge):
    """g(z) = 2z; D(x) = x; two starts, at 3 and at 0."""
    return ready(
        ADGAN(latent_dim=1, inversion=JointSearch(steps=1, lr=1.0, theta="gradient", theta_lr=0.05)),
        1,
        generator=linear([[2.0]]),
        critic=judge([[1.0]], [1.0]),
        starts=Stored(torch.tensor([[3.0], [0.0]])),
    )


def test_components_by_hand(detector):
    # Start 3, weight 2, bias 0, x = 10: loss 16; dz = -16, dw = -24, db = -8. Adam moves z by 1 to 4, plain steps w to
    # 3.2 and b to 0.4: g = 13.2, loss 10.24. Start 0: loss 100; dw = 0, db = -20: z = 1, w = 2, b = 1: g = 3, loss 49.
    parts = detector.score_components(np.array([[10.0]]), extra="all")
    assert parts["search"].item() == pytest.approx((10.24 + 49) / 2)
    assert parts["residual"].item() == pytest.approx(10.24)
    assert parts["critic"].item() == -10
    # -log N(z; 0, 1) = z²/2 + log √(2π) at z = 4 and z = 1.
    assert parts["prior_nll"].item() == pytest.approx((16 + 1) / 4 + 0.5 * np.log(2 * np.pi))
    assert detector.encode(np.array([[10.0]])).item() == pytest.approx(4)
    assert detector.reconstruct(np.array([[10.0]])).item() == pytest.approx(13.2)


def test_search_and_score_by_two_similarities(detector):
    # As above, but z and θ move by |x - y|: from 3, dw = -3 and db = -1, so that z = 4, w = 2.15, b = 0.05: g = 8.65;
    # from 0, dw = 0 and db = -1: z = 1, w = 2, b = 0.05: g = 2.05. The losses are squares, of 1.35 and of 7.95.
    detector.set_params(search_similarity=lambda x, y: (x - y).abs().sum(1))
    parts = detector.score_components(np.array([[10.0]]), extra="all")
    assert parts["search"].item() == pytest.approx((1.35**2 + 7.95**2) / 2)
    assert parts["residual"].item() == pytest.approx(1.35**2, rel=1e-5)
    assert detector.reconstruct(np.array([[10.0]])).item() == pytest.approx(8.65)
    assert detector.trace(np.array([[10.0]]))[0, :, -1, 0].tolist() == pytest.approx([4, 1])


def test_a_search_similarity_is_fitted_stored_and_loaded(tmp_path):
    detector = ADGAN(**SMALL, search_similarity=RBF(), inversion=JointSearch(steps=2)).fit(X)
    assert detector.similarities_["search_similarity"].bandwidth is not None
    assert not np.array_equal(detector.anomaly_score(X), ADGAN(**SMALL, inversion=JointSearch(steps=2)).fit(X).offset_)
    again = load(detector.save(tmp_path / "model"))
    assert again.search_similarity == RBF()
    assert np.array_equal(again.anomaly_score(X), detector.anomaly_score(X))


def test_weights_start_again_for_every_sample(detector):
    before = copy.deepcopy(detector.networks_.state_dict())
    alone = detector.anomaly_score(np.array([[10.0]]))
    assert detector.anomaly_score(np.array([[-50.0], [10.0], [10.0]]))[1:].tolist() == [alone.item()] * 2
    assert all(torch.equal(v, before[k]) for k, v in detector.networks_.state_dict().items())


def test_the_score_is_the_mean_of_the_final_losses():
    detector = ADGAN(**SMALL, inversion=JointSearch(steps=3)).fit(X)
    found = detector.invert(X)
    np.testing.assert_allclose(detector.anomaly_score(X), found.loss, rtol=1e-6)
    assert (found.steps == 3).all()


def test_critic_mean_is_of_the_training_rows():
    detector = ADGAN(**SMALL).fit(X)
    # Mean-subtracted: the component averages to 0 over the rows that were trained on.
    assert detector.score_components(X, extra=["critic_centred"])["critic_centred"].mean() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("theta", ["adam", "gradient", "shared", "frozen"])
def test_a_searched_sample_is_nearer_than_an_unsearched(theta):
    detector = ADGAN(**SMALL, inversion=JointSearch(steps=0)).fit(X)
    before = detector.anomaly_score(X)
    detector.set_params(inversion=JointSearch(steps=20, theta=theta, lr=0.05, theta_lr=1e-3))
    assert detector.anomaly_score(X).mean() < before.mean()


def test_a_budget():
    plain, budgeted = (ADGAN(**SMALL, budget_ms=b).fit(X) for b in (None, 200.0))
    assert budgeted.budgeted_.steps > plain.inversion.steps
    assert (budgeted.invert(X).steps == budgeted.budgeted_.steps).all()
    assert not np.array_equal(plain.anomaly_score(X), budgeted.anomaly_score(X))


def test_least_squares_gan():
    detector = ADGAN(**SMALL, objective=LeastSquares()).fit(X)
    assert np.isfinite(detector.anomaly_score(X)).all()


@pytest.mark.parametrize("likelihood", ["unit", "gaussian"])
def test_the_decoder_of_a_vae(likelihood):
    vae = VAE(latent_dim=2, epochs=2, likelihood=likelihood, random_state=0).fit(X)
    decoder = nn.Sequential(vae.networks_["decoder"], FirstChannels(3))
    settings = {"latent_dim": 2, "n_seed": 3, "scaling": vae.scaling_, "random_state": 0}
    detector = ADGAN.from_generator(decoder, X[:10], inversion=JointSearch(steps=0), **settings)
    # Without steps: the mean distance to what the VAE draws at the starts.
    drawn = vae._decode(detector._stored("starts"))
    x = torch.from_numpy(vae.scaling_(X[:4]))
    expected = (x[:, None] - drawn).square().mean(dim=(1, 2))
    np.testing.assert_allclose(detector.anomaly_score(X[:4]), expected, rtol=1e-5)
    detector.set_params(inversion=JointSearch(lr=0.05), similarity=L1())
    parts = detector.score_components(X, extra="all")
    assert {"search", "residual", "prior_nll", "latent_norm"} <= parts.keys()
    assert not any(name.startswith(("critic", "features")) for name in parts), "there is no critic"
    assert np.array_equal(copy.deepcopy(detector).anomaly_score(X), detector.anomaly_score(X))


@pytest.mark.parametrize("source", [VAE(latent_dim=2, epochs=1), FAnoGAN(latent_dim=2, epochs=1, prior=Uniform())])
def test_around_a_detector(source, tmp_path):
    source.set_params(random_state=0).fit(X)
    detector = ADGAN(n_seed=3, inversion=JointSearch(steps=0), random_state=0).with_generator(source).fit(X[:10])
    assert not detector.history_
    assert detector.latent_dim == 2
    assert detector.prior == getattr(source, "prior", Gaussian())
    assert detector.scaling_ == source.scaling_
    drawn = generator_of(source)(detector._stored("starts"))
    x = torch.from_numpy(source.scaling_(X[:4]))
    expected = (x[:, None] - drawn).square().mean(dim=(1, 2))
    np.testing.assert_allclose(detector.anomaly_score(X[:4]), expected, rtol=1e-5)
    again = load(detector.save(tmp_path / "model"))
    assert np.array_equal(again.anomaly_score(X), detector.anomaly_score(X))
    assert type(again.members_[0]) is type(source)
    assert np.array_equal(load(again.save(tmp_path / "copy")).anomaly_score(X), detector.anomaly_score(X))


def test_around_a_module_of_ones_own(tmp_path):
    scaling, settings = VAE(epochs=1).fit(X).scaling_, {"latent_dim": 2, "n_seed": 2, "random_state": 0}
    detector = ADGAN.from_generator(nn.Linear(2, 3), X, scaling=scaling, **settings)
    path = detector.save(tmp_path / "model")
    again = load(path, generator=nn.Linear(2, 3))
    assert np.array_equal(again.anomaly_score(X), detector.anomaly_score(X))
    assert np.array_equal(
        load(again.save(tmp_path / "copy"), generator=nn.Linear(2, 3)).anomaly_score(X), detector.anomaly_score(X)
    )
    for wrong, message in (
        (None, "generator of your own: give it"),
        (nn.Linear(2, 3, bias=False), "do not fit"),
        ("generator", "no module"),
    ):
        with pytest.raises(ModelError, match=message):
            load(path, generator=wrong)


def test_models_that_take_no_generator(tmp_path):
    for detector, message in ((ADGAN(**SMALL), "not made around a module"), (VAE(epochs=1), "VAE takes no generator")):
        path = detector.fit(X).save(tmp_path / type(detector).__name__)
        with pytest.raises(ModelError, match=message):
            load(path, generator=nn.Linear(2, 3))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (AutoEncoder(epochs=1), "AutoEncoder is none"),
        (VAE(epochs=1, likelihood="bernoulli", scaling=MinMax(low=0, high=1)), "VAE draws its samples by more"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_detectors_without_a_generator_to_take(source, message):
    with pytest.raises(InputError, match=message):
        ADGAN().with_generator(source.fit(X))


def test_rows_of_another_shape_than_the_generator_draws():
    with pytest.raises(InputError, match=r"draws samples of shape \(3,\), but the rows have \(2,\)"):
        ADGAN().with_generator(VAE(epochs=1).fit(X)).fit(X[:, :2])


def test_the_ways_of_the_search():
    detector = ADGAN(**SMALL, inversion=JointSearch(steps=3)).fit(X)
    way = detector.trace(X[:5])
    assert way.shape == (5, 4, 4, 2)
    assert way[:, :, 0] == pytest.approx(np.broadcast_to(detector._stored("starts").numpy(), (5, 4, 2)))
    best = detector.invert(X[:5]).z
    assert all(any(np.allclose(end, z, atol=1e-5) for end in ends) for ends, z in zip(way[:, :, -1], best, strict=True))


@pytest.mark.parametrize("wrong", [{"n_seed": 0}, {"n_critic": 0}], ids=str)
def test_wrong_settings(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        ADGAN(**(SMALL | wrong)).fit(X)


def test_a_clone_searches_the_same_generator():
    source = VAE(latent_dim=2, epochs=1, random_state=0).fit(X)
    detector = ADGAN(n_seed=2, inversion=JointSearch(steps=1), random_state=0).with_generator(source).fit(X)
    copied = clone(detector)
    assert not hasattr(copied, "networks_")
    np.testing.assert_array_equal(copied.fit(X).anomaly_score(X), detector.anomaly_score(X))
    assert copied.history_ == []
