"""Runs that are made to fail are told apart, and healthy ones left alone; `benchmarks/monitor.py` has more seeds."""

import warnings

import pytest

from monitor_cases import FAILING, HEALTHY
from oddgan.training import FAILURES, Monitor


def said(case):
    detector, x = case.make(0)
    monitor = Monitor()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector.fit(x, callbacks=[monitor])
    return [alarm.failure for alarm in monitor.alarms]


def test_there_is_a_run_for_each_failure():
    assert sorted(case.failure for case in FAILING) == sorted(FAILURES)


@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.failure)
def test_a_failing_run_is_named(case):
    assert said(case) == [case.failure]


@pytest.mark.slow
@pytest.mark.parametrize("case", HEALTHY, ids=lambda case: f"{case.name} {case.data}")
def test_a_healthy_run_is_left_alone(case):
    assert said(case) == []
