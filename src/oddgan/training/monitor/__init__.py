"""Monitoring of training: mode collapse and other failures, and what to do about them."""

from oddgan._core.monitoring import FAILURES, Alarm, Diversity, Failure, Gradients, Judged, Snapshots, Watched
from oddgan.training.monitor.diagnosis import Thresholds
from oddgan.training.monitor.diversity import diversity, embed, expected_coverage
from oddgan.training.monitor.monitor import Monitor

__all__ = [
    "FAILURES",
    "Alarm",
    "Diversity",
    "Failure",
    "Gradients",
    "Judged",
    "Monitor",
    "Snapshots",
    "Thresholds",
    "Watched",
    "diversity",
    "embed",
    "expected_coverage",
]
