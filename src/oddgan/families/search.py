"""Detectors that invert their generator: they look for the latent point of every row they score."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple, Self, cast, get_args, get_type_hints

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan.base.components import Component, ScoreParts
from oddgan.base.fitting import Fitting
from oddgan.base.scoring import Passes, Progress, Report, full_pass, run_rows
from oddgan.families.coding import PriorDetector, VariationalDetector
from oddgan.families.neural import NeuralDetector
from oddgan.inputs.rows import Rows, chunks
from oddgan.inversion import Execution, Inverted, Loss, Map, Slots
from oddgan.inversion.result import Report as InversionReport
from oddgan.networks import FirstChannels
from oddgan.priors import Gaussian, Prior
from oddgan.scores import Composition
from oddgan.training import Privacy

SearchReport = InversionReport

# Passes whose rows are searched for together, so that a row whose search has ended makes room for another.
TOGETHER = 16


class Inversion(NamedTuple):
    """What a search found, as arrays.

    Parameters
    ----------
    z : latent points, (n, latent_dim).
    reconstruction : what the generator makes of them, on the scale of the rows, (n, ...).
    loss : each row's own loss, (n,).
    steps : the steps that its search took, (n,).
    converged : whether the search reached its goal, (n,).
    """

    z: np.ndarray
    reconstruction: np.ndarray
    loss: np.ndarray
    steps: np.ndarray
    converged: np.ndarray


def _check_search_loss(loss: object, known: Sequence[str]) -> None:
    """Refuse what a search can't minimise: it knows no component values to learn from, and only some components."""
    takes = f"a composition of {', '.join(known)} that learns nothing, e.g. WeightedSum({known[0]}=1.0)"
    if not isinstance(loss, Composition):
        raise InputError(f"search_loss is {loss!r}: give {takes}.")
    if loss.learns:
        raise InputError(
            f"search_loss is {type(loss).__name__}, which has to learn from component values, and while a search runs "
            f"there are none: give {takes}."
        )
    if strange := sorted(set(loss.uses) - set(known)):
        raise InputError(f"search_loss uses {', '.join(strange)}, which a search does not know: give {takes}.")


def _traces(detector: object) -> bool:
    """Whether the method can tell the ways of its searches."""
    return hasattr(detector, "_trace")


