"""Every option, once: frozen dataclasses that the command line, TOML files, models and tasks read. No torch, no numpy.

A field has a type, a default, and a line in its class's docstring, which is the text of `--help`.
"""

from oddgan.options.assignments import merge, parse_assignments, read_settings
from oddgan.options.data import Colour, EcgOptions, Impute, Kind, Options, SplitName
from oddgan.options.fields import UsageError
from oddgan.options.tasks import (
    ComposeSpec,
    EvaluateSpec,
    FitSpec,
    InspectSpec,
    InversionSpec,
    MethodsSpec,
    ProfileSpec,
    Projection,
    ReportSpec,
    ScoreSpec,
    ThresholdSpec,
)

__all__ = [
    "Colour",
    "ComposeSpec",
    "EcgOptions",
    "EvaluateSpec",
    "FitSpec",
    "Impute",
    "InspectSpec",
    "InversionSpec",
    "Kind",
    "MethodsSpec",
    "Options",
    "ProfileSpec",
    "Projection",
    "ReportSpec",
    "ScoreSpec",
    "SplitName",
    "ThresholdSpec",
    "UsageError",
    "merge",
    "parse_assignments",
    "read_settings",
]
