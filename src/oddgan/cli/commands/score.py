"""The command `score`."""

from typing import TYPE_CHECKING

import oddgan
from oddgan.cli.command import Output, command
from oddgan.cli.output import bar, document, notes, row_documents, rows_table, show, supervised, supervision_document
from oddgan.options import ScoreSpec

if TYPE_CHECKING:
    import oddgan.report.pictures
    import oddgan.tasks


@command(sort_key=3)
def score(spec: ScoreSpec, output: Output) -> None:
    """Score new rows: row, id, anomaly_score, is_anomaly, p_value; higher scores are more anomalous."""
    draw = None if spec.heatmaps is None else oddgan.report.pictures.overlay
    with bar("scoring", output) as progress:
        result = oddgan.tasks.score(spec, watch=progress, draw=draw)
    notes(result.notes, output)
    found, flagged = result.table, int(result.table.is_anomaly.sum())
    if spec.out is None:
        show(rows_table(found), output)
    written = {"scores": spec.out, "heatmaps": spec.heatmaps}
    lines = [f"{flagged} of {len(found)} rows are flagged: their score is above {result.threshold.value:.6g}."]
    lines += supervised(result.composition, result.threshold)
    show("\n".join(lines + [f"{name:9} {path}" for name, path in written.items() if path]), output)
    summary = {"n": len(found), "flagged": flagged, "threshold": result.threshold.value, "notes": result.notes}
    summary |= supervision_document(result.composition, result.threshold)
    document(summary | written | ({"rows": row_documents(found)} if output.json and not spec.out else {}), output)
