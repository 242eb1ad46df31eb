"""Detectors that can be trained with differential privacy."""

from collections.abc import Iterable

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan._core.notices import notice
from oddgan.base.fitting import Fitting
from oddgan.families.neural import NeuralDetector
from oddgan.families.partial_fit import with_epochs
from oddgan.families.selection import Panel
from oddgan.training import Engine, EpochRecord, Phase, Privacy, PrivateEngine, Source, Spent, many
from oddgan.training.batches import count
from oddgan.training.privacy.engine import watchers


@hyperparameters
class PrivateDetector(NeuralDetector):
    """A detector that takes nothing from its training rows but the updates of its players and the threshold.

    Fitted with `privacy`, it has `privacy_`: what the weights guarantee (`training.Spent`).

    Parameters
    ----------
    privacy : bound what the trained weights can tell of any single row, by noisy updates; None adds no noise. Scaling,
        threshold and the calibration scores stored with the model are not covered.
    """

    privacy: Privacy | None = None

    def _check(self) -> None:
        super()._check()
        if self.privacy is None:
            return
        if self.selection is not None:
            raise InputError("Private training can't choose among epochs by rows: give selection=None.")
        if self.stabilisers:
            raise InputError("Private training can't bound what stabilisers take from rows: give stabilisers=().")
        if many():
            raise InputError("Private training runs in one process: start it without other workers.")

    def _run_phases(
        self, phases: Iterable[Phase], source: Source, fitting: Fitting, panel: Panel | None
    ) -> list[EpochRecord]:
        self._private: PrivateEngine | None = None
        self.privacy_: Spent | None = None
        if self.privacy is None:
            return super()._run_phases(phases, source, fitting, panel)
        if self.similarities_ or fitting.again:
            raise InputError(
                "Private training can't fit a similarity to rows or go on with trained networks: give similarities "
                "whose parameters are set, and train from the start."
            )
        planned, batches = list(with_epochs(self._phases(), fitting.epochs)), count(len(source), self.batch_size)
        protected = [watchers(phase, self.networks_, self.shape_) for phase in planned]
        engine = PrivateEngine(self.privacy, planned, protected, batches, secret=self.random_state is None)
        self._private = engine
        records, self._private = super()._run_phases(phases, source, fitting, panel), None
        self.privacy_ = engine.report()
        notice(
            f"The weights are ({self.privacy_.epsilon:.4g}, {self.privacy_.delta:g})-differentially private in "
            "whether any one row counts; scaling, threshold and the stored calibration scores are not covered."
        )
        return records

    def _engine(self) -> Engine:
        private: PrivateEngine | None = getattr(self, "_private", None)
        return super()._engine() if private is None else private
