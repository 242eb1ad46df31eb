"""Random seeds and generator states; the caller's global generators stay as they were."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from oddgan._core.errors import InputError

RandomState = int | np.integer | np.random.RandomState | None


def generator(random_state: RandomState) -> np.random.RandomState:
    """A numpy generator; None means a fresh seed from the operating system, never the global generator."""
    if isinstance(random_state, np.random.RandomState):
        return random_state
    if random_state is None:
        return np.random.RandomState(np.random.MT19937(np.random.SeedSequence()))
    if not 0 <= random_state < 2**32:
        raise InputError(f"random_state is {random_state}, but must be a whole number from 0 to {2**32 - 1}, or None.")
    return np.random.RandomState(int(random_state))


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch and numpy inside the block; their global generators are put back afterwards.

    Some of scikit-learn's estimators (OneClassSVM) draw from numpy's global generator and can't be told otherwise.
    """
    devices = [torch.cuda.current_device() if device.index is None else device.index] if device.type == "cuda" else []
    state = np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002


def device_of(networks: nn.Module) -> torch.device:
    """The device of networks; the CPU for those without tensors."""
    return next((tensor.device for tensor in networks.state_dict().values()), torch.device("cpu"))


@dataclass(frozen=True)
class Randomness:
    """The states of the random generators that training draws from.

    Parameters
    ----------
    cpu : the state of torch's generator, uint8.
    numpy : the state of numpy's, as `numpy.random.get_state` gives it.
    cuda : the state of the device's generator, uint8, if training runs on one.
    """

    cpu: Tensor
    numpy: tuple[Any, ...]
    cuda: Tensor | None = None

    @classmethod
    def now(cls, device: torch.device) -> Self:
        """The states of the global generators."""
        cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        return cls(torch.get_rng_state(), tuple(np.random.get_state()), cuda)  # noqa: NPY002

    def put(self, device: torch.device) -> None:
        """Set the global generators to these states."""
        torch.set_rng_state(self.cpu)
        np.random.set_state(self.numpy)  # noqa: NPY002
        if self.cuda is not None:
            torch.cuda.set_rng_state(self.cuda, device)
