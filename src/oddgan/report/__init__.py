"""HTML reports of run folders and of data, each one self-contained file; needs neither torch nor the detector."""

from oddgan.report.inspection import render_inspection, sentences
from oddgan.report.page import render

__all__ = ["render", "render_inspection", "sentences"]
