"""The command `profile`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import oddgan
from oddgan.cli.command import Output, command
from oddgan.cli.output import document, notes, show, table
from oddgan.options import ProfileSpec

if TYPE_CHECKING:
    import oddgan.tasks


@command(sort_key=7)
def profile(spec: ProfileSpec, output: Output) -> None:
    """Show where the time of scoring goes, and how far it is from what the machine could do."""
    found = oddgan.tasks.profile(spec)
    notes(found.notes, output)
    shown = table("stage", "ms/row", "share", "calls", "GFLOP/s", "x floor")
    for stage in found.stages:
        speed = f"{stage.flops / stage.seconds / 1e9:.1f}" if stage.flops else ""
        times = f"{stage.seconds / stage.floor:.1f}" if stage.floor else ""
        share = f"{100 * stage.seconds / found.seconds:.1f} %"
        shown.add_row(stage.name, _ms(stage.seconds, found.rows), share, str(stage.calls), speed, times)
    whole = f"{found.seconds / found.floor:.1f}" if found.floor else ""
    speed = f"{found.flops / found.seconds / 1e9:.1f}" if found.flops else ""
    shown.add_row("all", _ms(found.seconds, found.rows), "100 %", "", speed, whole)
    show(f"{found.method}, {found.rows} rows; the source was read in {1e3 * found.reading:.0f} ms", output)
    show(shown, output)
    show(_machine(found), output)
    totals = {"seconds": found.seconds, "flops": found.flops, "floor": found.floor or None}
    document(asdict(found) | totals | {"times_floor": found.seconds / found.floor if found.floor else None}, output)


def _ms(seconds: float, rows: int) -> str:
    return f"{1e3 * seconds / rows:.4f}"


def _machine(found: "oddgan.tasks.ProfileResult") -> str:
    peak = found.machine
    lines = [
        f"this machine, {peak.threads} thread(s): {peak.fp32 / 1e9:.0f} GFLOP/s in fp32, {peak.bf16 / 1e9:.0f} in bf16 "
        f"(peak), {peak.bandwidth / 1e9:.1f} GB/s (copy)"
    ]
    if found.floor:
        lines.append(
            f"this model: {found.flops / found.rows / 1e6:.4g} MFLOP a row, for which the machine needs at least "
            f"{_ms(found.floor, found.rows)} ms"
        )
    return "\n".join(lines)
