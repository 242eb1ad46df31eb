"""Evaluation of scores: metrics with intervals, localisation, result records, and the folder that a run writes."""

from oddgan.evaluate.counts import Counts, counts
from oddgan.evaluate.infos import (
    CompositionInfo,
    DataInfo,
    MethodInfo,
    RunInfo,
    Seconds,
    ThresholdInfo,
    supervision,
)
from oddgan.evaluate.items import Items, LatentMap, class_groups, gallery_groups, read_items, write_items
from oddgan.evaluate.localisation import pixel_auroc, pro
from oddgan.evaluate.metrics import Metric, evaluate
from oddgan.evaluate.records import Record, Results, Spread, read_results, spread, write_results
from oddgan.evaluate.runs import Epoch, Run, read_run, read_snapshots, write_run_info, write_snapshots
from oddgan.evaluate.scores_table import Contributor, ScoreTable, check_suffix, read_scores, write_scores

__all__ = [
    "CompositionInfo",
    "Contributor",
    "Counts",
    "DataInfo",
    "Epoch",
    "Items",
    "LatentMap",
    "MethodInfo",
    "Metric",
    "Record",
    "Results",
    "Run",
    "RunInfo",
    "ScoreTable",
    "Seconds",
    "Spread",
    "ThresholdInfo",
    "check_suffix",
    "class_groups",
    "counts",
    "evaluate",
    "gallery_groups",
    "pixel_auroc",
    "pro",
    "read_items",
    "read_results",
    "read_run",
    "read_scores",
    "read_snapshots",
    "spread",
    "supervision",
    "write_items",
    "write_results",
    "write_run_info",
    "write_scores",
    "write_snapshots",
]
