"""What a detector may be able to do beyond scoring: a method has the hook or it does not."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Reconstructs(Protocol):
    """Draws a sample again as the model knows it."""

    def _reconstruct(self, x: Tensor) -> Tensor:
        """Network input (n, ...) to reconstructions (n, ...)."""
        ...


@runtime_checkable
class Encodes(Protocol):
    """Finds a sample's latent code."""

    def _encode(self, x: Tensor) -> Tensor:
        """Network input (n, ...) to codes (n, m)."""
        ...


@runtime_checkable
class Samples(Protocol):
    """Draws new samples."""

    def _sample(self, n: int) -> Tensor:
        """Draw n samples (n, ...) as network input."""
        ...
