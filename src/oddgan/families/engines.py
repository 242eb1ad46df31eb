"""How a fit is trained: checks of its hyperparameters, and the engine that computes its updates."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from oddgan._core.errors import InputError
from oddgan._core.notices import notice
from oddgan.base.fitting import Fitting
from oddgan.families.partial_fit import planned
from oddgan.networks.base import one_of, whole
from oddgan.training import Engine, Privacy, PrivateEngine, SharedEngine, Source, many
from oddgan.training.batches import count
from oddgan.training.length import check_lengths
from oddgan.training.privacy.engine import watchers
from oddgan.training.stabilisers import Setting, check


def check_training(detector: Any) -> None:
    """Raise InputError where a detector can't be trained as its hyperparameters say."""
    check_lengths(detector)
    whole(2, batch_size=detector.batch_size)
    whole(latent_dim=getattr(detector, "latent_dim", 1))
    one_of(("fp32", "bf16"), precision=detector.precision)
    check(detector.stabilisers, Setting(type(detector).__name__, getattr(detector, "objective", None), detector.fools))
    _check_privacy(detector)
    if detector.stabilisers and many():
        raise InputError("Stabilisers look at batches as a whole, which several workers can't: use one process.")


def _check_privacy(detector: Any) -> None:
    """Raise InputError where a private training would take more from rows than noisy updates."""
    if getattr(detector, "privacy", None) is None:
        return
    if detector.selection is not None:
        raise InputError("Private training can't choose among epochs by rows: give selection=None.")
    if detector.stabilisers:
        raise InputError("Private training can't bound what stabilisers take from rows: give stabilisers=().")
    if many():
        raise InputError("Private training runs in one process: start it without other workers.")


@contextmanager
def engine_of(detector: Any, source: Source, fitting: Fitting) -> Iterator[Engine]:
    """The engine of a detector's fit: with noise, by several workers together, or as torch does by itself.

    Detectors with a parameter `privacy` have `privacy_` after the block: what the weights guarantee, or None.

    Parameters
    ----------
    detector : a `NeuralDetector` whose networks are built.
    source : the training rows.
    fitting : how they are trained on.

    Raises
    ------
    InputError
        If the training is to be private, and takes more from rows than updates.
    """
    if hasattr(detector, "privacy"):
        detector.privacy_ = None  # what an earlier fit guaranteed is over
    if getattr(detector, "privacy", None) is None:
        yield SharedEngine.for_now()
        return
    engine = _private_engine(detector, detector.privacy, source, fitting)
    yield engine
    detector.privacy_ = engine.report()
    notice(str(detector.privacy_))


def _private_engine(detector: Any, privacy: Privacy, source: Source, fitting: Fitting) -> PrivateEngine:
    if detector.similarities_ or fitting.again:
        raise InputError(
            "Private training can't fit a similarity to rows or go on with trained networks: give similarities "
            "whose parameters are set, and train from the start."
        )
    phases = list(planned(detector, fitting))
    protected = [watchers(phase, detector.networks_, detector.shape_) for phase in phases]
    batches, secret = count(len(source), detector.batch_size), detector.random_state is None
    return PrivateEngine(privacy, phases, protected, batches, secret=secret)
