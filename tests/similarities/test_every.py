"""What holds for every similarity."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oddgan import AnoGAN, InputError, load, similarities
from oddgan._core.parts import from_spec, to_spec
from oddgan.similarities import (
    DTW,
    L1,
    L2,
    RBF,
    Blurred,
    LaplacianPyramid,
    Minkowski,
    Relative,
    Similarity,
    SoftDTW,
    TrailingMask,
)

# With their defaults, and with other arguments; RBF has to be fitted or given a bandwidth.
EVERY = [getattr(similarities, name) for name in similarities.__all__]
ALL = [cls() for cls in EVERY if cls not in (Similarity, RBF)]
ALL += [L1("sum"), L2("sum"), Minkowski(1), Minkowski(2.5)]
ALL += [RBF(2.0), RBF(2.0, "exponential"), RBF(2.0, "laplacian")]
SERIES = [Blurred(), LaplacianPyramid(), LaplacianPyramid(2, "sum"), DTW(), DTW(2), SoftDTW(), SoftDTW(0.5, 2)]
SERIES += [TrailingMask()]
ALL += [part for part in SERIES if part not in ALL]
ONE_WAY = (Relative, TrailingMask)  # relative to x, or to its length


@pytest.mark.parametrize("similarity", ALL)
@settings(max_examples=20, deadline=None)
@given(values=arrays(np.float64, (2, 3, 2, 7), elements=st.floats(-2, 2, width=32)))
def test_zero_for_equal_samples_and_symmetric(similarity, values):
    x, y = torch.from_numpy(values)
    assert similarity(x, x.clone()).tolist() == [0.0] * 3
    there = similarity(x, y)
    if not isinstance(similarity, ONE_WAY):
        torch.testing.assert_close(there, similarity(y, x), rtol=1e-12, atol=1e-12)
    # Squared costs let the divergence fall a little below 0.
    assert (there >= (-0.01 if isinstance(similarity, SoftDTW) else 0)).all()


@pytest.mark.parametrize("similarity", ALL)
def test_unequal_samples_are_unlike(similarity):
    torch.manual_seed(0)
    assert (similarity(torch.randn(5, 2, 7), torch.randn(5, 2, 7)) > 0).all()


@pytest.mark.parametrize("similarity", ALL)
def test_gradients(similarity):
    torch.manual_seed(0)
    x, y = (torch.randn(3, 2, 6, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(similarity, (x, y))


@pytest.mark.parametrize("similarity", ALL)
def test_gradient_is_finite_at_equal_and_zero_samples(similarity):
    sample, zero = torch.tensor([[1.0, 2.0, 0.0, -1.0]]), torch.zeros(1, 4)
    x = torch.stack([sample, zero, sample])
    y = torch.stack([sample, zero, zero]).requires_grad_()
    similarity(x, y).sum().backward()
    assert y.grad.isfinite().all()


@pytest.mark.parametrize("similarity", ALL)
def test_each_entry_is_about_its_own_pair(similarity):
    # 37 samples leave a remainder beside every width of vector instruction.
    torch.manual_seed(0)
    x, y = torch.randn(2, 37, 3, 8)
    together = similarity(x[:, None], y[:, None]) if x.ndim == 2 else similarity(x, y)
    for i in (0, 4, 36):
        assert torch.equal(together[i : i + 1], similarity(x[i : i + 1], y[i : i + 1]))


@pytest.mark.parametrize("similarity", ALL)
def test_gradient_of_each_entry_is_about_its_own_pair(similarity):
    torch.manual_seed(0)
    x, y = torch.randn(2, 5, 2, 6, dtype=torch.float64)

    def gradient(rows):
        moved = y[rows].clone().requires_grad_()
        similarity(x[rows], moved).sum().backward()
        return moved.grad

    torch.testing.assert_close(gradient(slice(None))[3:4], gradient(slice(3, 4)), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shapes", [((4, 3), (1, 3)), ((4, 3), (4, 1)), ((4,), (4,))])
@pytest.mark.parametrize("similarity", ALL)
def test_shapes_that_would_broadcast_are_refused(similarity, shapes):
    with pytest.raises(InputError, match=r"one shape \(n, \.\.\.\), but got"):
        similarity(*(torch.zeros(shape) for shape in shapes))


@pytest.mark.parametrize("similarity", SERIES)
def test_what_needs_neighbours_refuses_a_table(similarity):
    with pytest.raises(InputError, match=r"takes series .*, but got \(4, 3\)"):
        similarity(torch.zeros(4, 3), torch.zeros(4, 3))


@pytest.mark.parametrize("similarity", ALL)
def test_what_leaves_nothing_to_the_data_is_fitted_as_it_is(similarity):
    assert similarity.fit(torch.randn(4, 2, 7)) == similarity


@pytest.mark.parametrize("similarity", ALL)
def test_stored_and_built_again(similarity):
    known = {name: getattr(similarities, name) for name in similarities.__all__}
    assert from_spec(to_spec(similarity, {}, "similarity"), known, {}) == similarity


def total(x, y):
    return (x - y).abs().flatten(1).sum(dim=1)


def test_a_similarity_may_be_any_function_but_is_not_stored(tmp_path):
    x = np.random.default_rng(0).normal(size=(12, 3))
    own, ours = (AnoGAN(**AnoGAN.tiny, random_state=0, similarity=s).fit(x) for s in (total, L1("sum")))
    np.testing.assert_array_equal(own.anomaly_score(x), ours.anomaly_score(x))
    message = r"^parameters\.similarity is <function total .*, which can't be stored: use .* oddgan's own parts\.$"
    with pytest.raises(InputError, match=message):
        own.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_stored_model_keeps_its_similarity(tmp_path):
    x = np.random.default_rng(0).normal(size=(12, 1, 16))
    detector = AnoGAN(**AnoGAN.tiny, random_state=0, similarity=SoftDTW(0.2, band=4)).fit(x)
    again = load(detector.save(tmp_path / "model"))
    assert again.similarity == SoftDTW(0.2, band=4)
    np.testing.assert_array_equal(again.anomaly_score(x), detector.anomaly_score(x))


def test_the_base_class_is_abstract():
    with pytest.raises(TypeError, match="_compare"):
        Similarity()
