"""Two runs at once: nothing is lost, nothing is mixed, and whoever has to wait says for whom."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from faults.conftest import at_once, run_command
from oddgan import load
from oddgan.data import read
from oddgan.evaluate import read_scores

BUSY = re.compile(r"oddgan: \S+ (is being written by (process \d+|another process)|exists already).*\n")


def fit(out=None, k="3", *more, source="rows.npz"):
    place = ("--out", out) if out else ()
    return ("fit", "knn", source, "--set", f"n_neighbors={k}", *place, *more)


def fitted(out, k="3"):
    assert run_command(fit(out, k)) == (0, "")


def scores(model, source="rows.npz"):
    return load(model).anomaly_score(read(source).x)


def runs():
    return [p for p in Path("runs").iterdir() if (p / "report.html").exists()] if Path("runs").exists() else []


def nothing_half_written():
    return not [p for p in Path().rglob("*") if p.name.startswith(".") or p.name.endswith((".part", ".ckpt"))]


def winners(found):
    """The numbers of those that succeeded; the others say that another one is writing, or has written."""
    for one in found:
        assert one.code == 0 or (one.code == 1 and BUSY.fullmatch(one.err)), one.err
    won = [i for i, one in enumerate(found) if one.code == 0]
    assert won, found
    return won


def fits_to_one_model():
    (won,) = winners(at_once(fit("m", "3"), fit("m", "5")))
    assert load("m").n_neighbors == (3, 5)[won]
    assert len(runs()) == 1


def fits_that_replace():
    fitted("m", "2")
    won = winners(at_once(fit("m", "3", "--force"), fit("m", "5", "--force")))
    assert load("m").n_neighbors in [(3, 5)[i] for i in won]
    assert len(runs()) == 1 + len(won)


def fits_in_the_same_second():
    assert winners(at_once(fit(), fit(), fit())) == [0, 1, 2]
    assert len(runs()) == 3
    for run in runs():
        load(run / "model")


def a_fit_and_a_score():
    fitted("m", "3")
    before = scores("m")
    assert len(winners(at_once(fit("m", "5", "--force"), ("score", "m", "rows.npz", "--out", "s.csv")))) == 2
    found = read_scores(Path("s.csv")).anomaly_score
    assert any(np.array_equal(found, wanted) for wanted in (before, scores("m")))


def scores_to_one_table():
    fitted("m")
    fitted("other", "7")
    command = [("score", model, "rows.npz", "--out", "s.csv") for model in ("m", "other")]
    (won,) = winners(at_once(*command))
    np.testing.assert_array_equal(read_scores(Path("s.csv")).anomaly_score, scores(("m", "other")[won]))


def scores_that_are_resumed():
    fitted("m")
    command = ("score", "m", "rows.npz", "--out", "s.csv", "--resume")
    winners(at_once(command, command))
    np.testing.assert_array_equal(read_scores(Path("s.csv")).anomaly_score, scores("m"))


def fits_that_are_resumed():
    settings = "--set", "epochs=2", "--set", "latent_dim=2", "--seed", "0"
    fit_one = ("fit", "autoencoder", "rows.npz", *settings, "--checkpoint-every", "2", "--resume", "--out")
    assert run_command((*fit_one, "whole")) == (0, "")
    winners(at_once((*fit_one, "m"), (*fit_one, "m")))
    np.testing.assert_array_equal(scores("m"), scores("whole"))


def fits_with_names_that_begin_alike():
    settings = "--set", "epochs=2", "--set", "latent_dim=2"
    commands = [
        ("fit", "autoencoder", "rows.npz", *settings, "--checkpoint-every", "2", "--resume", "--out", out)
        for out in ("m", "m.2")
    ]
    assert winners(at_once(*commands)) == [0, 1]
    for out in ("m", "m.2"):
        load(out)


def evaluations():
    fitted("m")
    command = ("evaluate", "m", "labelled.npz")
    assert winners(at_once(command, command)) == [0, 1]
    assert len(runs()) == 3


def thresholds():
    fitted("m")
    won = winners(
        at_once(("threshold", "m", "--rate", "0.2", "--force"), ("threshold", "m", "--rule", "quantile", "--force"))
    )
    model = load("m")
    assert (0 not in won) or model.rate_ == 0.2
    assert (1 not in won) or type(model.threshold_rule_).__name__ == "Quantile"


KINDS = [
    fits_to_one_model, fits_that_replace, fits_in_the_same_second, a_fit_and_a_score, scores_to_one_table,
    scores_that_are_resumed, fits_that_are_resumed, fits_with_names_that_begin_alike, evaluations, thresholds,
]  # fmt: skip


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_two_runs_at_once(kind):
    kind()
    assert nothing_half_written()


@pytest.mark.slow
@pytest.mark.usefixtures("table")
def test_thirty_pairs(capsys):
    counts, data = Counter(), [Path("rows.npz"), Path("labelled.npz")]
    for _ in range(3):
        for kind in KINDS:
            kind()
            assert nothing_half_written()
            counts[kind.__name__] += 1
            for path in Path().iterdir():
                if path not in data:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with capsys.disabled():
        print(f"\npairs of runs at once: {json.dumps(counts)}; lost or mixed: 0")  # noqa: T201
    assert counts.total() == 30
