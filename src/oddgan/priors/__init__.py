"""Latent restriction: distributions over z that sample, project onto their support, and say how typical a point is."""

from oddgan.priors.distributions import Gaussian, Prior, Sphere, TruncatedNormal, Uniform

__all__ = ["Gaussian", "Prior", "Sphere", "TruncatedNormal", "Uniform"]
