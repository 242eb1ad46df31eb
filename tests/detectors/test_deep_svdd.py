import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from oddgan import InputError
from oddgan.detectors import DeepSVDD
from oddgan.families import Stored
from oddgan.networks import MLP, ConvLadder
from oddgan.scaling import ContrastNormalisation, Standard
from oddgan.training import Adam, Clock

# With φ(x) = x and c = (1, 0), the distances are 1 and 3, their squares 1 and 9.
X = torch.tensor([[1.0, 1.0], [4.0, 0.0]])


def rows(n=60, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3))


@pytest.fixture
def detector(ready):
    encoder = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        encoder.weight.copy_(torch.eye(2))
    stored = {"centre": Stored(torch.tensor([1.0, 0.0])), "radius": Stored(torch.tensor(0.0))}
    return ready(DeepSVDD(latent_dim=2, nu=0.5, warm_up=1, epochs=3), 2, encoder=encoder, **stored)


def test_hard_loss_is_the_squared_distance(detector, losses):
    assert losses(detector._enclosing, X)["encoder"].tolist() == pytest.approx([1, 9])


def test_soft_loss(detector, losses):
    # R² + 1/ν·max(0, d - R²) with R = 2 and ν = 1/2: 4 + 2·0 and 4 + 2·5.
    detector.set_params(boundary="soft").networks_["radius"].value.fill_(2.0)
    assert losses(detector._enclosing, X)["encoder"].tolist() == pytest.approx([4, 14])


def test_radius_is_the_quantile_of_the_distances_after_warm_up(detector):
    detector.set_params(boundary="soft")
    for epoch, radius in ((0, 0.0), (1, 2.0)):  # the (1 - ν)-quantile of 1 and 3, ν = 1/2, is 2
        list(detector._enclosing(X, Clock(epoch, epoch, 3)))
        assert detector.networks_["radius"].value == radius
    detector.set_params(nu=0.25)
    list(detector._enclosing(X, Clock(1, 1, 3)))
    assert detector.networks_["radius"].value == 2.5


def test_steps_that_end_before_the_warm_up_leave_half_of_them_for_the_radius(detector):
    detector.set_params(boundary="soft", warm_up=10, epochs=None, steps=4)
    detector._check()
    for epoch, radius in ((1, 0.0), (2, 2.0)):  # four passes of one step each
        list(detector._enclosing(X, Clock(epoch, epoch, epochs=4, total=4)))
        assert detector.networks_["radius"].value == radius


def test_tables_have_batch_norm_that_adds_no_constants():
    x = np.random.default_rng(0).normal(size=(24, 5))
    encoder = DeepSVDD(pretrain_epochs=0, epochs=1, random_state=0).fit(x).networks_["encoder"]
    norms = [module for module in encoder.modules() if isinstance(module, nn.BatchNorm1d)]
    assert norms
    assert not any(norm.affine for norm in norms)


