"""From milliseconds to steps, by a clock that the test holds."""

import pytest

from oddgan._core.errors import InputError
from oddgan.inversion import budget


def runner(monkeypatch, seconds):
    """A search of n steps that takes `seconds(n)`."""
    now = 0.0

    def run(steps):
        nonlocal now
        now += seconds(steps)

    monkeypatch.setattr(budget, "perf_counter", lambda: now)
    return run


def test_a_start_and_equal_steps(monkeypatch):
    # 20 ms to begin with, 5 ms a step, for 10 samples: 8 ms for each pay for (80 - 20) / 5 steps.
    run = runner(monkeypatch, lambda steps: 0.020 + 0.005 * steps)
    assert budget.affordable(8.001, run, 10) == 12


@pytest.mark.parametrize(("ms", "n"), [(2.4, 10), (1e-6, 1)])
def test_less_than_the_start_and_a_step_is_refused(monkeypatch, ms, n):
    run = runner(monkeypatch, lambda steps: 0.020 + 0.005 * steps)
    with pytest.raises(InputError, match=r"too short: 2 steps of the search take"):
        budget.affordable(ms, run, n)


def test_a_disturbed_clock_does_not_buy_endless_steps(monkeypatch):
    # Two steps seem to take longer than ten: a step is then priced at a tenth of the ten.
    run = runner(monkeypatch, lambda steps: 0.050 if steps < 10 else 0.040)
    assert budget.affordable(60.0, run, 1) == (60 - (50 - 2 * 4)) // 4


@pytest.mark.parametrize("ms", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_budget(ms):
    with pytest.raises(InputError, match="above 0"):
        budget.affordable(ms, print, 1)
