"""The command `oddgan`: thin commands over `experiments` and `report`. Importing it loads no torch."""

from oddgan.cli.main import main

__all__ = ["main"]
