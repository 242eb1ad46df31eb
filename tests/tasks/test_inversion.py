import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oddgan import PCA, AnoGAN, load
from oddgan._core.errors import InputError
from oddgan.data import Options, is_anomaly, read
from oddgan.inversion import EncoderInversion, Hybrid, LatentAdam, LatentSearch, Projected
from oddgan.priors import Shell, TruncatedNormal
from oddgan.tasks import (
    ComposeSpec,
    EvaluateSpec,
    FitSpec,
    InversionSpec,
    ThresholdSpec,
    UsageError,
    change_inversion,
    change_threshold,
    compose,
    evaluate,
    fit,
)

CELLS, DIGITS = "builtin:breast-cancer", "builtin:digits"
TABLE = {"epochs": 1, "latent_dim": 3, "backbone": {"table": {"hidden": [8]}}}
BOX = {"type": "Projected", "support": {"type": "TruncatedNormal", "limit": 0.05}}


def fitted(folder, method, **changes):
    given = {"method": method, "source": CELLS, "out": folder / "model", "runs": folder / "runs"}
    given["settings"] = TABLE | changes.pop("settings", {})
    return fit(FitSpec(**given | changes))


@pytest.fixture(scope="module")
def searching(tmp_path_factory):
    """An AnoGAN that searches for three steps; tests may read its folder but not change it."""
    settings = {"inversion": {"n_max": 3}}
    return fitted(tmp_path_factory.mktemp("searching"), "anogan", settings=settings)


@pytest.fixture(scope="module")
def encoding(tmp_path_factory):
    """An f-AnoGAN on the digit 3."""
    settings = {"epochs": 1, "latent_dim": 3, "n_critic": 1, "backbone": {"image": {"width": 4}}}
    place = tmp_path_factory.mktemp("encoding")
    return fitted(place, "fanogan", source=DIGITS, options=Options(normal=3), settings=settings)


@pytest.fixture
def spec(searching, tmp_path):
    """A specification for the AnoGAN, with changes."""
    return lambda **changes: InversionSpec(
        **{"model": searching.model, "source": CELLS, "out": tmp_path / "changed"} | changes
    )


def held_out(result, source):
    """The rows that a fit held out for the threshold, read from the source anew."""
    data = read(source)
    normal = data.x[~is_anomaly(data.y, result.info.data.normal)]
    return normal[result.detector.calibration_rows_]


def test_without_settings_the_inversion_is_looked_up(searching):
    found = change_inversion(InversionSpec(model=searching.model))
    assert found.model is None
    assert found.before == found.after
    assert found.after.text == "LatentSearch(n_max=3, optimiser=LatentAdam(lr=0.1))"
    assert (found.after.inversion["n_max"], found.after.inversion["optimiser"]["lr"]) == (3, 0.1)
    assert (found.after.threshold, found.after.flagged) == (searching.info.threshold, None)
    assert {row.name: row.default for row in found.fields}.items() >= {
        "inversion.n_max": "3",
        "inversion.restriction": "none",
        "inversion.optimiser.lr": "0.1",
    }.items()
    assert all(row.meaning for row in found.fields)


def test_what_is_set_changes_and_the_rest_stays(spec):
    found = change_inversion(spec(settings={"inversion": {"n_max": 5}}))
    assert load(found.model).inversion == LatentSearch(n_max=5, optimiser=LatentAdam(lr=0.1))
    other = {"inversion": {"type": "LatentSearch", "n_max": 5}}  # another type, even the same, has its own defaults
    found = change_inversion(spec(settings=other, force=True))
    assert load(found.model).inversion == LatentSearch(n_max=5)


