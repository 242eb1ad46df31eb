import sys
from dataclasses import replace

import numpy as np
import pytest

from oddgan import KNN, PCA, InputError, load
from oddgan._core.errors import ModelError
from oddgan.base import Progress
from oddgan.base import scoring as passes
from oddgan.data import from_arrays, read
from oddgan.evaluate import ScoreTable, read_scores
from oddgan.tasks import FitSpec, ScoreSpec, UsageError, fit, score
from oddgan.tasks.partial_scores import Partial
from oddgan.tasks.score import column_names, top_contributors


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
def test_scores_are_those_of_python_to_the_last_bit(trained, tmp_path, suffix):
    out = tmp_path / f"scores{suffix}"
    result = score(ScoreSpec(model=trained.model, source="builtin:digits", out=out))
    data, table, detector = read("builtin:digits", default_split="test"), read_scores(out), load(trained.model)
    expected = detector.anomaly_score(data.x)
    np.testing.assert_array_equal(table.anomaly_score, expected)
    np.testing.assert_array_equal(table.is_anomaly, expected > detector.threshold_)
    np.testing.assert_array_equal(table.p_value, detector.anomaly_probability(data.x))
    np.testing.assert_array_equal(table.id, data.ids)
    assert table.label is None
    assert result.threshold.value == detector.threshold_


def test_labels_do_not_matter(trained, tmp_path):
    data = read("builtin:digits", default_split="test").take(np.arange(20))
    np.savez(tmp_path / "plain.npz", x=data.x)
    np.savez(tmp_path / "labelled.npz", x=data.x, y=data.y)
    plain, labelled = (
        score(ScoreSpec(model=trained.model, source=str(tmp_path / f"{name}.npz"))) for name in ("plain", "labelled")
    )
    np.testing.assert_array_equal(plain.table.anomaly_score, labelled.table.anomaly_score)


@pytest.mark.parametrize("out", [None, "scores.csv"])
def test_progress_is_told(trained, out, monkeypatch):
    monkeypatch.setattr(passes, "LARGE", (64,))
    told = []
    spec = ScoreSpec(model=trained.model, source="builtin:digits", out=out)
    score(spec, watch=lambda done, total: told.append((done, total)))
    rows = [done.rows for done, _ in told if done.rows]
    assert rows == sorted(rows)  # how many passes there are is not what is promised
    assert rows[-1] == 539
    assert {total for _, total in told} == {539}
    assert told[-1][0] == Progress(539, None, None)


def test_progress_of_blocks_is_one_progress(trained, monkeypatch):
    # 512 rows with 10 steps each, half of them converged, then 27 with 50 and 1: means weigh by rows.
    def anomaly_score(_, x, *, report):
        report(Progress(len(x), 10, 0.5) if len(x) == 512 else Progress(27, 50, 1.0))
        return np.zeros(len(x))

    monkeypatch.setattr(sys.modules["oddgan.tasks.score"], "TOGETHER", 8)
    monkeypatch.setattr(type(trained.detector), "anomaly_score", anomaly_score)
    told = []
    spec = ScoreSpec(model=trained.model, source="builtin:digits", out="s.csv")
    score(spec, watch=lambda done, _: told.append(done))
    assert told[0] == Progress(0, None, None)
    assert told[1] == Progress(512, 10, 0.5)
    assert told[2] == pytest.approx((539, (5120 + 27 * 50) / 539, (256 + 27) / 539))


def test_outputs_are_refused_before_anything_is_computed(trained, tmp_path):
    (tmp_path / "scores.csv").write_text("mine")
    (tmp_path / "maps").mkdir()
    for name, value in (("out", "scores.csv"), ("heatmaps", "maps")):
        with pytest.raises(InputError, match=f"{value} exists already"):
            score(replace(ScoreSpec(model=trained.model, source="builtin:digits"), **{name: tmp_path / value}))
    with pytest.raises(InputError, match=r"scores are written as \.csv, \.npz, \.parquet"):
        score(ScoreSpec(model="nothing", source="nothing", out="scores.txt"))
    assert (tmp_path / "scores.csv").read_text() == "mine"


def test_a_model_that_was_saved_in_python_can_score(tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 2, 16))
    detector = KNN().fit(x)
    detector.save(tmp_path / "model")
    np.save(tmp_path / "x.npy", x)
    table = score(ScoreSpec(model=tmp_path / "model", source=str(tmp_path / "x.npy"))).table
    np.testing.assert_array_equal(table.anomaly_score, detector.anomaly_score(x))


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="is not a model"):
        score(ScoreSpec(model=tmp_path, source="builtin:digits"))


class Killed(BaseException):
    """As far as the files go, what SIGKILL is."""


