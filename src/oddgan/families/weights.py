"""What networks hold: tensors that training finds, and weights that come from a file."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

from oddgan._core.errors import ModelError

_SLACK = 2**22  # elements that building may need beside its weights
_MADE = (torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn)


class Stored(nn.Module):
    """A tensor that training finds or draws (start points, a centre): saved and loaded with the networks."""

    value: Tensor

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.register_buffer("value", value)


@contextmanager
def no_larger_than(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Build networks that must fit stored weights: a tensor far beyond those is refused before it is made.

    Raises
    ------
    ModelError
        If more elements or more parameters are asked for than the weights can fill.
    """
    count, most = 0, 1000 + 4 * len(weights)

    def counted(module: nn.Module, name: str, parameter: Tensor | None) -> None:
        nonlocal count
        del module, name, parameter
        count += 1
        if count > most:
            raise ModelError(f"its parameters need far more than the {len(weights)} tensors that the file holds.")

    hook = register_module_parameter_registration_hook(counted)
    try:
        with _Bounded(_SLACK + 8 * sum(w.numel() for w in weights.values())):
            yield
    finally:
        hook.remove()


class _Bounded(TorchFunctionMode):
    """Refuses tensors once their elements add up to more than a limit."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.left = most

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if func in _MADE:
            size = given.get("size", args[0] if args and isinstance(args[0], tuple | list) else args)
            self.left -= math.prod(size)
        if self.left < 0:
            raise ModelError("its parameters need far larger tensors than the file holds.")
        return func(*args, **given)


def load_weights(networks: nn.ModuleDict, weights: Mapping[str, Tensor]) -> None:
    """Give the networks stored weights.

    Raises
    ------
    ModelError
        If tensors are missing, unknown, or of another shape or type.
    """
    expected = networks.state_dict()
    missing, strange = sorted(expected.keys() - weights.keys()), sorted(weights.keys() - expected.keys())
    if missing or strange:
        what = [f"lacks {', '.join(missing[:3])}"] * bool(missing) + [f"has unknown {', '.join(strange[:3])}"] * bool(
            strange
        )
        raise ModelError(f"the stored networks do not fit the parameters: the file {' and '.join(what)}.")
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            raise ModelError(
                f"the stored tensor {name} has shape {tuple(tensor.shape)}, "
                f"but these parameters need {tuple(expected[name].shape)}."
            )
        if tensor.dtype != expected[name].dtype:
            raise ModelError(f"the stored tensor {name} is of {tensor.dtype}, but must be of {expected[name].dtype}.")
    networks.load_state_dict(dict(weights))
