import numpy as np
import pytest

from oddgan._core.part_text import code_text, stored_text, typed_text
from oddgan._core.parts import learned_fields
from oddgan.networks import Auto, ConvLadder
from oddgan.scores import SVM, Fisher, GridSearch, Logistic, Mixture, OneClass, Standardised, WeightedSum
from oddgan.training import Adam, Constant, LinearDecay, RMSProp

rng = np.random.default_rng(0)
NORMALS = {"a": rng.normal(size=40), "b": rng.normal(size=40)}
LABELLED = {name: np.append(values, values + 3) for name, values in NORMALS.items()}, np.repeat([0, 1], 40)
NAMED = {"components": ("a", "b")}


@pytest.mark.parametrize(
    "part",
    [
        SVM(**NAMED, kernel="linear"),
        GridSearch(**NAMED, step=0.5),
        Logistic(**NAMED),
        OneClass(**NAMED),
        Mixture(**NAMED, n_components=1),
        Fisher(**NAMED),
        Standardised(WeightedSum(a=1.0)),
    ],
    ids=lambda part: type(part).__name__,
)
def test_what_a_part_learns_is_not_among_what_was_chosen(part):
    assert typed_text(part.fit(NORMALS, LABELLED)) == typed_text(part)


def test_only_what_differs_from_the_default_is_said():
    assert typed_text(GridSearch(step=0.5)) == "GridSearch(step=0.5)"
    assert typed_text(SVM(components=("a", "b"))) == "SVM(components=[a, b])"
    assert typed_text(Standardised(WeightedSum(a=1))) == "Standardised(composition=WeightedSum(a=1.0))"
    assert [typed_text(value) for value in (None, 3, "x", (0.5, 0.9))] == ["none", "3", "x", "[0.5, 0.9]"]


def test_a_learning_rate_is_always_said_and_the_default_of_a_factory_never():
    assert typed_text(Adam()) == f"Adam(lr={Adam().lr})"
    assert typed_text(RMSProp(lr=0.1, schedule=LinearDecay())) == "RMSProp(lr=0.1, schedule=LinearDecay())"
    assert typed_text(RMSProp(lr=0.1, schedule=Constant())) == "RMSProp(lr=0.1)"


def test_learned_fields_are_those_that_the_docstring_calls_so():
    assert learned_fields(GridSearch) == {"weights", "best_threshold"}
    assert learned_fields(WeightedSum) == frozenset()


def test_settings_read_like_calls():
    value = {"type": "Sum", "parts": [{"type": "L1"}, 2], "weights": {"a": 0.5}, "device": None}
    assert stored_text(value) == "Sum(parts=(L1(), 2), weights={a=0.5}, device=None)"


def test_code_names_what_is_no_default():
    assert code_text(Auto(image=ConvLadder(critic_norm="layer"))) == "Auto(image=ConvLadder(critic_norm='layer'))"
    assert code_text(Adam()) == "Adam(lr=0.0002)"
    assert code_text(WeightedSum(residual=0.9)) == "WeightedSum(residual=0.9)"
    assert code_text(tuple(range(2, 21))) == "(2, 3, ..., 20)"
    assert code_text((1,)) == "(1,)"
