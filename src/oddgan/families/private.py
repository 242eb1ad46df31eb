"""Detectors that can be trained with differential privacy."""

from oddgan._core.errors import InputError
from oddgan._core.hyperparameters import hyperparameters
from oddgan._core.notices import notice
from oddgan.base.fitting import Fitting
from oddgan.families.neural import NeuralDetector
from oddgan.families.partial_fit import for_so_long
from oddgan.training import Engine, EpochRecord, Privacy, PrivateEngine, Source, Spent, many
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

    def _learn(self, source: Source, fitting: Fitting) -> list[EpochRecord]:
        self._private: PrivateEngine | None = None
        self.privacy_: Spent | None = None
        if self.privacy is None:
            return super()._learn(source, fitting)
        if self.similarities_ or fitting.again:
            raise InputError(
                "Private training can't fit a similarity to rows or go on with trained networks: give similarities "
                "whose parameters are set, and train from the start."
            )
        phases, batches = list(for_so_long(self._phases(), fitting.epochs)), count(len(source), self.batch_size)
        protected = [watchers(phase, self.networks_, self.shape_) for phase in phases]
        engine = PrivateEngine(self.privacy, phases, protected, batches, secret=self.random_state is None)
        self._private = engine
        records, self._private = super()._learn(source, fitting), None
        self.privacy_ = engine.report()
        notice(
            f"The weights are ({self.privacy_.epsilon:.4g}, {self.privacy_.delta:g})-differentially private in "
            "whether any one row counts; scaling, threshold and the stored calibration scores are not covered."
        )
        return records

    def _engine(self) -> Engine:
        private: PrivateEngine | None = getattr(self, "_private", None)
        return super()._engine() if private is None else private