def test_the_model_is_the_one_that_python_makes(searching, spec):
    found = change_inversion(spec(settings={"inversion": {"n_max": 5, "restriction": BOX}}))
    changed, rows = load(found.model), held_out(searching, CELLS)
    support = TruncatedNormal(limit=0.05)
    expected = load(searching.model).set_inversion(
        LatentSearch(n_max=5, optimiser=LatentAdam(lr=0.1), restriction=Projected(support)), rows
    )
    x = read(CELLS, Options(split="test")).x
    assert np.array_equal(changed.anomaly_score(x), expected.anomaly_score(x))
    assert np.array_equal(changed.calibration_scores_, expected.calibration_scores_)
    assert changed.threshold_ == expected.threshold_
    assert np.abs(changed.encode(x)).max() <= np.float32(0.05)
    old, new = searching.detector, changed.networks_.state_dict()
    assert all(np.array_equal(v.numpy(), new[k].numpy()) for k, v in old.networks_.state_dict().items())


def test_the_threshold_comes_from_the_rows_that_the_fit_held_out(searching, spec):
    found = change_inversion(spec(settings={"inversion": {"restriction": BOX}}))
    rows, changed = held_out(searching, CELLS), load(found.model)
    n = len(rows)
    assert (found.rows, found.after.threshold.source, found.after.threshold.n) == (n, "held-out normals", n)
    assert found.before.threshold == searching.info.threshold
    for state, model in ((found.before, searching.detector), (found.after, changed)):
        assert state.flagged == (model.anomaly_score(rows) > model.threshold_).mean()
        assert state.flagged <= 0.1
    info = searching.info.data
    assert f"{info.n_train} rows were left out: the model was trained on them." in found.notes
    assert f"{info.dropped} rows with other labels than the normal one were left out." in found.notes
    assert evaluate(EvaluateSpec(model=found.model, source=CELLS)).info.threshold == found.after.threshold


def test_other_rows_may_set_it(spec):
    found = change_inversion(spec(settings={"inversion": {"n_max": 4}}, options=Options(split="test")))
    data = read(CELLS, Options(split="test"))
    assert found.rows == (~is_anomaly(data.y)).sum()
    assert not any("trained on" in note for note in found.notes)


def test_an_encoder_s_answer_is_restricted_or_searched_on_from(encoding, tmp_path):
    to = {"source": DIGITS, "out": tmp_path / "changed"}
    shell = {"inversion": {"restriction": {"type": "Projected", "support": "Shell"}}}
    found = change_inversion(InversionSpec(model=encoding.model, settings=shell, **to))
    assert load(found.model).inversion == EncoderInversion(Projected(Shell()))
    assert found.rows == len(encoding.detector.calibration_scores_)
    search = {"inversion": {"type": "hybrid", "search": {"n_max": 2, "optimiser": {"lr": 0.2}}}}
    found = change_inversion(InversionSpec(model=found.model, settings=search, force=True, **to))
    assert load(found.model).inversion == Hybrid(LatentSearch(n_max=2, optimiser=LatentAdam(lr=0.2)))
    rows = held_out(encoding, DIGITS)
    expected = load(encoding.model).set_inversion(Hybrid(LatentSearch(n_max=2, optimiser=LatentAdam(lr=0.2))), rows)
    changed, x = load(found.model), read(DIGITS).x[:9]
    assert np.array_equal(changed.anomaly_score(x), expected.anomaly_score(x))
    # Maps are of other reconstructions now, so that what is drawn as fully hot is another value.
    assert changed.reading_["map_scale"] == np.quantile(changed.anomaly_map(rows[: changed.slots]), 0.995)
    assert changed.reading_["map_scale"] != encoding.detector.reading_["map_scale"]


