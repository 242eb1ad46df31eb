"""Randomness that comes from one seed and leaves the caller's generators as they were."""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

RandomState = int | np.integer | np.random.RandomState | None


def generator(random_state: RandomState) -> np.random.RandomState:
    """A numpy generator; None means a fresh seed from the operating system, never the global generator."""
    if isinstance(random_state, np.random.RandomState):
        return random_state
    if random_state is None:
        return np.random.RandomState(np.random.MT19937(np.random.SeedSequence()))
    return np.random.RandomState(int(random_state))


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block; its global generators are put back afterwards."""
    devices = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
