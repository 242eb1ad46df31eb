import math

import pytest
import torch

from oddgan._core.errors import InputError
from oddgan.similarities import L1, L2, Cosine, Minkowski

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
        (Minkowski(1), [3, 7]),
        (Minkowski(2), [5**0.5, 5]),
        (Minkowski(3), [9 ** (1 / 3), 91 ** (1 / 3)]),
        # ⟨x, y⟩ = 1 + 4 over 3·√6; a zero vector counts as orthogonal.
        (Cosine(), [1 - 5 / (3 * 6**0.5), 1]),
    ],
)
def test_formulas(similarity, expected):
    assert similarity(X, Y).tolist() == pytest.approx(expected, rel=1e-6)


def test_cosine_ignores_length_and_reaches_two():
    x = torch.tensor([[3.0, 4.0]])
    assert Cosine()(x, 7 * x).item() == pytest.approx(0, abs=1e-12)
    assert Cosine()(x, -x).item() == pytest.approx(2)


def test_cosine_of_two_zero_vectors_is_zero():
    assert Cosine()(torch.zeros(1, 3), torch.zeros(1, 3)).item() == 0


@pytest.mark.parametrize("kind", [L1, L2])
def test_unknown_reductions_are_refused(kind):
    with pytest.raises(InputError, match=f"{kind.__name__} got reduction='max'"):
        kind(reduction="max")


def test_minkowski_tends_to_the_largest_difference():
    # 4·(1 + (3/4)^p)^(1/p); the powers themselves leave single precision.
    assert Minkowski(200)(X, Y).tolist() == pytest.approx([2, 4], rel=1e-6)


@pytest.mark.parametrize("p", [0.5, math.inf, math.nan])
def test_minkowski_refuses(p):
    with pytest.raises(InputError, match=f"Minkowski got p={p}: give a finite number of at least 1"):
        Minkowski(p)
