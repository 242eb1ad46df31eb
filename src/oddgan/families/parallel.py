"""Detectors whose phases share no networks: each may be trained in a process of its own."""

from collections.abc import Iterable
from dataclasses import replace

import torch
from joblib import Parallel, delayed
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base.fitting import Fitting
from oddgan.families.neural import NeuralDetector
from oddgan.families.partial_fit import planned
from oddgan.families.selection import Panel
from oddgan.training import Checkpoints, EpochRecord, Phase, Source, many, seeded

Learned = tuple[dict[str, dict[str, Tensor]], list[EpochRecord]]


def check_jobs(n_jobs: int) -> None:
    """Refuse a number of processes that can't be started."""
    if n_jobs < 1 and n_jobs != -1:
        raise InputError(f"n_jobs must be at least 1, or -1 for one per core, but is {n_jobs}.")
    if n_jobs != 1 and many():
        raise InputError(f"n_jobs={n_jobs} starts processes, but there are several workers already: give 1.")


@hyperparameters
class ParallelDetector(NeuralDetector):
    """A detector of several models: each of its phases trains one, with a seed of its own.

    No network may play in two phases, and nothing may happen between phases.

    Parameters
    ----------
    n_jobs : processes that train models, or -1 for one per core; the result is the same. Each takes as many threads as
        torch does here. With more than one, callbacks hear of the whole only, but for checkpoints.
    """

    n_jobs: int = 1

    def _check(self) -> None:
        super()._check()
        check_jobs(self.n_jobs)

    def _run_phases(
        self, phases: Iterable[Phase], source: Source, fitting: Fitting, panel: Panel | None
    ) -> list[EpochRecord]:
        threads, told = torch.get_num_threads(), fitting
        if self.n_jobs != 1:
            told = replace(fitting, callbacks=[c for c in fitting.callbacks if isinstance(c, Checkpoints)])
        seeds = torch.randint(2**31 - 1, (len(list(phases)),)).tolist()
        jobs = (delayed(self._run_one)(i, seed, source, told, panel, threads) for i, seed in enumerate(seeds))
        learned: list[Learned] = Parallel(n_jobs=self.n_jobs)(jobs)
        for name, weights in (pair for networks, _ in learned for pair in networks.items()):
            self.networks_[name].load_state_dict(weights)
        return [record for _, records in learned for record in records]

    def _run_one(
        self, index: int, seed: int, source: Source, fitting: Fitting, panel: Panel | None, threads: int
    ) -> Learned:
        """Train one model, in this process or another; return the weights of its networks, and its records."""
        torch.set_num_threads(threads)  # sums over another number of threads end in other bits
        self.networks_.train()  # a copy in another process was loaded for scoring
        self._lay_out()
        phase = list(planned(self, fitting))[index]
        with seeded(seed, self._device):
            first = (fitting.first or 0) + index * len(self._parts(phase, len(source), fitting))
            records = super()._run_phases([phase], source, replace(fitting, first=first), panel)
        names = [name for player in phase.players.values() for name in player.networks]
        return {name: self.networks_[name].state_dict() for name in names}, records
