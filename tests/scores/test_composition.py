import copy
import math

import pytest
import torch

from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, is_part, to_spec
from oddgan.scores import WeightedSum

COMPONENTS = {
    "residual": torch.tensor([1.0, 2.0]),
    "features": torch.tensor([10.0, 0.0]),
    "other": torch.tensor([5, 5]),
}


def test_weighted_sum_by_hand():
    assert WeightedSum(residual=0.9, features=0.1)(COMPONENTS).tolist() == pytest.approx([1.9, 1.8])
    assert WeightedSum(residual=2, features=-1)(COMPONENTS).tolist() == [-8, 4]


def test_normalised_weights_sum_to_one():
    # Equation 9 of the survey.
    part = WeightedSum.normalised(residual=3, features=1)
    assert part == WeightedSum(residual=0.75, features=0.25)
    assert WeightedSum.normalised(a=1, b=1, c=1).weights == (("a", 1 / 3), ("b", 1 / 3), ("c", 1 / 3))
    assert WeightedSum.normalised(normalised=2, weights=2, cls=4).arguments() == {
        "normalised": 0.25, "weights": 0.25, "cls": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("weights", [{"a": 0}, {"a": 2, "b": -1}, {"a": 1e308, "b": 1e308}])
def test_what_has_no_share_of_one_is_refused(weights):
    with pytest.raises(InputError, match="can't be normalised: give weights of at least 0, not all of them 0"):
        WeightedSum.normalised(**weights)


def test_gradients_pass_through():
    component = torch.ones(2, requires_grad=True)
    WeightedSum(a=3)({"a": component}).sum().backward()
    assert component.grad.tolist() == [3, 3]


def test_order_does_not_matter():
    first, second = WeightedSum(a=1, b=2.0), WeightedSum(b=2, a=1.0)
    assert first == second
    assert hash(first) == hash(second)
    assert repr(first) == repr(second) == "WeightedSum(a=1.0, b=2.0)"
    assert first != WeightedSum(a=1, b=3)
    assert first != WeightedSum(a=1)


def test_is_a_part_that_is_stored_and_built_again():
    part = WeightedSum(a=1, b=2)
    spec = to_spec(part, {}, "composition")
    assert is_part(part)
    assert spec == {"type": "WeightedSum", "a": 1.0, "b": 2.0}
    assert from_spec(spec, {"WeightedSum": WeightedSum}, {}) == part
    assert copy.deepcopy(part) == part


def test_components_may_be_called_self_or_weights():
    assert WeightedSum(self=1, weights=2).arguments() == {"self": 1, "weights": 2}


def test_a_missing_component_is_named_with_those_that_exist():
    with pytest.raises(InputError, match=r"needs the component latent, but there are: features, other, residual"):
        WeightedSum(latent=1, residual=1)(COMPONENTS)


@pytest.mark.parametrize("weight", [math.nan, math.inf, "1", None])
def test_weights_are_finite_numbers(weight):
    with pytest.raises(InputError, match="give a finite number"):
        WeightedSum(a=weight)


def test_nothing_to_weigh_is_an_error():
    with pytest.raises(InputError, match="got no weights"):
        WeightedSum()


def test_the_name_that_storing_needs_is_refused():
    with pytest.raises(InputError, match='called "type"'):
        WeightedSum(type=1)
