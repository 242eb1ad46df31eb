import shutil
from dataclasses import replace

import numpy as np
import pytest

from oddgan import load
from oddgan._core.errors import InputError
from oddgan.tasks import ThresholdSpec, UsageError, change_threshold
from oddgan.tasks.settings import RULES, rule_name
from oddgan.thresholds import MeanSigma, Threshold


def test_every_rule_has_a_name():
    assert set(RULES.values()) == {cls.__name__ for cls in Threshold.__subclasses__()}
    assert [rule_name(text) for text in ("Mean Sigma", "EVT", "GeneralisedPareto")] == [
        "MeanSigma",
        "GeneralisedPareto",
        "GeneralisedPareto",
    ]


def test_without_changes_the_threshold_is_looked_up(trained):
    result = change_threshold(ThresholdSpec(model=trained.model))
    assert result.model is None
    assert result.before == result.after == trained.info.threshold


def test_a_changed_model_flags_by_the_new_rule_and_scores_as_before(trained, tmp_path):
    spec = ThresholdSpec(model=trained.model, rule="mean-sigma", settings={"k": 2}, out=tmp_path / "changed")
    result = change_threshold(spec)
    before, after = load(trained.model), load(tmp_path / "changed")
    scores = before.calibration_scores_
    assert after.threshold_ == pytest.approx(scores.mean() + 2 * scores.std())
    assert after.threshold_rule_ == MeanSigma(k=2.0)
    assert (result.after.rule, result.after.rate) == ("MeanSigma", None)
    x = np.random.default_rng(0).integers(0, 17, size=(3, 1, 8, 8)).astype(np.uint8)
    np.testing.assert_array_equal(after.anomaly_score(x), before.anomaly_score(x))
    assert after.reading_.keys() == before.reading_.keys()
    assert after.reading_["reading"] == before.reading_["reading"]
    np.testing.assert_array_equal(after.reading_["trained"], before.reading_["trained"])


def test_a_new_rate_keeps_the_rule(trained, tmp_path):
    result = change_threshold(ThresholdSpec(model=trained.model, rate=0.5, out=tmp_path / "changed"))
    # The ⌈27 · 0.5⌉ = 14th smallest of the 26 held-out scores.
    assert result.after.value == np.sort(trained.detector.calibration_scores_)[13]
    assert (result.after.rule, result.after.rate) == ("Conformal", 0.5)


def test_in_place_needs_force(trained, tmp_path):
    model = shutil.copytree(trained.model, tmp_path / "model")
    spec = ThresholdSpec(model=model, rule="fixed", settings={"value": 0.25})
    with pytest.raises(UsageError, match="give --out FOLDER, or --force"):
        change_threshold(spec)
    change_threshold(replace(spec, force=True))
    assert load(model).threshold_ == 0.25


def test_what_is_wrong_changes_nothing(trained, tmp_path):
    with pytest.raises(UsageError, match=r"MeanSigma has no field 'j'"):
        change_threshold(ThresholdSpec(model=trained.model, rule="mean-sigma", settings={"j": 2}, out=tmp_path / "m"))
    with pytest.raises(InputError, match="GeneralisedPareto needs 20 different scores"):
        change_threshold(ThresholdSpec(model=trained.model, rule="evt", out=tmp_path / "m"))
    (tmp_path / "m").mkdir()
    with pytest.raises(InputError, match="exists already"):
        change_threshold(ThresholdSpec(model=trained.model, rate=0.2, out=tmp_path / "m"))
    assert list((tmp_path / "m").iterdir()) == []
