"""The demonstration of the README."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from oddgan.tasks import FitSpec, method_class
from oddgan.tasks.settings import build_detector

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"
CASES: tuple[FitSpec, ...] = runpy.run_path(str(DEMO))["CASES"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.source)
def test_its_settings_are_those_of_its_methods(case: FitSpec) -> None:
    detector = build_detector(method_class(case.method), dict(case.settings))
    assert detector.get_params()["latent_dim"] == case.settings["latent_dim"]


def test_it_runs_and_names_its_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["demo.py", str(tmp_path / "runs")])
    loaded = runpy.run_path(str(DEMO))
    monkeypatch.setitem(
        loaded["main"].__globals__,
        "CASES",
        tuple(replace(case, settings={**case.settings, "epochs": 1}) for case in CASES),
    )
    loaded["main"]()
    printed = capsys.readouterr().out
    reports = [Path(line.strip().removeprefix("file://")) for line in printed.splitlines() if "file://" in line]
    assert len(reports) == len(CASES)
    assert all(report.stat().st_size > 10_000 for report in reports)
    assert all(case.method in printed for case in CASES)
