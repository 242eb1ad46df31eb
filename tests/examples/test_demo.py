"""The demonstration of the README."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oddgan.tasks import FitSpec, method_class
from oddgan.tasks.settings import build_detector
from oddgan.thresholds import Conformal

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"
LOADED = runpy.run_path(str(DEMO))
CASES: tuple[FitSpec, ...] = LOADED["CASES"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.source)
def test_its_settings_are_those_of_its_methods(case: FitSpec) -> None:
    params = build_detector(method_class(case.method), dict(case.settings)).get_params()
    assert {name: params[name] for name in case.settings} == dict(case.settings)


def test_chance_allows_what_conformal_thresholds_do() -> None:
    # 19 held-out rows and a rate of 0.1: the second largest is the cut, so that of all 21 rows 2 in 20 are expected
    # above it, and one new row is flagged with a chance of 0.1.
    assert LOADED["bounds"](19, 1) == (0.0, 1.0)
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(2000):
        scores = rng.normal(size=99)
        rates.append((rng.normal(size=200) > Conformal()(scores, 0.1)).mean())
    low, high = LOADED["bounds"](99, 200)
    inside = np.mean([low <= rate <= high for rate in rates])
    assert 0.94 < inside < 0.98  # the counts are whole, so that a little more than 95 % lie inside


def test_it_runs_and_names_its_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["demo.py", str(tmp_path / "runs")])
    loaded = runpy.run_path(str(DEMO))
    quick = tuple(replace(case, settings={**case.settings, "steps": 1}) for case in CASES)
    monkeypatch.setitem(loaded["main"].__globals__, "CASES", quick)
    loaded["main"]()
    printed = capsys.readouterr().out
    reports = [Path(line.strip().removeprefix("file://")) for line in printed.splitlines() if "file://" in line]
    assert len(reports) == len(CASES)
    assert all(report.stat().st_size > 10_000 for report in reports)
    assert all(case.method in printed for case in CASES)
    # What needs no training is as good as it will be: the distance to the mean, and to the nearest.
    digits = next(line for line in printed.splitlines() if line.startswith(CASES[0].method) and " digits" in line)
    assert min(float(word) for word in digits.split()[3:5]) > 0.98
