import dataclasses

import pytest
from pydantic import TypeAdapter

from oddgan.data import Options
from oddgan.options import EvaluateSpec, FitSpec, ScoreSpec, ThresholdSpec, UsageError


@pytest.mark.parametrize(
    "spec",
    [
        FitSpec(method="anogan", source="a.npz", options=Options(normal=3, resize=(8, 9)), settings={"epochs": 2}),
        ScoreSpec(model="m", source="a.npz", out="s.csv", heatmaps="maps"),
        EvaluateSpec(model="m", source="a.npz", options=Options(label="y")),
        ThresholdSpec(model="m", rule="fixed", settings={"value": 0.5}),
    ],
)
def test_a_spec_goes_to_json_and_back(spec):
    adapter = TypeAdapter(type(spec))
    assert adapter.validate_json(adapter.dump_json(spec)) == spec


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rate": 0.7}, "--rate is 0.7; expected a number, above 0 and at most 0.5"),
        ({"rate": 0}, "--rate is 0; expected"),
        ({"calibration": 1}, "--calibration is 1; expected a number, at least 0 and below 1"),
        ({"seed": -1}, "--seed is -1; expected a whole number, at least 0 and below 4294967296"),
        ({"seed": 1.5}, "--seed is 1.5; expected a whole number"),
        ({"epochs": 0}, "--epochs is 0; expected a whole number, at least 1"),
        ({"epochs": True}, "--epochs is True; expected a whole number"),
        ({"monitor": 1}, "--no-monitor is 1; expected true or false"),
        ({"source": ""}, "What should anogan learn from"),
    ],
)
def test_wrong_values_are_named(wrong, message):
    with pytest.raises(UsageError, match=message):
        FitSpec(**{"method": "anogan", "source": "a.npz"} | wrong)


def test_unknown_fields_are_refused():
    with pytest.raises(TypeError, match="passes"):
        FitSpec(method="anogan", source="a.npz", passes=3)


def test_a_model_that_is_trained_on_has_a_method():
    spec = FitSpec(method="a.npz", onto="m")
    assert (spec.method, spec.source, spec.onto.name) == ("", "a.npz", "m")


def test_a_spec_can_not_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FitSpec(method="anogan", source="a.npz").seed = 3
