import math

import pytest
import torch
from scipy import stats

from oddgan._core.errors import InputError
from oddgan.scores import (
    critic_cross_entropy,
    feature_matching,
    gaussian_nll,
    kl_to_standard_normal,
    latent_error,
    latent_norm,
)

X = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
Y = torch.tensor([[1.0, 4.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # The differences are (0, 2) and (3, 4).
        ({}, [1, 3.5]),
        ({"reduction": "sum"}, [2, 7]),
        ({"p": 2}, [2, 12.5]),
        ({"p": 2, "reduction": "sum"}, [4, 25]),
    ],
)
def test_feature_matching(arguments, expected):
    assert feature_matching(X, Y, **arguments).tolist() == pytest.approx(expected)
    assert feature_matching(X, X, **arguments).tolist() == [0, 0]


@pytest.mark.parametrize("arguments", [{"p": 3}, {"reduction": "max"}])
def test_feature_matching_refuses(arguments):
    with pytest.raises(InputError, match="give 1 or 2"):
        feature_matching(X, Y, **arguments)


@pytest.mark.parametrize(
    ("target", "expected"), [(1.0, math.log(4 / 3)), (0.0, math.log(4)), (0.5, math.log(16 / 3) / 2)]
)
def test_cross_entropy_of_a_target(target, expected):
    # σ(log 3) = 3/4: -α log ¾ - (1 - α) log ¼.
    assert critic_cross_entropy(torch.tensor([math.log(3)]), target).item() == pytest.approx(expected)


def test_critic_cross_entropy():
    # -log σ(0) = log 2 and -log σ(log 3) = log 4/3; a sure critic costs 0 or, when it says generated, the logit.
    logit = torch.tensor([0.0, math.log(3), 1e4, -1e4])
    assert critic_cross_entropy(logit).tolist() == pytest.approx([math.log(2), math.log(4 / 3), 0, 1e4])


def test_latent_error_is_a_mean_square():
    assert latent_error(X, Y).tolist() == pytest.approx([2, 12.5])


def test_latent_norm():
    z = torch.tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    assert latent_norm(z).tolist() == [5, 0]
    latent_norm(z).sum().backward()
    assert z.grad.isfinite().all()


def test_kl_to_standard_normal():
    # None for the prior itself; ½ μ² per mean; for σ² = e: ½ (e - 1 - 1).
    mean, log_variance = torch.tensor([[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]]), torch.zeros(3, 2)
    log_variance[2, 0] = 1
    assert kl_to_standard_normal(mean, log_variance).tolist() == pytest.approx([0, 2.5, (math.e - 2) / 2])


def test_kl_agrees_with_torchs_distributions():
    mean, log_variance = torch.randn(4, 3), torch.randn(4, 3)
    posterior = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), expected)


def test_gaussian_nll_agrees_with_scipy():
    x, mean, log_variance = torch.randn(3, 4, 2, 2).double(), torch.randn(3, 4, 2, 2).double(), torch.randn(2).double()
    reference = -stats.norm.logpdf(x.numpy(), mean.numpy(), torch.exp(log_variance / 2).numpy()).sum(axis=(1, 2, 3))
    assert gaussian_nll(x, mean, log_variance).numpy() == pytest.approx(reference)


@pytest.mark.parametrize("function", [feature_matching, latent_error, kl_to_standard_normal])
@pytest.mark.parametrize("shapes", [((4, 3), (1, 3)), ((4, 3), (4, 1)), ((4,), (4,))])
def test_shapes_that_would_broadcast_are_refused(function, shapes):
    with pytest.raises(InputError, match=r"one shape \(n, \.\.\.\), but got"):
        function(*(torch.zeros(shape) for shape in shapes))
