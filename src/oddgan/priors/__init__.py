"""Priors: latent distributions that sample, project onto their support, and say how typical a point is."""

from oddgan.priors.distributions import Gaussian, Prior, Sphere, TruncatedNormal, Uniform
from oddgan.priors.langevin import Langevin, Replay
from oddgan.priors.shell import Shell

__all__ = ["Gaussian", "Langevin", "Prior", "Replay", "Shell", "Sphere", "TruncatedNormal", "Uniform"]
