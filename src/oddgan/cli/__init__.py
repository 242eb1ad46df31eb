"""The command `oddgan`: thin commands over `tasks` and `report`. Importing it loads no torch."""

from oddgan.cli.main import main

__all__ = ["main"]
