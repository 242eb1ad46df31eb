"""Fit a scaling to training rows, and tell the user of values that never change."""

from oddgan._core.notices import notice
from oddgan.inputs.rows import Rows, chunks
from oddgan.scaling import Scaling


def fit_scaling(scaling: Scaling, shape: tuple[int, ...], rows: Rows) -> Scaling:
    """The scaling for samples of this shape, fitted to rows (n, ...), with a notice of constants."""
    fitted = scaling.choose(shape).fit(chunks(rows))
    if fitted.constant:
        of = "channel" if fitted.per == "channel" else "column" if len(shape) == 1 else "position"
        many = f"{fitted.constant} {of}s hold" if fitted.constant > 1 else f"1 {of} holds"
        notice(f"{many} one value in all training rows: any later change of it makes a row more anomalous.")
    return fitted
