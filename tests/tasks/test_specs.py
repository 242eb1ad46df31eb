import pytest
from pydantic import ValidationError

from oddgan.data import Options
from oddgan.tasks import EvaluateSpec, FitSpec, ScoreSpec, ThresholdSpec


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
    assert type(spec).model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"rate": 0.7}, "rate"),
        ({"rate": 0}, "rate"),
        ({"calibration": 1}, "calibration"),
        ({"seed": -1}, "seed"),
        ({"epochs": 0}, "epochs"),
        ({"passes": 3}, "passes"),
    ],
)
def test_values_out_of_range_and_unknown_fields_are_refused(wrong, field):
    with pytest.raises(ValidationError, match=field):
        FitSpec(method="anogan", source="a.npz", **wrong)