def test_a_budget_does_not_carry_over(tmp_path, monkeypatch):
    monkeypatch.setattr(LatentSearch, "calibrate", lambda self, *_: replace(self, n_max=7))
    made = fitted(tmp_path, "anogan", settings={"inversion": {"n_max": 3}, "budget_ms": 1.0})
    before = change_inversion(InversionSpec(model=made.model)).after
    assert (before.budgeted, before.inversion["n_max"]) == (True, 7)
    found = change_inversion(
        InversionSpec(model=made.model, source=CELLS, settings={"inversion": {"restriction": BOX}}, force=True)
    )
    assert (found.before.text, found.before.threshold) == (before.text, before.threshold)
    assert (found.after.budgeted, found.after.inversion["n_max"]) == (False, 3)
    assert any("budget" in note for note in found.notes)
    changed = load(found.model)
    expected = load(found.model).set_inversion(changed.inversion, held_out(made, CELLS))
    assert np.array_equal(changed.calibration_scores_, expected.calibration_scores_)
    assert getattr(changed, "budgeted_", None) is None


def test_a_model_that_held_no_rows_out_takes_those_that_it_has(tmp_path):
    made = fitted(tmp_path, "anogan", calibration=0.0, settings={"inversion": {"n_max": 2}, "calibration_size": 40})
    settings = {"inversion": {"n_max": 3}}
    found = change_inversion(InversionSpec(model=made.model, source=CELLS, settings=settings, out=tmp_path / "same"))
    assert (found.rows, found.after.threshold.source) == (40, "training rows")
    assert any("more new ones will be above it" in note for note in found.notes)
    options = Options(split="test")
    found = change_inversion(
        InversionSpec(model=made.model, source=CELLS, options=options, settings=settings, out=tmp_path / "fresh")
    )
    assert (found.before.threshold.source, found.after.threshold.source) == ("training rows", "held-out normals")
    assert load(found.model).held_out_


def test_rows_that_were_all_trained_on_are_refused(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 4))
    np.savez("all.npz", x=x, y=np.zeros(40, dtype=int))
    made = fitted(tmp_path, "anogan", source="all.npz", settings={"inversion": {"n_max": 2}})
    y = np.isin(np.arange(40), made.detector.calibration_rows_).astype(int)
    np.savez("all.npz", x=x, y=y)  # what was held out is anomalous now
    with pytest.raises(InputError, match="was trained on all these 32 normal rows"):
        change_inversion(
            InversionSpec(model=made.model, source="all.npz", settings={"inversion": {"n_max": 3}}, force=True)
        )


def test_labels_keep_their_part(searching, spec, tmp_path):
    grid = {"composition": {"type": "GridSearch", "step": 0.5, "components": ["search", "critic"]}}
    composed = compose(ComposeSpec(model=searching.model, source=CELLS, settings=grid, share=0.4, out=tmp_path / "by"))
    found = change_inversion(spec(model=composed.model, settings={"inversion": {"n_max": 4}}))
    assert found.composition == composed.after
    info = evaluate(EvaluateSpec(model=found.model, source=CELLS)).info
    assert (info.data.dropped, info.semi_supervised) == (composed.labelled, True)
    tuned = compose(ComposeSpec(model=searching.model, source=CELLS, tune="mcc", out=tmp_path / "tuned"))
    found = change_inversion(spec(model=tuned.model, settings={"inversion": {"n_max": 4}}, force=True))
    assert (found.before.threshold.source, found.after.threshold.source) == ("labelled rows", "held-out normals")
    assert load(found.model).reading_.get("labelled") is None  # whose threshold is gone


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({}, UsageError, "nothing to change: say what"),
        ({"source": None}, UsageError, "nothing to change: say what"),
        ({"settings": {"inversion": {"n_max": 4}}, "source": None}, UsageError, "name normal rows after the model"),
        ({"settings": {"n_max": 4}}, UsageError, "inversion sets no n_max: write --set inversion.n_max=VALUE"),
        ({"settings": {"inversion": {"steps": 4}}}, UsageError, "LatentSearch has no field 'steps'"),
        ({"settings": {"inversion": {"n_max": 0}}}, UsageError, "give n_max of at least 1"),
        ({"settings": {"inversion": "Hybrid"}}, UsageError, "Unknown inversion 'Hybrid'.*Known: LatentSearch"),
        ({"settings": {"inversion": 3}}, UsageError, "Unknown inversion '3'"),
        (
            {"settings": {"inversion": {"restriction": "Project"}}},
            UsageError,
            "Unknown inversion.restriction 'Project'. Did you mean Projected",
        ),
        ({"settings": {"inversion": {"n_max": 4}}, "out": None}, UsageError, "give --out FOLDER, or --force"),
        ({"settings": {"inversion": {"n_max": 4}}, "source": DIGITS}, InputError, "expected a table"),
        ({"settings": {"inversion": {"n_max": 4}}, "options": Options(normal="x")}, InputError, "label"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(spec, searching, tmp_path, changes, error, message):
    files = {p.name: p.read_bytes() for p in searching.model.iterdir()}
    with pytest.raises(error, match=message):
        change_inversion(spec(**changes))
    assert not (tmp_path / "changed").exists()
    assert {p.name: p.read_bytes() for p in searching.model.iterdir()} == files


def test_what_fails_on_the_way_leaves_the_model_as_it_was(searching, tmp_path, monkeypatch):
    model = shutil.copytree(searching.model, tmp_path / "model")
    files = {p.name: p.read_bytes() for p in model.iterdir()}

    def stopped(*_):
        raise KeyboardInterrupt

    given = InversionSpec(model=model, source=CELLS, settings={"inversion": {"n_max": 4}}, force=True)
    monkeypatch.setattr(LatentSearch, "__call__", stopped)
    with pytest.raises(KeyboardInterrupt):
        change_inversion(given)
    assert {p.name: p.read_bytes() for p in model.iterdir()} == files
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]