@hyperparameters
class SearchDetector(NeuralDetector):
    """A detector that inverts its generator.

    Parameters
    ----------
    privacy : bound what the trained weights can tell of any single row, by noisy updates, see `training.Privacy`; None
        adds no noise. Scaling, threshold and the calibration scores stored with the model are not covered.
    budget_ms : milliseconds that the search for a row may take, above 0: `fit` turns them into a number of steps, once,
        on the machine at hand, and the model keeps that number; None takes the steps of `inversion`.
    """

    search_components: ClassVar[tuple[str, ...]] = ()
    """The components that the method's parameter `search_loss` may use; empty without such a parameter."""

    privacy: Privacy | None = None
    latent_dim: int
    prior: Prior
    inversion: Any
    budget_ms: float | None = None

    # -- what a method supplies
    @abstractmethod
    def _invert(self, x: Tensor, report: SearchReport | None = None) -> Inverted:
        """Latent points of network input x (n, ...), each row by itself; `report` is told how far the search is."""

    @abstractmethod
    def _score_found(self, x: Tensor, found: Inverted) -> Mapping[str, Component]:
        """The components of the score of a pass of rows x (n, ...), given what was found for them."""

    # -- what methods use
    @property
    def _slots(self) -> Slots:
        exact = self.scoring == "exact"
        return Slots(full_pass(self.slots) if exact else self.slots, fixed=exact)

    def _execution(
        self, report: SearchReport | None, problem: Callable[[torch.dtype], tuple[Map, Loss]] | None = None
    ) -> Execution:
        """How to run a search; `problem` gives the generator and the loss in another precision."""
        rough = problem is not None and getattr(self._inversion, "precision", None) == "bf16"
        draft = problem(torch.bfloat16) if rough and problem is not None else None
        return Execution(self._slots, draft, report)

    @property
    def _inversion(self) -> Any:
        """The inversion as it is run: `inversion`, or the one with the steps that a budget pays for."""
        found = getattr(self, "budgeted_", None)
        return self.inversion if found is None else found

    # -- scoring
    def invert(self, X: Any) -> Inversion:
        """Find the latent points of rows, with what the search tells about them."""
        found = self._apply(lambda x: self._invert(x)._asdict(), self._rows(X))
        reconstruction = self.scaling_.backward(found["x"])
        steps, converged = found["steps"].astype(int), found["converged"].astype(bool)
        return Inversion(found["z"], reconstruction, found["loss"], steps, converged)

    def _score(self, x: Tensor, report: SearchReport | None = None) -> ScoreParts:
        found = self._invert(x, report)
        return ScoreParts(self._scored_in_passes(x, found), found.x)

    def _scored_in_passes(self, x: Tensor, found: Inverted) -> dict[str, Component]:
        full, parts = self._slots.most, list[Mapping[str, Component]]()
        for i in range(0, len(x), full):
            rows = torch.arange(i, i + full if self._slots.fixed else min(i + full, len(x))).clamp(max=len(x) - 1)
            with torch.inference_mode():
                scored = self._score_found(x[rows], Inverted(*(value[rows] for value in found)))
            parts.append(scored)
        return {name: partial(_joined, [part[name] for part in parts], len(x)) for name in parts[0]}

    def _reconstruct(self, x: Tensor) -> Tensor:
        return self._invert(x).x

    def _encode(self, x: Tensor) -> Tensor:
        return self._invert(x).z

    def _sample(self, n: int) -> Tensor:
        drawn: Tensor = self._net("generator")(self.prior.sample(n, self.latent_dim, device=self._device))
        return drawn

    @available_if(_traces)
    def trace(self, X: Any) -> np.ndarray:
        """The ways of the rows' searches through the latent space: (n, n_seed, steps + 1, latent_dim), float64."""
        return self._apply(lambda x: {"way": cast(Any, self)._trace(x)}, self._rows(X))["way"]

    def _apply(
        self, function: Callable[[Tensor], Mapping[str, Tensor]], rows: Rows, report: Report | None = None
    ) -> dict[str, np.ndarray]:
        """Hand over many passes at once: the search itself sees to it that rows don't depend on each other."""
        passes = Passes(TOGETHER * self._slots.most, padded=False)
        return run_rows(function, rows, self._prepare, passes=passes, report=report)

    def _measured(self, rows: Rows, wanted: Collection[str] | None, report: Report | None) -> dict[str, np.ndarray]:
        if report is None:
            return super()._measured(rows, wanted, None)
        tally = _Tally(report, getattr(self, "n_seed", 1))
        return self._apply(self._parts_of(partial(self._score, report=tally), wanted), rows, tally.rows)

    def _check(self) -> None:
        super()._check()
        if self.search_components:
            _check_search_loss(cast(Any, self).search_loss, self.search_components)

    # -- the budget
    def _learn(self, rows: Rows, fitting: Fitting) -> None:
        super()._learn(rows, fitting)
        self.budgeted_: Any = None
        if self.budget_ms is not None:
            self._spend(self.budget_ms, self._prepare(next(chunks(rows, self._slots.most))))

    def set_budget(self, budget_ms: float, X: Any) -> Self:
        """Turn a time for each row into a number of search steps, on the machine at hand; nothing is trained again.

        Scores change with the steps, so the threshold is set anew.

        Parameters
        ----------
        budget_ms : milliseconds that the search for a row may take, above 0.
        X : normal rows, from whose scores the threshold is taken; best rows that were not trained on.

        Raises
        ------
        InputError
            If the method does not search, or the budget does not pay for one step.
        """
        check_is_fitted(self, "offset_")
        rows = self._rows(X)
        self._spend(budget_ms, self._prepare(next(chunks(rows, self._slots.most))))
        return self._recalibrate(rows)

    # -- another inversion
    def set_inversion(self, inversion: Any, X: Any, *, held_out: bool | None = None) -> Self:
        """Find latent points in another way from now on, e.g. restricted; nothing is trained again.

        Scores change with the inversion, so that the composition learns its scales anew, unless it learned from labels,
        and the threshold is set anew, by the default rule if it was a fixed number. A budget of the old inversion does
        not carry over.

        Parameters
        ----------
        inversion : of a kind that the method takes, see its parameter `inversion`.
        X : normal rows, from whose scores the threshold is taken; best rows that were not trained on.
        held_out : whether the model was not trained on X; None says what was said of the earlier calibration rows.

        Raises
        ------
        InputError
            If the method takes no such inversion; nothing is changed then, nor by any other error.
        """
        check_is_fitted(self, "offset_")
        kind = get_type_hints(type(self))["inversion"]
        if not isinstance(inversion, kind):
            takes = " or ".join(arm.__name__ for arm in get_args(kind) or (kind,))
            raise InputError(f"{type(self).__name__} got inversion={inversion!r}, but takes {takes}.")
        before = dict(vars(self))
        try:
            self.inversion, self.budgeted_ = inversion, None
            return self._recalibrate(self._rows(X), held_out=held_out)
        except BaseException:
            self.__dict__.update(before)
            raise

    def _spend(self, budget_ms: float, x: Tensor) -> None:
        kept = getattr(self, "budgeted_", None)

        def run(trial: object) -> None:
            self.budgeted_ = trial
            self._invert(x)

        try:
            kept = self.inversion.calibrate(budget_ms, run, len(x))
        finally:  # a refused budget changes nothing
            self.budgeted_ = kept


