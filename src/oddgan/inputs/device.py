"""The device that a detector computes on."""

import torch

from oddgan._core.errors import InputError
from oddgan._core.text import texts_if


def usable_device(name: str | torch.device | None) -> torch.device:
    """The device of that name, which has been tried.

    Parameters
    ----------
    name : e.g. "cpu", "cuda", "cuda:1" or "mps"; None takes torch's default device.

    Raises
    ------
    InputError
        If torch knows no such device, or this machine has none.
    """
    if name is None:
        return torch.get_default_device()
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise InputError(
            f"There is no device {str(name)!r}: choose cpu, cuda, cuda:0 (a number per GPU) or mps."
        ) from error
    try:
        if device.type == "cpu" and not device.index:
            return device
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(
            f"This machine has no device {str(device)!r} that torch can use; it has {_present()}."
        ) from error
    return device


def _present() -> str:
    """The devices of this machine, in words."""
    graphics = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    return ", ".join(["cpu", *graphics, *texts_if((torch.backends.mps.is_available(), "mps"))])