def test_a_small_table_shows_rows_off_a_plane():
    """Two of twelve directions hold the rows; anomalies have the same columns, each from another row."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 12)) + 0.1 * rng.normal(size=(300, 12))
    apart = np.stack([rng.permutation(column) for column in x[200:].T], axis=1)
    detector = DeepSVDD(steps=300, random_state=0).fit(x[:200])
    scores = detector.anomaly_score(np.concatenate([x[200:], apart]))
    assert roc_auc_score(np.repeat([0, 1], 100), scores) > 0.9


def test_score_counts_from_the_radius(detector):
    x = X.double().numpy()
    np.testing.assert_allclose(detector.anomaly_score(x), [1, 9])
    detector.networks_["radius"].value.fill_(2.0)
    np.testing.assert_allclose(detector.anomaly_score(x), [-3, 5])
    np.testing.assert_allclose(detector.encode(x), x)


def test_centre_is_the_mean_code_pushed_away_from_zero(detector):
    # Means 0.05, -0.05, 0 and 3 over two batches of unequal size.
    detector.set_params(latent_dim=4, pretrain_epochs=0)
    detector.networks_["encoder"], detector.networks_["centre"] = nn.Identity(), Stored(torch.zeros(4))
    mean = torch.tensor([0.05, -0.05, 0.0, 3.0])
    x = mean + torch.tensor([[1.0], [2.0], [-3.0]])
    phases = detector._phases()
    look = next(phases)
    assert not look.players
    for batch in (x[:1], x[1:]):
        assert list(look.step(batch, Clock(0, 0, 1))) == []
    assert next(phases).step == detector._enclosing
    assert detector.networks_["centre"].value.tolist() == pytest.approx([0.1, -0.1, 0.1, 3.0])


@pytest.mark.parametrize("nu", [0.1, 0.3])
def test_share_nu_lies_outside_the_soft_boundary(nu):
    X = rows(200)
    detector = DeepSVDD(**DeepSVDD.tiny | {"epochs": 3}, boundary="soft", nu=nu, random_state=0).fit(X)
    assert (detector.anomaly_score(X) > 0).mean() == pytest.approx(nu, abs=0.01)


def test_pretraining_trains_the_encoder_with_a_decoder():
    tiny = DeepSVDD.tiny | {"random_state": 0}
    plain, pretrained = (DeepSVDD(**tiny | {"pretrain_epochs": n}).fit(rows()) for n in (0, 2))
    assert "decoder" not in plain.networks_
    assert [record.phase for record in plain.history_] == ["enclosing"]
    assert [record.phase for record in pretrained.history_] == ["reconstruction", "reconstruction", "enclosing"]
    first, second = (next(d.networks_["encoder"].parameters()) for d in (plain, pretrained))
    assert not torch.equal(first, second)


def test_training_shrinks_the_distances():
    X = rows(200)
    settings = DeepSVDD.tiny | {"pretrain_epochs": 0, "optimiser": Adam(lr=1e-3), "random_state": 0}
    before, after = (DeepSVDD(**settings | {"epochs": n}).fit(X).anomaly_score(X).mean() for n in (1, 60))
    assert after < 0.9 * before


def test_scaling_by_kind():
    settings = DeepSVDD.tiny | {"random_state": 0}
    image = DeepSVDD(**settings).fit(np.random.default_rng(0).random((6, 1, 8, 8)))
    assert isinstance(image.scaling_, ContrastNormalisation)
    assert isinstance(DeepSVDD(**settings).fit(rows()).scaling_, Standard)


@pytest.mark.parametrize(
    ("backbone", "shape"), [(MLP(), (3,)), (ConvLadder(width=2), (1, 16, 16)), (ConvLadder(norm="none"), (1, 8, 8))]
)
def test_encoders_with_biases_are_refused(backbone, shape):
    X = np.random.default_rng(0).random((6, *shape))
    detector = DeepSVDD(**DeepSVDD.tiny, backbone=backbone, random_state=0)
    with pytest.raises(InputError, match=rf"without biases.*{type(backbone).__name__} has \d.*take LeNet"):
        detector.fit(X)


def test_batch_norm_without_shift_is_taken():
    backbone = MLP(hidden=(4,), bias=False, norm="batch")
    assert DeepSVDD(**DeepSVDD.tiny, backbone=backbone, random_state=0).fit(rows()).anomaly_score(rows()).shape == (60,)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"boundary": "medium"}, "boundary must be one of hard, soft"),
        ({"nu": 0.0}, r"nu is a share of the training rows in \(0, 1\]"),
        ({"boundary": "soft", "warm_up": 1}, "needs warm_up below epochs, not 1 of 1"),
        ({"pretrain_epochs": -1}, "pretrain_epochs must be a whole number of at least 0"),
    ],
)
def test_wrong_settings(wrong, message):
    with pytest.raises(InputError, match=message):
        DeepSVDD(**DeepSVDD.tiny | wrong).fit(rows())
