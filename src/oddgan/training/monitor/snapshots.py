"""Samples drawn during training: compared with training rows, and kept as snapshots."""

import numpy as np
import torch
from torch import Tensor, nn

from oddgan._core.monitoring import Diversity, Snapshots
from oddgan.training.callbacks import Subject
from oddgan.training.monitor.diversity import around, diversity, embed, quiet

_MOST = 6  # snapshots


class Gallery:
    """Draws samples from the same latent points at each look.

    Parameters
    ----------
    subject : what is trained.
    rows : training rows and samples that are compared, at most.
    shown : of these, samples and rows of a snapshot.
    """

    def __init__(self, subject: Subject, rows: int, shown: int) -> None:
        self._subject, self._size, self._shown = subject, rows, shown
        self._rows = subject.rows(rows)
        self._real = embed(self._rows)
        self._drawn: Tensor | None = None
        self._album: list[tuple[int, int, np.ndarray]] = []
        self._last: tuple[int, int, np.ndarray] | None = None
        self._count, self._stride = 0, 1

    @property
    def sizes(self) -> tuple[int, int]:
        """How many rows and samples are compared."""
        return len(self._rows), self._size

    @property
    def scale(self) -> float:
        """The spread of the rows, as embedded."""
        return float(around(self._real))

    def look(self, networks: nn.ModuleDict, phase: int, epoch: int) -> tuple[Diversity, Tensor] | None:
        """Draw, and return what the samples are like and their mean, embedded (p,).

        None where the samples are those of the last time, or not finite.

        Parameters
        ----------
        networks : all.
        phase, epoch : numbers that a snapshot is marked with.
        """
        if self._subject.draw is None:
            return None
        with quiet(networks, self._real.device):
            drawn = self._subject.draw(self._size)
        if self._drawn is not None and torch.equal(drawn, self._drawn):
            return None
        self._drawn, embedded = drawn, embed(drawn)
        if not bool(torch.isfinite(embedded).all()):
            return None
        self._keep((phase, epoch, drawn[: self._shown].float().cpu().numpy()))
        return diversity(self._real, embedded), embedded.mean(dim=0).double().cpu()

    def _keep(self, entry: tuple[int, int, np.ndarray]) -> None:
        """Keep every 1st, 2nd, 4th, ... entry, so that there are never many, and the last."""
        self._last = entry
        if self._count % self._stride == 0:
            self._album.append(entry)
        self._count += 1
        if len(self._album) > 4 * _MOST:
            self._album, self._stride = self._album[::2], 2 * self._stride

    def snapshots(self) -> Snapshots | None:
        """Return up to six evenly spaced ones; None if nothing was drawn."""
        if self._last is None:
            return None
        chosen = np.unique(np.linspace(0, len(self._album) - 1, _MOST).round().astype(int)).tolist()
        entries = [self._album[i] for i in chosen[: _MOST - 1] if self._album[i] is not self._last] + [self._last]
        samples = np.stack([self._subject.restore(x) for _, _, x in entries]).astype(np.float32)
        phases, epochs = (np.array([entry[i] for entry in entries]) for i in (0, 1))
        rows = self._subject.restore(self._rows[: self._shown].cpu().numpy()).astype(np.float32)
        return Snapshots(phases, epochs, samples, rows)
