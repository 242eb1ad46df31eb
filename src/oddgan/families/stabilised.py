"""Stabilisers at work: detectors build other critics for them, and play their phases by other rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from oddgan._core.errors import InputError
from oddgan.networks.blocks.critics import is_critic
from oddgan.objectives import Objective
from oddgan.training import CriticEnsemble, Phase, Stabiliser
from oddgan.training.stabilisers import Setting, check, stabilised


def check_stabilisers(detector: Any) -> None:
    """Raise InputError where a detector's stabilisers can't be used, before anything is trained."""
    given, name = detector.stabilisers, type(detector).__name__
    if not isinstance(given, tuple | list) or not all(isinstance(one, Stabiliser) for one in given):
        raise InputError(f"stabilisers takes a tuple of stabilisers, e.g. (TwoTimescale(),), but is {given!r}.")
    if not given:
        return
    if not hasattr(detector, "objective"):
        raise _no_critic(name)
    if detector.precision == "bf16" and any(one.matches or isinstance(one, CriticEnsemble) for one in given):
        raise InputError(
            'FeatureMatching and CriticEnsemble look at what critics return, which bf16 changes: precision="fp32".'
        )
    check(tuple(given), Setting(name, detector.objective, detector.fools))


def stabilised_networks(detector: Any, networks: dict[str, nn.Module]) -> dict[str, nn.Module]:
    """Return a detector's networks with the critics that its stabilisers make of them."""
    critics = {name: network for name, network in networks.items() if is_critic(network)}
    if detector.stabilisers and not critics:
        raise _no_critic(type(detector).__name__)
    for one in detector.stabilisers:
        critics = {name: one.rebuilt(network) for name, network in critics.items()}
    return networks | critics


def stabilised_phase(detector: Any, phase: Phase) -> Phase:
    """Return a phase of a detector as its stabilisers change it."""

    @contextmanager
    def swap(objective: Objective) -> Iterator[None]:
        own = detector.objective
        detector.objective = objective
        try:
            yield
        finally:
            detector.objective = own

    given = tuple(detector.stabilisers)
    return stabilised(phase, detector.networks_, given, detector.objective, swap) if given else phase


def _no_critic(name: str) -> InputError:
    return InputError(f"stabilisers are for the game of a critic, and {name} trains none as it is set: leave them out.")
