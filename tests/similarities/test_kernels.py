import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from oddgan._core.errors import InputError
from oddgan.similarities import RBF

# The squared distances are 4 + 1 and 9 + 16.
X = torch.tensor([[[1.0, 2.0], [2.0, 0.0]], [[0.0, 3.0], [4.0, 0.0]]])
Y = torch.tensor([[[1.0, 0.0], [2.0, -1.0]], [[0.0, 0.0], [0.0, 0.0]]])


@pytest.mark.parametrize(
    ("similarity", "exponents"),
    [
        (RBF(bandwidth=2.0), [5 / 8, 25 / 8]),
        (RBF(bandwidth=2.0, kernel="exponential"), [5**0.5 / 8, 5 / 8]),
        (RBF(bandwidth=2.0, kernel="laplacian"), [5**0.5 / 2, 5 / 2]),
    ],
)
def test_formulas(similarity, exponents):
    assert similarity(X, Y).tolist() == pytest.approx([1 - math.exp(-e) for e in exponents], rel=1e-6)


def test_rbf_without_a_bandwidth_says_so():
    with pytest.raises(InputError, match=r"RBF has no bandwidth yet: .* fit\(reference\), or give one"):
        RBF()(X, Y)


def test_a_bandwidth_that_was_given_is_kept():
    part = RBF(bandwidth=3.0)
    assert part.fit(torch.ones(5, 3)) is part


def test_fit_keeps_the_kernel():
    assert RBF(kernel="laplacian").fit(torch.tensor([[0.0], [1.0], [3.0]])) == RBF(2.0, "laplacian")


def test_unknown_kernels_are_refused():
    with pytest.raises(InputError, match='RBF got kernel=\'rgan\': give "gaussian" or "exponential" or "laplacian"'):
        RBF(kernel="rgan")


def test_rbf_keeps_small_distances():
    # Computed as 1 - exp(-d²/2), this would round to 0 in single precision.
    assert RBF(bandwidth=1.0)(torch.zeros(1, 1), torch.full((1, 1), 1e-5)).item() == pytest.approx(5e-11)


def test_rbf_fit_takes_the_median_distance():
    # Distances of 0, 1, 3: 1, 2 and 3.
    fitted = RBF().fit(torch.tensor([[0.0], [1.0], [3.0]]))
    assert fitted == RBF(bandwidth=2.0)
    assert isinstance(fitted.bandwidth, float)


def test_rbf_fit_flattens_and_leaves_the_part_as_it_was():
    reference = torch.randn(20, 2, 3)
    part = RBF()
    assert part.fit(reference).bandwidth == pytest.approx(np.median(pdist(reference.flatten(1).numpy())), rel=0.02)
    assert part.bandwidth is None


def test_rbf_fit_uses_500_rows_at_even_steps():
    reference = torch.randn(999, 2)
    # 499 steps of exactly 2 lead from row 0 to row 998.
    assert RBF().fit(reference) == RBF().fit(reference[::2])


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (torch.ones(5, 3), "most of which are equal"),
        (torch.ones(1, 3), "at least two samples"),
        (torch.ones(5), "at least two samples"),
        (torch.tensor([[1.0], [math.nan]]), "not finite"),
    ],
)
def test_rbf_fit_refuses(reference, message):
    with pytest.raises(InputError, match=message):
        RBF().fit(reference)


@pytest.mark.parametrize("bandwidth", [0, -1, math.inf, math.nan])
def test_rbf_refuses_a_bandwidth(bandwidth):
    with pytest.raises(InputError, match=f"bandwidth={bandwidth}: give a finite number above 0, or None"):
        RBF(bandwidth=bandwidth)
