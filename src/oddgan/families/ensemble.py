"""Detectors made of detectors: members are trained independently, and their scores are the components."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.utils.metaestimators import available_if
from torch import Tensor

from oddgan._core.errors import ModelError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base.components import Component, ScoreParts, evaluated
from oddgan.base.detector import Detector
from oddgan.base.explanation import Explanation
from oddgan.base.fitting import Fitting
from oddgan.base.scoring import Progress, Report
from oddgan.families.parallel import check_jobs
from oddgan.inputs.rows import Rows, take
from oddgan.training import Checkpoints, EpochRecord, RandomState, generator


def _all(name: str) -> Callable[["EnsembleDetector"], bool]:
    """A test for `available_if`: all members can do it."""
    return lambda self: bool(self.detectors) and all(hasattr(d, name) for d in self.detectors)


@hyperparameters
class EnsembleDetector(Detector):
    """A detector of other detectors.

    Parameters
    ----------
    detectors : what it is made of, unfitted.
    n_jobs : processes that train members, or -1 for one per core; the result is the same. With more than one, callbacks
        hear of the whole only, but for checkpoints.
    """

    detectors: tuple[Detector, ...] = ()
    n_jobs: int = 1

    def _check(self) -> None:
        check_jobs(self.n_jobs)

    # -- training
    def _fit_members(self, members: list[Detector], parts: list[Rows], fitting: Fitting) -> None:
        """Train members, each on its rows; `history_` has the records of all."""
        own = [_of_member(fitting, i) for i in range(1, len(members) + 1)]
        self.members_ = tuple(self._fit_each(members, parts, own))
        first, self.history_ = 0, list[EpochRecord]()
        for member in self.members_:
            self.history_ += [replace(r, phase_index=first + r.phase_index) for r in _history(member)]
            first += _phases(member)
        self.selection_labelled_ = any(member.semi_supervised_ for member in self.members_)

    def _fit_each(self, members: list[Detector], parts: list[Rows], own: list[Fitting]) -> list[Detector]:
        jobs = list(zip(members, parts, own, strict=True))
        if self.n_jobs != 1:
            threads = torch.get_num_threads()  # sums over another number of threads end in other bits
            found: list[Detector] = Parallel(n_jobs=self.n_jobs)(delayed(_fit_there)(*job, threads) for job in jobs)
            return found
        first = 0
        for member, rows, fitting in jobs:
            _fit(member, rows, replace(fitting, first=first))
            first += _phases(member)
        return members

    def _take_members(self, members: Sequence[Detector]) -> None:
        self.members_ = tuple(members)
        named, known = self.named_members_, self.calibration_components_
        if named.keys() != known.keys():
            raise ModelError(
                f"it has the members {', '.join(named) or 'none'}, but the calibration rows were scored by "
                f"{', '.join(known) or 'none'}."
            )
        if other := [name for name, one in named.items() if one.shape_ != self.shape_]:
            raise ModelError(f"its member {other[0]} was fitted on samples of another shape than {self.shape_}.")

    # -- scoring
    @property
    def named_members_(self) -> dict[str, Detector]:
        """The members by class and number, e.g. "anogan_2", as the components are called."""
        kinds, named = Counter[str](), {}
        for member in self.members_:
            kind = type(member).__name__.lower()
            kinds[kind] += 1
            named[f"{kind}_{kinds[kind]}"] = member
        return named

    def _score(self, x: Tensor) -> ScoreParts:
        return ScoreParts(self._scores_of_members(x.cpu().numpy()))

    def _scores_of_members(self, rows: Rows, reports: Iterator[Report] | None = None) -> dict[str, Component]:
        return {name: partial(_score, member, rows, reports) for name, member in self.named_members_.items()}

    def _measured(self, rows: Rows, wanted: Collection[str] | None, report: Report | None) -> dict[str, np.ndarray]:
        """Members score all rows in turn, each as it would alone."""
        k, n = len(self.members_ if wanted is None else set(wanted)), len(rows)
        reports = None if report is None else (partial(_told, report, i * n, k) for i in range(k))
        parts = ScoreParts(self._scores_of_members(rows, reports))
        found = evaluated(parts, n, wanted, self._derived, type(self).__name__)
        return {name: values.numpy() for name, values in found.items()}

    def _explained(self, rows: Rows) -> Explanation:
        """The members' scores, and the means of their reconstructions, maps and residuals where all have them."""
        said = {name: member._explained(rows) for name, member in self.named_members_.items()}
        found = {name: told.score for name, told in said.items()}
        drawn, heat, each = ([getattr(t, name) for t in said.values()] for name in Explanation._fields[2:])
        return Explanation(self.calibration_.score(found), found, _mean(drawn), _mean(heat), _mean(each))

    def _centre(self) -> np.ndarray:
        centre: np.ndarray = np.mean([member._centre() for member in self.members_], axis=0)
        return centre

    @available_if(_all("reconstruct"))
    def reconstruct(self, X: Any) -> np.ndarray:
        """The mean of the members' reconstructions: (n, ...), float64, on the scale of X."""
        found: np.ndarray = np.mean([member.reconstruct(X) for member in self.members_], axis=0)
        return found

    @available_if(_all("anomaly_map"))
    def anomaly_map(self, X: Any) -> np.ndarray:
        """The mean of the members' maps: (n, h, w), (n, t) or (n, d), >= 0."""
        found: np.ndarray = np.mean([member.anomaly_map(X) for member in self.members_], axis=0)
        return found

    @available_if(_all("sample"))
    def sample(self, n: int = 1, *, random_state: RandomState = None) -> np.ndarray:
        """Draw n new rows from the members in turn, on the scale of X: (n, ...), float64."""
        drawn, rng, k = [], generator(random_state), len(self.members_)
        for i, member in enumerate(self.members_[:n]):
            drawn.append(member.sample(len(range(i, n, k)), random_state=rng))
        return np.concatenate(drawn)