@pytest.fixture
def killed(monkeypatch):
    """Score until so many blocks of 256 rows are written, then stop dead; further runs go to the end."""
    monkeypatch.setattr(sys.modules["oddgan.tasks.score"], "TOGETHER", 4)  # passes of 64

    def until(blocks, spec, **more):
        written, append = [], Partial.append

        def counted(self, *given, **named):
            if len(written) == blocks:
                raise Killed
            written.append(append(self, *given, **named))

        with monkeypatch.context() as patch:
            patch.setattr(Partial, "append", counted)
            patch.setattr(Partial, "__exit__", lambda *_: None)
            with pytest.raises(Killed):
                score(spec, **more)

    return until


@pytest.fixture
def spec(trained, tmp_path):
    return ScoreSpec(model=trained.model, source="builtin:digits", out=tmp_path / "scores.csv")


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_a_killed_run_goes_on_to_the_same_file(spec, killed, tmp_path, blocks):
    part = tmp_path / "scores.csv.part"
    score(replace(spec, out=tmp_path / "whole.csv"))
    killed(blocks, spec)
    assert not spec.out.exists()
    assert part.read_text().count("\n") == 1 + 256 * blocks
    told = []
    result = score(replace(spec, resume=True), watch=lambda done, total: told.append((done.rows, total)))
    assert told[0] == (256 * blocks, 539)
    assert told[-1] == (539, 539)
    assert f"{256 * blocks} of 539 rows were scored before the interruption." in result.notes
    assert spec.out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["scores.csv", "whole.csv"]


def test_resume_without_an_interrupted_run_starts(spec):
    result = score(replace(spec, resume=True))
    assert result.notes == ()
    np.testing.assert_array_equal(result.table.anomaly_score, read_scores(spec.out).anomaly_score)


def test_resume_after_the_end_says_so(spec):
    first = score(spec)
    before = spec.out.stat().st_mtime_ns
    again = score(replace(spec, resume=True))
    assert again.notes == (f"{spec.out} is finished already: there is nothing to resume.",)
    np.testing.assert_array_equal(again.table.anomaly_score, first.table.anomaly_score)
    assert (again.threshold, spec.out.stat().st_mtime_ns) == (first.threshold, before)


def test_without_resume_an_interrupted_run_is_not_lost(spec, killed):
    killed(1, spec)
    with pytest.raises(InputError, match=r"scores\.csv\.part holds 256 rows .* --resume, or start anew with --force"):
        score(spec)
    score(replace(spec, force=True))
    assert read_scores(spec.out).row[-1] == 538


def test_an_interrupted_run_that_would_replace_replaces(spec, killed):
    spec.out.write_text("old")
    killed(1, replace(spec, force=True))
    assert spec.out.read_text() == "old"
    score(replace(spec, resume=True))
    assert len(read_scores(spec.out)) == 539


def test_another_model_or_other_data_is_refused(spec, killed, tmp_path):
    killed(1, spec)
    before = (tmp_path / "scores.csv.part").read_bytes()
    load(spec.model).set_threshold(rate=0.3).save(tmp_path / "other")
    data = read("builtin:digits", default_split="test")
    np.savez(tmp_path / "renumbered.npz", x=data.x[::-1])
    other, renumbered = tmp_path / "other", str(tmp_path / "renumbered.npz")
    changes = {"another model": {"model": other}, "other data": {"source": renumbered}}
    for what, change in changes.items():
        with pytest.raises(InputError, match=rf"scores\.csv\.part was begun with {what}: give what"):
            score(replace(spec, **(change | {"resume": True})))
    assert (tmp_path / "scores.csv.part").read_bytes() == before


def test_ctrl_c_says_how_to_go_on(spec, monkeypatch):
    append = Partial.append

    def interrupted(self, *given, **named):
        append(self, *given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(Partial, "append", interrupted)
    with pytest.raises(KeyboardInterrupt, match=r"finished rows are kept in .*scores\.csv\.part; --resume continues"):
        score(spec)


def test_an_error_before_the_first_rows_leaves_nothing(spec, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise InputError("no")

    monkeypatch.setattr(Partial, "append", broken)
    with pytest.raises(InputError, match="no"):
        score(spec)
    assert list(tmp_path.iterdir()) == []


def test_resume_needs_a_file_to_go_on_with(spec):
    with pytest.raises(UsageError, match=r"--resume continues what lies beside --out FILE"):
        score(replace(spec, out=None, resume=True))


rng = np.random.default_rng(0)
X = rng.normal(size=(50, 5))


@pytest.mark.parametrize("detector", [KNN(), PCA()])
@pytest.mark.parametrize("block", [7, 4096])
def test_the_three_that_contribute_most_in_falling_order(detector, block, monkeypatch):
    monkeypatch.setattr(sys.modules["oddgan.tasks.score"], "rows_at_once", lambda _: block)
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