def test_a_method_without_inversion_is_refused(tmp_path):
    data = read(CELLS)
    PCA(random_state=0).fit(data.x[data.y == 0]).save(tmp_path / "model")
    for given in ({}, {"source": CELLS, "settings": {"inversion": {"n_max": 4}}, "force": True}):
        with pytest.raises(UsageError, match=r"PCA inverts no generator: .* \(ADGAN, AnoGAN, FAnoGAN\)"):
            change_inversion(InversionSpec(model=tmp_path / "model", **given))


def test_too_few_rows_for_the_rule_are_refused_before_they_are_searched(searching, spec, monkeypatch):
    tails = change_threshold(
        ThresholdSpec(model=searching.model, rule="evt", settings={"tail": 0.5}, out=Path("tails"))
    )
    found = read(CELLS)
    few = np.flatnonzero(~is_anomaly(found.y))[:9]
    np.savez("few.npz", x=found.x[few] + 1)
    monkeypatch.setattr(AnoGAN, "anomaly_score", lambda *_: pytest.fail("searched"))
    with pytest.raises(InputError, match="scores"):
        change_inversion(spec(model=tails.model, source="few.npz", settings={"inversion": {"n_max": 4}}))


def test_a_model_that_was_saved_in_python_can_be_changed(tmp_path):
    data = read(CELLS)
    x = data.x[~is_anomaly(data.y)]
    AnoGAN(latent_dim=3, epochs=1, inversion=LatentSearch(n_max=2), random_state=0).fit(x[:60]).save(tmp_path / "model")
    found = change_inversion(
        InversionSpec(model=tmp_path / "model", source=CELLS, settings={"inversion": {"n_max": 3}}, force=True)
    )
    assert found.rows == len(x)
    assert any("take care that it was not trained on these rows" in note for note in found.notes)


def test_in_place_with_force(searching, tmp_path):
    model = shutil.copytree(searching.model, tmp_path / "model")
    found = change_inversion(InversionSpec(model=model, source=CELLS, settings={"inversion": {"n_max": 4}}, force=True))
    assert found.model == model
    assert load(model).inversion.n_max == 4
    assert sorted(p.name for p in model.iterdir()) == ["detector.json", "networks.safetensors"]
