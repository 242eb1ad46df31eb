"""What is put behind a network to make it a generator."""

from torch import Tensor, nn


class FirstChannels(nn.Module):
    """Keep the first channels, or columns: of a decoder that gives mean and log variance, the mean.

    Parameters
    ----------
    count : how many, at least 1.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, ...) to (n, count, ...)."""
        return x[:, : self.count]
