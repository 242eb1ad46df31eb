"""A run folder as one self-contained page; needs neither torch nor the detector."""

from oddgan.report.page import render

__all__ = ["render"]
