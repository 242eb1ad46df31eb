"""Spec in, result out: train, score and evaluate, with the files that each leaves behind."""

from oddgan.experiments.composing import ComposeResult, compose
from oddgan.experiments.evaluation import EvaluateResult, evaluate
from oddgan.experiments.fitting import FitResult, assist, fit
from oddgan.experiments.inspection import inspect
from oddgan.experiments.inversion import InversionResult, InversionState, change_inversion
from oddgan.experiments.making import method_class
from oddgan.experiments.methods import Parameter, parameter_rows
from oddgan.experiments.profiling import Peak, ProfileResult, Timed, profile
from oddgan.experiments.resuming import finished
from oddgan.experiments.scoring import ScoreResult, score
from oddgan.experiments.settings import UsageError, build_detector, merge, parse_assignments, read_settings
from oddgan.experiments.specs import (
    ComposeSpec,
    EvaluateSpec,
    FitSpec,
    InspectSpec,
    InversionSpec,
    ProfileSpec,
    ScoreSpec,
    ThresholdSpec,
)
from oddgan.experiments.thresholds import ThresholdResult, change_threshold

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
    "evaluate",
    "finished",
    "fit",
    "inspect",
    "merge",
    "method_class",
    "parameter_rows",
    "parse_assignments",
    "profile",
    "read_settings",
    "score",
]