@torch.inference_mode()
def _joined(passes: Sequence[Component], n: int) -> Tensor:
    """A component of n rows from those of its passes, of which the last may be filled up."""
    return torch.cat([value() if callable(value) else value for value in passes])[:n]


def generator_of(detector: object) -> nn.Module:
    """The trained network of a fitted detector that maps draws of its prior, z (n, latent_dim), to samples (n, ...).

    Raises
    ------
    InputError
        If the detector draws no samples from a prior, or by more than a network.
    """
    if not isinstance(detector, SearchDetector | PriorDetector | VariationalDetector):
        raise InputError(
            f"A generator is taken from a detector that draws samples from a prior, e.g. a FAnoGAN or a VAE, but "
            f"{type(detector).__name__} is none."
        )
    check_is_fitted(detector, "networks_")
    name = "generator" if isinstance(detector, SearchDetector) else detector.decoder_name
    network = nn.Sequential(detector.networks_[name], FirstChannels(detector.shape_[0])).eval()
    if not isinstance(detector, SearchDetector):
        z = Gaussian().sample(2, detector.latent_dim, device=detector._device)
        with torch.no_grad():
            same = torch.allclose(network(z), detector._decode(z), rtol=1e-3, atol=1e-3)
        if not same:
            raise InputError(f"{type(detector).__name__} draws its samples by more than a network: give another one.")
    return network


class _Tally:
    """Adds up what a search tells, for the user's report."""

    def __init__(self, report: Report, n_seed: int) -> None:
        self.report, self.n_seed = report, n_seed
        self.points = self.steps = self.converged = 0

    def __call__(self, points: int, steps: int, converged: int) -> None:
        """Take note of points that came to rest."""
        self.points, self.steps, self.converged = self.points + points, self.steps + steps, self.converged + converged
        done = self.points // self.n_seed
        self.report(Progress(done, self.steps / self.points, self.converged / self.points))

    def rows(self, at: Progress) -> None:
        """Take note of rows that are done; a search has told of them already."""
        if not self.points:
            self.report(at)
