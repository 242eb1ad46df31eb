"""Inversion in one pass, by an encoder that was trained for it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from oddgan.inversion.result import Inverted, Loss, Map


@dataclass(frozen=True)
class EncoderInversion:
    """Take the encoder's answer, z = E(x), for the latent point: no search, 0 steps, always converged."""

    def __call__(self, x: Tensor, generator: Map, encoder: Map, loss: Loss) -> Inverted:
        """Invert samples x (n, ...); no gradients are kept.

        Parameters
        ----------
        x : samples, (n, ...).
        generator : maps z (n, m) to samples (n, ...).
        encoder : maps samples (n, ...) to z (n, m).
        loss : maps samples and reconstructions to one loss per sample, (n,).
        """
        with torch.no_grad():
            z = encoder(x)
            y = generator(z)
            each = loss(x, y)
        steps = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        return Inverted(z, y, each, steps, torch.ones_like(steps, dtype=torch.bool))
