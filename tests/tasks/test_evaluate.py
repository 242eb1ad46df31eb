import numpy as np
import pytest

from oddgan._core.errors import InputError
from oddgan.data import Options, read
from oddgan.evaluate import evaluate as measure
from oddgan.evaluate import read_run
from oddgan.report import render
from oddgan.tasks import EvaluateSpec, evaluate


@pytest.fixture(scope="module")
def evaluated(trained, tmp_path_factory):
    runs = tmp_path_factory.mktemp("evaluated")
    return evaluate(
        EvaluateSpec(model=trained.model, source="builtin:digits", runs=runs, command=("oddgan", "evaluate"))
    )


def test_metrics_count_other_labels_than_the_model_s_as_anomalies(trained, evaluated):
    data = read("builtin:digits", default_split="test")
    detector = trained.detector
    assert evaluated.info.metrics == measure(detector.anomaly_score(data.x), data.y != 3, detector.threshold_)


def test_the_run_holds_scores_items_and_the_training_curve(trained, evaluated):
    run = read_run(evaluated.run)
    assert run.info == evaluated.info
    assert (run.info.kind, run.info.data.n_test, run.info.data.n_train) == ("evaluate", 539, 102)
    assert [e.losses for e in run.epochs] == [r.losses for r in trained.detector.history_]
    assert run.items.reconstruction.shape == run.items.x.shape == (len(run.items.row), 1, 8, 8)
    np.testing.assert_array_equal(run.scores.anomaly_score[run.items.row], run.items.score)
    assert "AUROC" in render(evaluated.run).read_text()


def test_settings_are_told_in_words_without_defaults(trained, evaluated):
    told = evaluated.info.settings
    assert told.keys() == evaluated.info.parameters.keys()
    assert told["optimiser"] == f"Adam(lr={trained.detector.optimiser.lr})"
    assert told["scaling"] == "AutoScaling()"
    page = render(evaluated.run).read_text()
    assert f"<code>{told['optimiser']}</code>" in page
    assert "weight_decay" not in page


def test_the_normal_label_can_be_given(trained):
    info = evaluate(EvaluateSpec(model=trained.model, source="builtin:digits", options=Options(normal=8))).info
    assert info.data.normal == 8
    assert info.metrics["prevalence"].value == pytest.approx(1 - 52 / 539)  # the test half has 52 eights


def test_without_labels_there_is_nothing_to_measure(trained, tmp_path):
    np.savez(tmp_path / "plain.npz", x=read("builtin:digits").x[:20])
    with pytest.raises(InputError, match="no labels to compare with: name their column with --label"):
        evaluate(EvaluateSpec(model=trained.model, source=str(tmp_path / "plain.npz")))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("label", "name", "note"),
    [
        (
            3,
            "false_alarm_rate",
            "All 20 rows are normal: the false-alarm rate is measured (10 % of normals was asked for)",
        ),
        (8, "recall", "All 20 rows are anomalies: recall, the share that is flagged, is measured"),
    ],
)
def test_of_one_class_alone_the_share_that_is_flagged_is_measured(trained, tmp_path, label, name, note):
    x = read("builtin:digits").x[:20]
    np.savez(tmp_path / "one.npz", x=x, y=np.full(20, label))
    found = evaluate(EvaluateSpec(model=trained.model, source=str(tmp_path / "one.npz"), runs=tmp_path / "runs"))
    share = np.mean(trained.detector.anomaly_score(x) > trained.detector.threshold_)
    assert found.info.metrics.keys() == {name, "prevalence", "n"}
    assert found.info.metrics[name].value == share
    assert any(text.startswith(note) for text in found.info.notes)
    assert read_run(found.run).info == found.info
    page = render(found.run).read_text()
    assert note in page
    assert "are flagged (95 % interval)." in page.replace("\u00a0", " ")
    assert "AUROC</th>" not in page
