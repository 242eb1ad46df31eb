import json

import numpy as np
import pytest
import torch

from oddgan import scores
from oddgan._core.errors import InputError
from oddgan._core.parts import from_spec, to_spec
from oddgan.scores import Maximum, Standardisation, Standardised, WeightedSum

VALUES = np.array([[1.0, 10.0], [2.0, 10.0], [3.0, 10.0], [4.0, 20.0], [10.0, 40.0]])
NAMES = ("a", "b")


@pytest.mark.parametrize(
    ("method", "centre", "scale"),
    [
        ("zscore", (4, 18), (np.sqrt(10), np.sqrt(136))),  # squares: 9+4+1+0+36 and 64·3+4+484, divided by 5
        ("robust", (3, 10), (2 / 1.349, 10 / 1.349)),  # quartiles 2 and 4, 10 and 20
        ("minmax", (1, 10), (9, 30)),
    ],
)
def test_statistics_by_hand(method, centre, scale):
    fitted = Standardisation(method).fit(VALUES, NAMES)
    assert fitted.centre == pytest.approx(centre)
    assert fitted.scale == pytest.approx(scale)
    found = fitted([torch.tensor([5.0]), torch.tensor([5.0])])
    assert [v.item() for v in found] == pytest.approx([(5 - c) / s for c, s in zip(centre, scale, strict=True)])


def test_values_outside_are_cut_only_on_request():
    outside = [torch.tensor([0.0, 19.0], dtype=torch.float64)]
    held_out = VALUES[:, :1]
    assert Standardisation("minmax").fit(held_out, ("a",))(outside)[0].tolist() == pytest.approx([-1 / 9, 2])
    assert Standardisation("minmax", clip=(0, 1)).fit(held_out, ("a",))(outside)[0].tolist() == [0, 1]


def test_robust_is_the_standard_deviation_of_normal_values():
    values = np.random.default_rng(0).normal(3, 2, size=(100_000, 1))
    fitted = Standardisation("robust").fit(values, ("a",))
    assert (fitted.centre[0], fitted.scale[0]) == pytest.approx((3, 2), abs=0.03)


def test_one_far_value_moves_the_zscore_and_not_the_robust_one():
    values = np.append(np.linspace(-1, 1, 101), 1e6)[:, None]
    assert Standardisation("robust").fit(values, ("a",)).scale[0] < 1
    assert Standardisation("zscore").fit(values, ("a",)).scale[0] > 1e4


@pytest.mark.parametrize(
    ("method", "values", "message"),
    [
        ("zscore", [0.1, 0.1, 0.1], "b can't be standardised by 3 held-out normal rows: it has one value in all"),
        ("minmax", [1e9, 1e9, 1e9], "in all of them"),
        ("robust", [1, 1, 2], "half or more of them.*another method"),
    ],
)
def test_constant_components_are_refused_by_name(method, values, message):
    if method == "robust":
        values = [1, 1, 1, 1, 2]
    with pytest.raises(InputError, match=message):
        Standardisation(method).fit(np.stack([np.arange(len(values)), values], axis=1).astype(float), NAMES)


@pytest.mark.parametrize("arguments", [{"method": "max"}, {"clip": (1.0, 0.0)}, {"clip": (0.0, np.inf)}])
def test_refuses(arguments):
    with pytest.raises(InputError, match=f"got {next(iter(arguments))}="):
        Standardisation(**arguments)


def test_unfitted_says_so():
    with pytest.raises(InputError, match="Standardisation has not been fitted"):
        Standardisation()([torch.zeros(2)])


def test_standardised_weights_by_hand():
    fitted = Standardised(WeightedSum(a=0.75, b=0.25), Standardisation("minmax")).fit(
        dict(zip(NAMES, VALUES.T, strict=True))
    )
    found = fitted({"a": torch.tensor([10.0]), "b": torch.tensor([25.0]), "other": torch.tensor([0.0])})
    assert found.tolist() == pytest.approx([0.75 * 1 + 0.25 * 0.5])
    assert fitted.uses == NAMES
    assert not fitted.needs_labels


def test_standardised_is_stored_and_built_again():
    fitted = Standardised(WeightedSum(a=1), Standardisation(clip=(-5.0, 5.0))).fit({"a": VALUES[:, 0]})
    spec = json.loads(json.dumps(to_spec(fitted, {}, "c")))
    assert from_spec(spec, {name: getattr(scores, name) for name in scores.__all__}, {}) == fitted


def test_standardised_refuses_what_standardises_itself():
    with pytest.raises(InputError, match="got Maximum, which learns from held-out rows itself"):
        Standardised(Maximum())


def test_missing_components_are_named():
    with pytest.raises(InputError, match="needs the component a, but there are: b"):
        Standardised(WeightedSum(a=1)).fit({"b": VALUES[:, 0]})
    with pytest.raises(InputError, match="2 of 5 held-out normal rows whose component a is NaN or infinite"):
        Standardised(WeightedSum(a=1)).fit({"a": np.array([1, np.nan, np.inf, 2, 3])})
