import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, to_spec
from oddgan.similarities import L1, L2, RBF, Cosine

ALL = [L1(), L1("sum"), L2(), L2("sum"), RBF(bandwidth=2.0), Cosine()]
X = torch.tensor([[[1.0, 2.0], [2.0, 0.0]], [[0.0, 3.0], [4.0, 0.0]]])
Y = torch.tensor([[[1.0, 0.0], [2.0, -1.0]], [[0.0, 0.0], [0.0, 0.0]]])


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        # The differences are (0, 2, 0, 1) and (0, 3, 4, 0).
        (L1(), [3 / 4, 7 / 4]),
        (L1("sum"), [3, 7]),
        (L2(), [5 / 4, 25 / 4]),
        (L2("sum"), [5, 25]),
        (RBF(bandwidth=2.0), [1 - math.exp(-5 / 8), 1 - math.exp(-25 / 8)]),
        # ⟨x, y⟩ = 1 + 4 over 3·√6; a zero vector counts as orthogonal.
        (Cosine(), [1 - 5 / (3 * 6**0.5), 1]),
    ],
)
def test_formulas(similarity, expected):
    assert similarity(X, Y).tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("similarity", ALL)
def test_zero_for_equal_samples_and_symmetric(similarity):
    x, y = torch.randn(5, 2, 7), torch.randn(5, 2, 7)
    assert similarity(x, x).tolist() == [0.0] * 5
    assert torch.equal(similarity(x, y), similarity(y, x))
    assert (similarity(x, y) > 0).all()


@pytest.mark.parametrize("similarity", ALL)
def test_gradients(similarity):
    torch.manual_seed(0)
    x = torch.randn(3, 4, dtype=torch.float64)
    y = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda y: similarity(x, y), y)


@pytest.mark.parametrize("similarity", ALL)
def test_gradient_is_finite_at_equal_and_zero_samples(similarity):
    x = torch.tensor([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0]])
    y = torch.tensor([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]], requires_grad=True)
    similarity(x, y).sum().backward()
    assert y.grad.isfinite().all()


@pytest.mark.parametrize("similarity", ALL)
def test_each_entry_is_about_its_own_pair(similarity):
    x, y = torch.randn(9, 3, 5), torch.randn(9, 3, 5)
    assert torch.equal(similarity(x, y)[4:5], similarity(x[4:5], y[4:5]))


@pytest.mark.parametrize("shapes", [((4, 3), (1, 3)), ((4, 3), (4, 1)), ((4,), (4,))])
@pytest.mark.parametrize("similarity", ALL)
def test_shapes_that_would_broadcast_are_refused(similarity, shapes):
    with pytest.raises(InputError, match=r"one shape \(n, \.\.\.\), but got"):
        similarity(*(torch.zeros(shape) for shape in shapes))


def test_cosine_ignores_length_and_reaches_two():
    x = torch.tensor([[3.0, 4.0]])
    assert Cosine()(x, 7 * x).item() == pytest.approx(0, abs=1e-12)
    assert Cosine()(x, -x).item() == pytest.approx(2)


def test_cosine_of_two_zero_vectors_is_zero():
    assert Cosine()(torch.zeros(1, 3), torch.zeros(1, 3)).item() == 0


def test_rbf_keeps_small_distances():
    # Computed as 1 - exp(-d²/2), this would round to 0 in single precision.
    assert RBF()(torch.zeros(1, 1), torch.full((1, 1), 1e-5)).item() == pytest.approx(5e-11)


def test_rbf_fit_takes_the_median_distance():
    # Distances of 0, 1, 3: 1, 2 and 3.
    fitted = RBF().fit(torch.tensor([[0.0], [1.0], [3.0]]))
    assert fitted == RBF(bandwidth=2.0)
    assert isinstance(fitted.bandwidth, float)


def test_rbf_fit_flattens_and_leaves_the_part_as_it_was():
    reference = torch.randn(20, 2, 3)
    part = RBF()
    assert part.fit(reference).bandwidth == pytest.approx(np.median(pdist(reference.flatten(1).numpy())), rel=0.02)
    assert part.bandwidth == 1.0


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
    with pytest.raises(InputError, match=f"bandwidth={bandwidth}: give a finite number above 0"):
        RBF(bandwidth=bandwidth)


@pytest.mark.parametrize("kind", [L1, L2])
def test_unknown_reductions_are_refused(kind):
    with pytest.raises(InputError, match=f"{kind.__name__} got reduction='max'"):
        kind(reduction="max")


@pytest.mark.parametrize("similarity", ALL)
def test_stored_and_built_again(similarity):
    known = {type(similarity).__name__: type(similarity)}
    assert from_spec(to_spec(similarity, {}, "similarity"), known, {}) == similarity
