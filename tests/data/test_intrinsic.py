import numpy as np
import pytest
from sklearn.datasets import make_swiss_roll

from oddgan._core.errors import InputError
from oddgan.data import LatentAdvice, intrinsic_dimension
from oddgan.data.intrinsic import IntrinsicDimension, levina_bickel, two_nn

RNG = np.random.default_rng


def sphere(n, d, ambient, seed=0):
    """n points of the d-dimensional sphere, in an ambient space turned at random."""
    points = RNG(seed).normal(size=(n, d + 1))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points @ np.linalg.qr(RNG(1).normal(size=(ambient, ambient)))[0][: d + 1]


def subspace(n, d, ambient):
    return RNG(0).normal(size=(n, d)) @ RNG(1).normal(size=(d, ambient))


@pytest.mark.parametrize(
    ("x", "dimension"),
    [
        (make_swiss_roll(2000, random_state=0)[0], 2),
        (sphere(1500, 1, 4), 1),
        (sphere(1500, 3, 10), 3),
        (subspace(1500, 5, 50), 5),
    ],
    ids=["swiss roll", "circle", "sphere", "subspace"],
)
def test_manifolds_of_known_dimension(x, dimension):
    found = intrinsic_dimension(x)
    assert found.levina_bickel == pytest.approx(dimension, rel=0.12)
    # TwoNN looks at two neighbours only: its standard error is about m / √n, 3 %.
    assert found.two_nn == pytest.approx(dimension, rel=0.12)


def test_noise_fills_its_space_and_is_underestimated():
    # What the documentation says of the bias in high dimensions.
    found = {d: intrinsic_dimension(RNG(0).normal(size=(2000, d))) for d in (5, 10, 20, 50)}
    for d, (least, most) in {5: (5, 5), 10: (9, 10), 20: (16, 17), 50: (29, 33)}.items():
        for value in (found[d].two_nn, found[d].levina_bickel):
            assert least - 1 < value < most + 1


def test_two_nn_by_hand():
    # Ratios e, e², ..., of ten rows; F = 1/10 ... 9/10. If log μ = -log(1 - F) / m exactly, the slope is m.
    share = np.arange(1, 11) / 10
    logs = np.append(-np.log1p(-share[:9]) / 4, 100.0)  # the last one is among the tenth that is left out
    assert two_nn(np.stack([np.ones(10), np.exp(logs)], axis=1)) == pytest.approx(4)


def test_levina_bickel_by_hand():
    # Distances 1, e, e²: k = 3 gives 1/m = (2 + 1) / 2, k = 2 gives 1/m = 1.
    distances = np.exp(np.arange(3.0))[None]
    assert levina_bickel(distances, 3, 3) == pytest.approx(2 / 3)
    assert levina_bickel(distances, 2, 2) == pytest.approx(1)
    assert levina_bickel(distances, 2, 3) == pytest.approx((2 / 3 + 1) / 2)
    # MacKay and Ghahramani: inverses are averaged over rows, 1/m = (1 + 3) / 2.
    two = np.array([[1.0, np.e], [1.0, np.e**3]])
    assert levina_bickel(two, 2, 2) == pytest.approx(0.5)


def test_scale_shift_duplicates_and_constant_columns_do_not_matter():
    x = subspace(400, 3, 8)
    plain = intrinsic_dimension(x)
    assert intrinsic_dimension(7 * x + 100)[:2] == pytest.approx(plain[:2])
    wide = intrinsic_dimension(np.hstack([x, np.ones((400, 2))]))
    assert (wide.values, wide.n) == (8, 400)
    assert intrinsic_dimension(np.repeat(x, 2, axis=0)).n == 400
    assert intrinsic_dimension(np.repeat(x, 2, axis=0))[:2] == pytest.approx(plain[:2])


def test_sampled_and_seeded():
    x = subspace(3000, 4, 6).reshape(3000, 2, 3)
    found = intrinsic_dimension(x, most=500)
    assert found.n == 500
    assert found == intrinsic_dimension(x, most=500)
    assert found != intrinsic_dimension(x, most=500, seed=1)
    assert found.levina_bickel == pytest.approx(4, rel=0.15)


def test_advice():
    assert IntrinsicDimension(2.0, 1.9, 999, 30).advice()[:2] == (2, 5)
    assert IntrinsicDimension(4.6, 5.4, 999, 30).advice()[:2] == (5, 13)
    assert IntrinsicDimension(4.6, 5.4, 999, 6).advice()[:2] == (5, 6)  # never more than a row has values
    thin = IntrinsicDimension(12.0, 15.0, 2000, 784).advice()
    assert isinstance(thin, LatentAdvice)
    assert thin[:2] == (12, 31)
    assert "too low" in thin.reason
    assert "too low" not in IntrinsicDimension(4.6, 5.4, 999, 30).advice().reason


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((100, 3)), "different rows"),
        (subspace(20, 2, 3), "got 20 different rows of 20: at least 50"),
        (np.full((99, 2), np.nan), "finite"),
    ],
)
def test_what_can_not_be_estimated(x, message):
    with pytest.raises(InputError, match=message):
        intrinsic_dimension(x)
