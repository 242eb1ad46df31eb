"""Optional dependencies: imported when first needed, with an error that names the extra."""

import importlib
from typing import Any

from oddgan._core.errors import MissingExtraError


def load_extra(module: str, extra: str) -> Any:
    """Import `module`, which the extra `extra` brings.

    Raises
    ------
    MissingExtraError
        If it is not installed; the message gives the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"This needs {module.partition('.')[0]}, which is not installed: pip install 'oddgan[{extra}]'."
        ) from error
