"""A detector's networks: trained weights, copies prepared for scoring, tensors that training finds, loading."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

from oddgan._core.errors import InputError, ModelError
from oddgan.networks import prepare

_SLACK = 2**22  # elements that building may need beside its weights
_MADE = (torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn)
_Mark = tuple[tuple[int, int], ...]


def checked(networks: object, owner: str) -> dict[str, nn.Module]:
    """What a method's `_networks` gives; InputError unless it is modules by name."""
    if isinstance(networks, dict) and all(isinstance(network, nn.Module) for network in networks.values()):
        return networks
    raise InputError(f"`_networks` of {owner} must give modules by name; what training finds is a `Stored`.")


class Networks(nn.ModuleDict):
    """Networks by name: the trained truth. Copies for scoring are made when they are first asked for.

    A copy is made anew once its network is another one, or its weights have changed in place (writing to a tensor's
    `.data` can't be noticed). Copies are not part of the state dict, which is all that is stored.
    """

    def __init__(self, networks: dict[str, nn.Module]) -> None:
        super().__init__(networks)
        self.same_bits: dict[tuple[object, ...], bool] = {}  # whether large passes change no bit, see `base.scoring`
        self._copies: dict[tuple[str, torch.dtype], tuple[nn.Module, list[Tensor], _Mark, nn.Module]] = {}

    def __getitem__(self, key: str) -> nn.Module:
        if key not in self:
            raise InputError(f"There is no network {key!r}: `_networks` gives {', '.join(self)}.")
        return super().__getitem__(key)

    def prepared(self, name: str, dtype: torch.dtype | None = None) -> nn.Module:
        """Return a network's frozen copy that computes the same faster, see `oddgan.networks.prepare`.

        Parameters
        ----------
        name : which network.
        dtype : what to compute in; None takes that of the weights.
        """
        network = self[name]
        wanted = dtype or next((p.dtype for p in network.parameters()), torch.float32)
        held = self._copies.get((name, wanted))
        if held is not None and held[0] is network and held[2] == _mark(held[1]):
            return held[3]
        tensors = list(chain(network.parameters(), network.buffers()))
        with torch.inference_mode(mode=False):  # a search may want gradients later
            copy = prepare(network, dtype=wanted)
        self._copies[name, wanted] = network, tensors, _mark(tensors), copy
        return copy

    def lay_out(self, layout: torch.memory_format) -> None:
        """Store the weights of convolutions on images channels-last, or contiguous as state dicts need them.

        Convolutions whose weights are channels-last make such maps and need not convert them; results differ by
        rounding.
        """
        for weight in self.parameters():
            if weight.ndim == 4:
                weight.data = torch.empty_like(weight, memory_format=layout).copy_(weight.detach())

    def copies(self) -> dict[tuple[str, torch.dtype], nn.Module]:
        """Return the copies that there are, by the name of the network and what they compute in."""
        return {key: held[3] for key, held in self._copies.items()}


def _mark(tensors: list[Tensor]) -> _Mark:
    """Return what changes when a tensor is written to or gets other memory."""
    return tuple((tensor.data_ptr(), tensor._version) for tensor in tensors)


class Stored(nn.Module):
    """A tensor that training finds or draws (start points, a centre): saved and loaded with the networks."""

    value: Tensor

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.register_buffer("value", value)


@contextmanager
def no_larger_than(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Build networks that must fit stored weights (...): a tensor far beyond those is refused before it is made.

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
    """Load stored weights (...), by name, into networks.

    Raises
    ------
    ModelError
        If tensors are missing, unknown, or of another shape or type.
    """
    expected = networks.state_dict()
    missing, strange = sorted(expected.keys() - weights.keys()), sorted(weights.keys() - expected.keys())
    if missing or strange:
        found = {"lacks": missing[:3], "has unknown": strange[:3]}
        what = " and ".join(f"{verb} {', '.join(names)}" for verb, names in found.items() if names)
        raise ModelError(f"the stored networks do not fit the parameters: the file {what}.")
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            raise ModelError(
                f"the stored tensor {name} has shape {tuple(tensor.shape)}, "
                f"but these parameters need {tuple(expected[name].shape)}."
            )
        if tensor.dtype != expected[name].dtype:
            raise ModelError(f"the stored tensor {name} is of {tensor.dtype}, but must be of {expected[name].dtype}.")
    networks.load_state_dict(dict(weights))
