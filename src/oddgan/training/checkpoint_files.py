"""The files of a checkpoint: JSON and safetensors, with a digest over both."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from oddgan._core.errors import InputError
from oddgan._core.files import new_folder
from oddgan.training.seeds import Randomness

_STATE, _TENSORS = "state.json", "tensors.safetensors"


def write_snapshot(
    target: Path, key: list[str], head: Mapping[str, Any], tensors: Mapping[str, Tensor], *, durable: bool = True
) -> None:
    """Write a checkpoint with tensors of any shape, whole or not at all.

    Parameters
    ----------
    target : its folder; one that exists is replaced.
    key : what it belongs to.
    head : what JSON can hold.
    tensors : tensors of any shape by name.
    durable : wait until the disk has it.
    """
    content = save({k: v.detach().cpu().clone().contiguous() for k, v in tensors.items()})
    text = json.dumps(dict(head) | {"digest": digest([key, head], content)})
    with new_folder(target, force=True, durable=durable) as folder:
        (folder / _STATE).write_text(text + "\n", encoding="utf-8")
        (folder / _TENSORS).write_bytes(content)


def read_snapshot(folder: Path, key: list[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a checkpoint: what JSON held, and tensors of any shape by name.

    Parameters
    ----------
    folder : where it is.
    key : what it belongs to.

    Raises
    ------
    InputError
        If anything in it is not as it was written, or was written for another key.
    """
    damaged = f"The checkpoint {folder} is damaged: remove it, and training goes on from before."
    try:
        head, content = read_json(folder / _STATE), (folder / _TENSORS).read_bytes()
        if head.pop("digest", None) != digest([key, head], content):
            raise InputError(damaged)
        return head, load(content)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(damaged) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read an object from a JSON file.

    Raises
    ------
    InputError
        If it is damaged.
    """
    try:
        found = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, OSError, RecursionError) as error:
        raise InputError(f"{path} is damaged: remove its folder to start anew.") from error
    return found


def digest(values: Any, tensors: bytes = b"") -> str:
    """The digest of what JSON can hold, whatever its layout, and of further bytes."""
    found = hashlib.sha256(json.dumps(json.loads(json.dumps(values)), sort_keys=True).encode())
    found.update(b"\0")
    found.update(tensors)
    return found.hexdigest()


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors, of any shape, whose names begin with a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimiser's state as tensors of any shape, by name."""
    memory = optimiser.state_dict()["state"]
    return {f"{i}.{k}": torch.as_tensor(v) for i, held in memory.items() for k, v in held.items() if v is not None}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Restore an optimiser's state from tensors of any shape, by name."""
    memory: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, key = name.partition(".")
        memory.setdefault(int(number), {})[key] = tensor
    optimiser.load_state_dict({"state": memory, "param_groups": optimiser.state_dict()["param_groups"]})


def note_randomness(name: str, found: Randomness, head: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Add the state of the random generators to a checkpoint's head and tensors (k,)."""
    head[f"{name}_numpy"] = numpy_json(found.numpy)
    tensors[f"random.{name}.torch"] = found.cpu
    if found.cuda is not None:
        tensors[f"random.{name}.cuda"] = found.cuda


def randomness(head: Mapping[str, Any], tensors: Mapping[str, Tensor], name: str) -> Randomness:
    """The state of the random generators from a checkpoint's head and tensors (k,)."""
    cuda = tensors.get(f"random.{name}.cuda")
    return Randomness(tensors[f"random.{name}.torch"], numpy_state(head[f"{name}_numpy"]), cuda)


def numpy_json(state: tuple[Any, ...]) -> list[Any]:
    """The state of numpy's generator as JSON."""
    kind, keys, *rest = state
    return [kind, np.asarray(keys).tolist(), *rest]


def numpy_state(stored: list[Any]) -> tuple[Any, ...]:
    """The same from JSON."""
    kind, keys, *rest = stored
    return (kind, np.array(keys, dtype=np.uint32), *rest)
