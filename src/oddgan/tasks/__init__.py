"""Tasks, one file each: fit, score, evaluate, compose, ...: a spec in, a result out, and the files that it writes."""

from oddgan.options import (
    ComposeSpec,
    EvaluateSpec,
    FitSpec,
    InspectSpec,
    InversionSpec,
    ProfileSpec,
    ScoreSpec,
    ThresholdSpec,
    UsageError,
    merge,
    parse_assignments,
    read_settings,
)
from oddgan.tasks.compose import ComposeResult, compose
from oddgan.tasks.evaluate import EvaluateResult, evaluate
from oddgan.tasks.fit import FitResult, assist, fit
from oddgan.tasks.inspect import inspect
from oddgan.tasks.inversion import InversionResult, InversionState, change_inversion
from oddgan.tasks.methods import Parameter, default_steps, parameter_rows
from oddgan.tasks.profile import Peak, ProfileResult, Timed, profile
from oddgan.tasks.published import Published, published
from oddgan.tasks.resume import finished
from oddgan.tasks.score import ScoreResult, score
from oddgan.tasks.settings import build_detector, method_class, published_settings
from oddgan.tasks.threshold import ThresholdResult, change_threshold

__all__ = [
    "ComposeResult",
    "ComposeSpec",
    "EvaluateResult",
    "EvaluateSpec",
    "FitResult",
    "FitSpec",
    "InspectSpec",
    "InversionResult",
    "InversionSpec",
    "InversionState",
    "Parameter",
    "Peak",
    "ProfileResult",
    "ProfileSpec",
    "Published",
    "ScoreResult",
    "ScoreSpec",
    "ThresholdResult",
    "ThresholdSpec",
    "Timed",
    "UsageError",
    "assist",
    "build_detector",
    "change_inversion",
    "change_threshold",
    "compose",
    "default_steps",
    "evaluate",
    "finished",
    "fit",
    "inspect",
    "merge",
    "method_class",
    "parameter_rows",
    "parse_assignments",
    "profile",
    "published",
    "published_settings",
    "read_settings",
    "score",
]
