"""What contributes most to each score: names, order, and blocks of rows."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from oddgan import KNN, PCA, InputError
from oddgan.data import from_arrays
from oddgan.evaluate import ScoreTable, read_scores
from oddgan.tasks import FitSpec, ScoreSpec, contributions, fit, score
from oddgan.tasks.contributions import column_names, top_contributors

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 5))


@pytest.mark.parametrize("detector", [KNN(), PCA()])
@pytest.mark.parametrize("block", [7, 4096])
def test_the_three_that_contribute_most_in_falling_order(detector, block, monkeypatch):
    monkeypatch.setattr(contributions, "rows_at_once", lambda _: block)
    detector.fit(X)
    found, every = top_contributors(detector, from_arrays(X)), detector.explain(X).contributions
    assert len(found) == 3
    for j, top in enumerate(found):
        assert np.array_equal(top.contribution, np.sort(every, axis=1)[:, ::-1][:, j])
        place = [int(name.removeprefix("column ")) for name in top.name]
        assert np.array_equal(every[np.arange(50), place], top.contribution)


def test_of_equal_contributions_the_first_column_comes_first():
    detector = KNN().fit(X[:, :2])
    found = top_contributors(detector, from_arrays(np.tile(detector._centre(), (4, 1))))  # nothing to take off
    assert len(found) == 2
    assert set(found[0].name) == {"column 0"}
    assert set(found[1].name) == {"column 1"}


def test_names_are_those_of_columns_or_channels():
    series = np.zeros((3, 2, 8))
    assert column_names(from_arrays(series)) == ("channel 0", "channel 1")
    assert column_names(from_arrays(X)) == tuple(f"column {i}" for i in range(5))


@pytest.fixture
def amounts(tmp_path):
    """A model of a table with names, and a file of rows of which each has one wrong value."""
    names = "age,amount,hours"
    np.savetxt(tmp_path / "train.csv", rng.normal(size=(80, 3)), delimiter=",", header=names, comments="", fmt="%.5f")
    wrong = np.eye(3) * 20
    np.savetxt(tmp_path / "new.csv", np.tile(wrong, (2, 1)), delimiter=",", header=names, comments="", fmt="%.5f")
    spec = FitSpec(method="knn", source=str(tmp_path / "train.csv"), out=tmp_path / "model", runs=tmp_path / "runs")
    fit(spec)
    return ScoreSpec(model=tmp_path / "model", source=str(tmp_path / "new.csv"), out=tmp_path / "s.csv", explain=True)


def test_the_wrong_value_of_a_row_is_named_in_the_table(amounts):
    result = score(amounts)
    assert result.table.top[0].name.tolist() == ["age", "amount", "hours"] * 2
    assert (result.table.top[0].contribution > 10).all()
    table = read_scores(amounts.out)
    assert list(table.columns())[-6:] == [
        "top_1",
        "contribution_1",
        "top_2",
        "contribution_2",
        "top_3",
        "contribution_3",
    ]
    for j in range(3):
        assert np.array_equal(table.top[j].name, result.table.top[j].name)
        assert np.array_equal(table.top[j].contribution, result.table.top[j].contribution)
    plain = score(replace(amounts, explain=False, out=None))
    assert not plain.table.top
    assert np.array_equal(plain.table.anomaly_score, result.table.anomaly_score)


def test_a_resumed_run_writes_the_table_of_one_that_was_not_interrupted(amounts, monkeypatch):
    whole = score(amounts).table
    amounts.out.unlink()

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["oddgan.tasks.score"], "top_contributors", killed)
        with pytest.raises(KeyboardInterrupt):
            score(amounts)
    assert not amounts.out.exists()
    again = score(replace(amounts, resume=True))
    assert "6 of 6 rows were scored before the interruption." in again.notes
    for name, values in read_scores(amounts.out).columns().items():
        assert np.array_equal(values, whole.columns()[name])


def test_a_finished_table_without_contributions_is_not_taken_for_one_with_them(amounts):
    score(replace(amounts, explain=False))
    with pytest.raises(InputError, match="is finished, but was written without --explain: start anew with --force"):
        score(replace(amounts, resume=True))
    assert score(replace(amounts, force=True)).table.top
    assert score(replace(amounts, resume=True)).table.top


def test_images_have_heatmaps_instead(trained, tmp_path):
    spec = ScoreSpec(model=trained.model, source="builtin:digits", out=tmp_path / "s.csv", explain=True)
    with pytest.raises(InputError, match="but these are images: use --heatmaps"):
        score(spec)
    assert not list(tmp_path.glob("s.csv*"))


def test_half_a_pair_of_columns_is_refused():
    columns = {"row": [0], "id": ["a"], "anomaly_score": [1.0], "is_anomaly": [0]}
    assert ScoreTable.of(columns | {"top_1": ["x"], "contribution_1": [2.0]}).top[0].name.tolist() == ["x"]
    for half in ({"top_1": ["x"]}, {"contribution_1": [1.0]}, {"top_2": ["x"], "contribution_2": [1.0]}):
        with pytest.raises(InputError, match="unknown: "):
            ScoreTable.of(columns | half)
