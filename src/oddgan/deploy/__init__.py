"""Detectors on other machines: training on a cluster."""

from oddgan.deploy.clusters import fit_on_ray

__all__ = ["fit_on_ray"]
