import shutil

import numpy as np
import pytest

from oddgan import PCA, load
from oddgan._core.errors import InputError
from oddgan.data import Options, read
from oddgan.scores import GridSearch, Maximum, WeightedSum
from oddgan.tasks import (
    ComposeSpec,
    EvaluateSpec,
    ScoreSpec,
    ThresholdSpec,
    UsageError,
    change_threshold,
    compose,
    evaluate,
    score,
)

DIGITS = "builtin:digits"
GRID = {"composition": {"type": "GridSearch", "step": 0.5, "components": ["latent", "residual"]}}


@pytest.fixture
def spec(trained, tmp_path):
    """A specification for the trained model, with changes."""
    return lambda **changes: ComposeSpec(model=trained.model, **({"out": tmp_path / "composed"} | changes))


def test_without_changes_the_composition_is_looked_up(trained):
    found = compose(ComposeSpec(model=trained.model))
    assert found.model is None
    assert found.before == found.after
    assert found.after.text == "WeightedSum(latent=1.0)"
    assert found.after.weights == {"latent": 1.0}
    assert {"latent", "residual"} <= set(found.components)
    assert found.threshold == trained.info.threshold


def test_a_composition_without_labels_needs_no_data(spec, trained):
    found = compose(spec(settings={"composition": "Maximum"}))
    changed = load(found.model)
    assert type(changed.composition_) is Maximum
    expected = trained.detector.anomaly_score(read(DIGITS).x[:9])
    assert not np.array_equal(changed.anomaly_score(read(DIGITS).x[:9]), expected)
    assert (found.threshold.source, found.threshold.rate, found.labelled) == ("held-out normals", 0.1, 0)
    assert not changed.semi_supervised_


def test_fields_alone_change_the_present_composition(spec):
    found = compose(spec(settings={"composition": {"residual": 0.5}}))
    assert load(found.model).composition_ == WeightedSum(latent=1.0, residual=0.5)


def test_labels_are_learned_from_and_these_rows_are_not_measured_on(spec):
    found = compose(spec(source=DIGITS, settings=GRID, share=0.4, tune="f1"))
    # The test half has 54 or so threes (normal) among 539 rows: 40 % of either class.
    y = read(DIGITS, default_split="test").y
    assert found.anomalous == round(0.4 * (y != 3).sum())
    assert found.labelled == found.anomalous + round(0.4 * (y == 3).sum())
    assert found.after.needs_labels
    assert sum(found.after.weights.values()) == pytest.approx(1)
    assert found.threshold.source == "labelled rows"
    assert type(load(found.model).composition_) is GridSearch
    info = evaluate(EvaluateSpec(model=found.model, source=DIGITS)).info
    assert info.metrics["n"].value == len(y) - found.labelled
    assert info.data.dropped == found.labelled
    assert any(f"{found.labelled} rows were left out" in note for note in info.notes)
    assert (info.semi_supervised, info.composition) == (True, found.after)
    assert info.components == ("latent", "residual")


def test_rows_that_all_were_learned_from_measure_nothing(spec):
    found = compose(spec(source=DIGITS, settings=GRID))
    with pytest.raises(InputError, match="all these 539 rows, so they can't measure it"):
        evaluate(EvaluateSpec(model=found.model, source=DIGITS))
    compose(ComposeSpec(model=found.model, settings={"composition": "Maximum"}, force=True))  # which used none of them
    assert evaluate(EvaluateSpec(model=found.model, source=DIGITS)).info.metrics["n"].value == 539


def test_rows_that_were_trained_on_are_not_learned_from(spec, trained):
    found = compose(spec(source=DIGITS, options=Options(split="train"), settings=GRID))
    # Of the normal rows of the training half only those are left that were held out.
    assert found.labelled - found.anomalous == len(trained.detector.calibration_scores_)
    assert "102 rows were left out: the model was trained on them." in found.notes


def test_the_threshold_alone_is_tuned_and_can_be_set_back(spec, trained):
    found = compose(spec(source=DIGITS, tune="mcc", share=0.5))
    assert (found.after, found.after.needs_labels) == (found.before, False)
    assert load(found.model).semi_supervised_
    assert score(ScoreSpec(model=found.model, source=DIGITS)).threshold == found.threshold
    back = change_threshold(ThresholdSpec(model=found.model, rule="conformal", force=True))
    assert (back.before.source, back.after) == ("labelled rows", trained.info.threshold)
    assert evaluate(EvaluateSpec(model=found.model, source=DIGITS)).info.metrics["n"].value == 539


def test_a_tuned_threshold_adds_to_the_rows_that_are_not_measured_on(spec):
    def measured(split):
        options = Options(split=split)
        return evaluate(EvaluateSpec(model=model, source=DIGITS, options=options)).info.metrics["n"].value

    first = compose(spec(source=DIGITS, settings=GRID, share=0.2))
    model, options = first.model, Options(split="train")
    second = compose(ComposeSpec(model=model, source=DIGITS, options=options, share=0.2, tune="mcc", force=True))
    assert second.labelled > 0
    assert (measured("test"), measured("train")) == (539 - first.labelled, 1258 - second.labelled)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"settings": GRID}, UsageError, "GridSearch learns from labels: name data"),
        ({"tune": "mcc"}, UsageError, "--tune chooses the threshold by labels: name data"),
        (
            {"settings": {"composition": "Maximum"}, "source": DIGITS},
            UsageError,
            "Maximum looks at no labels: remove builtin:digits",
        ),
        ({"source": DIGITS}, UsageError, "builtin:digits is not used: give --set composition=NAME, or --tune"),
        ({"share": 0.5}, UsageError, "How labelled rows are read is given, but no rows"),
        ({"settings": {"epochs": 3}}, UsageError, "compose sets no epochs"),
        ({"settings": {"composition": "Best"}}, UsageError, "Unknown composition 'Best'"),
        ({"settings": {"composition": {"type": "SVM", "width": 3}}, "source": DIGITS}, UsageError, "no field 'width'"),
        ({"settings": {"composition": {"type": "WeightedSum", "kl": 1}}}, InputError, "but there are: critic, "),
        ({"settings": GRID, "source": DIGITS, "share": 0.001}, InputError, "Labels of both kinds are needed"),
        ({"settings": {"composition": "Maximum"}, "out": None}, UsageError, "give --out FOLDER, or --force"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(spec, tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        compose(spec(**changes))
    assert not (tmp_path / "composed").exists()


def test_without_labels_nothing_is_learned(spec, tmp_path):
    np.savez(tmp_path / "plain.npz", x=read(DIGITS).x[:20])
    with pytest.raises(InputError, match="or choose a composition that needs none"):
        compose(spec(settings=GRID, source=str(tmp_path / "plain.npz")))


def test_a_model_that_was_saved_in_python_can_be_composed(tmp_path):
    data = read("builtin:breast-cancer")
    PCA(random_state=0).fit(data.x[data.y == 0]).save(tmp_path / "model")
    found = compose(
        ComposeSpec(model=tmp_path / "model", source="builtin:breast-cancer", tune="youden", out=tmp_path / "tuned")
    )
    assert load(tmp_path / "tuned").semi_supervised_
    assert any("evaluate it on other rows" in note for note in found.notes)


def test_in_place_with_force(trained, tmp_path):
    model = shutil.copytree(trained.model, tmp_path / "model")
    compose(ComposeSpec(model=model, settings={"composition": "Maximum"}, force=True))
    assert type(load(model).composition_) is Maximum
