"""Threads are settled before torch starts, and what the user says holds."""

import os

from oddgan.cli.threads import available_cores


def test_no_more_than_the_affinity_and_the_quota(tmp_path):
    quota = tmp_path / "cpu.max"
    cores = len(os.sched_getaffinity(0))
    assert available_cores(quota) == cores
    for text, expected in (("max 100000\n", cores), ("50000 100000\n", 1), ("150000 100000\n", min(2, cores))):
        quota.write_text(text)
        assert available_cores(quota) == expected


def test_the_command_waits_passively_unless_told_otherwise(python):
    show = "from oddgan.cli import main; main(['--version']); print(os.environ['OMP_WAIT_POLICY'])"
    assert python("-c", f"import os; {show}").stdout.splitlines()[-1] == "PASSIVE"
    told = python("-c", f"import os; os.environ['OMP_WAIT_POLICY'] = 'ACTIVE'; {show}")
    assert told.stdout.splitlines()[-1] == "ACTIVE"


def test_the_library_leaves_the_environment_alone(python):
    show = "import os; before = dict(os.environ); import oddgan.detectors; print(before == dict(os.environ))"
    assert python("-c", show).stdout.strip() == "True"
