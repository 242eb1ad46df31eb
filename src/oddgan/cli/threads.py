"""Number of threads of the command's process, set before torch starts."""

import os
import sys
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def settle() -> None:
    """Set OpenMP's variables where the user has not, and torch is not there yet to have read them.

    One thread for each core that the process may run on; and threads that wait passively: where another process keeps
    a core busy, threads that spin while they wait for each other make two of them slower than one, many times over.
    """
    if "torch" not in sys.modules:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        os.environ.setdefault("OMP_NUM_THREADS", str(available_cores()))


def available_cores(quota: Path = _QUOTA) -> int:
    """Return how many cores the process may use: by its affinity, and by the quota of its container.

    Parameters
    ----------
    quota : the file of the control group, "MICROSECONDS PERIOD" or "max PERIOD"; none where there is no such file.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    if quota.exists():
        allowed, _, period = quota.read_text(encoding="ascii").partition(" ")
        if allowed != "max":
            cores = min(cores, -(-int(allowed) // int(period)))
    return max(cores, 1)