def drawn(rows: Rows, share: float) -> Rows:
    """A share of the rows, at least two, drawn without replacement from torch's global generator."""
    n = max(2, round(share * len(rows)))
    return rows if n >= len(rows) else take(rows, np.sort(torch.randperm(len(rows))[:n].numpy()))


def _of_member(fitting: Fitting, number: int) -> Fitting:
    """What goes along with the fit of a member: checkpoints in a folder of its own."""
    own = [c.part(f"member-{number}") if isinstance(c, Checkpoints) else c for c in fitting.callbacks]
    return replace(fitting, callbacks=own)


def _fit(member: Detector, rows: Rows, fitting: Fitting) -> Detector:
    """Fit a member; it counts its phases from 0, as it would alone."""
    first = fitting.first or 0
    member._train(member._training_rows(rows), generator(member.random_state), fitting)
    if first:
        member.history_ = [replace(r, phase_index=r.phase_index - first) for r in _history(member)]
    return member


def _fit_there(member: Detector, rows: Rows, fitting: Fitting, threads: int) -> Detector:
    """Fit a member in another process, with as many threads as here."""
    torch.set_num_threads(threads)
    return _fit(member, rows, replace(fitting, callbacks=Checkpoints.only(fitting.callbacks), first=0))


def _history(member: Detector) -> list[EpochRecord]:
    """The epochs of a member; none where it has no networks."""
    found: list[EpochRecord] = getattr(member, "history_", [])
    return found


def _phases(member: Detector) -> int:
    """How many numbers the phases of a member take."""
    return max((r.phase_index + 1 for r in _history(member)), default=0)


def _score(member: Detector, rows: Rows, reports: Iterator[Report] | None) -> Tensor:
    """The member's anomaly scores (n,)."""
    report = None if reports is None else next(reports)
    return torch.from_numpy(member._score_rows(rows, report))


def _told(report: Report, before: int, k: int, progress: Progress) -> None:
    """Say how far one of k members is, as rows of all."""
    report(progress._replace(rows=(before + progress.rows) // k))


def _mean(arrays: list[np.ndarray | None]) -> np.ndarray | None:
    """Their mean, or None where one is missing."""
    known = [array for array in arrays if array is not None]
    return np.mean(known, axis=0) if len(known) == len(arrays) else None
