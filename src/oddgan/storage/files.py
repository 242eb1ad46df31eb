"""The files of a model's folder: read with limits on their size, compared with their digests, never run."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from oddgan._core.damage import brief
from oddgan._core.errors import ModelError
from oddgan._core.memory import machine_memory, show_size
from oddgan._core.paths import why_unreadable
from oddgan._core.text import shown
from oddgan._core.version import VERSION
from oddgan.storage.digest import changed, check_digests
from oddgan.storage.format_1 import read_old
from oddgan.storage.head import check_head
from oddgan.storage.json_text import LARGEST, parse

FORMAT = 2
JSON, TENSORS, OLD, MEMBER, NETWORKS = (
    "detector.json",
    "networks.safetensors",
    "estimators.skops",
    "member-",
    "networks.",
)


@dataclass(frozen=True)
class Files:
    """A model's folder as read.

    Parameters
    ----------
    head : the content of the JSON file, each key of its type.
    arrays : arrays of parts and estimators, by name.
    weights : tensors of networks, by name.
    old : what a model of format 1 holds of estimators.
    """

    head: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    weights: Mapping[str, Tensor]
    old: Mapping[str, dict[str, Any]]


def member(folder: Path, number: int) -> Path:
    """The folder of a member of an ensemble, from 1."""
    return folder / f"{MEMBER}{number}"


def own_member(folder: Path, number: int) -> Path:
    """The folder of a member, once it is known to be no link.

    Raises
    ------
    ModelError
        If it is one: a model's files lie in its folder.
    """
    path = member(folder, number)
    if path.is_symlink():
        raise ModelError(f"{path} is a link: copy the member's folder itself there.")
    return path


def others(n_members: int) -> list[str]:
    """The files beside the JSON file, whose digests it has: a member's JSON file has those of the member."""
    return [TENSORS, *(f"{MEMBER}{i + 1}/{JSON}" for i in range(n_members))]


def read_files(folder: Path, *, trust_changes: bool) -> Files:
    """Read a model's folder.

    Parameters
    ----------
    folder : where it is.
    trust_changes : whether files may be others than those that were saved.

    Raises
    ------
    ModelError
        If it is no model, is damaged, has changed, or is of a newer format.
    """
    head = _read_head(folder)
    sealed = head["format"] == FORMAT and not trust_changes
    wrong = _wrong_size(folder)
    if wrong:
        path = folder / TENSORS
        raise changed(path) if sealed else ModelError(f"{path} is damaged or cut short: {wrong}.")
    if sealed:
        for other in others(head.get("members", 0)):
            _own(folder, other)
        check_digests(folder, head, JSON, others(head.get("members", 0)))
    tensors = _read_tensors(folder / TENSORS)
    weights = {k.removeprefix(NETWORKS): v for k, v in tensors.items() if k.startswith(NETWORKS)}
    arrays = {k: v.numpy() for k, v in tensors.items() if not k.startswith(NETWORKS)}
    old = head["format"] == 1 and os.path.lexists(folder / OLD)
    return Files(head, arrays, weights, read_old(_own(folder, OLD)) if old else {})


def _own(folder: Path, name: str) -> Path:
    """The path of a model's file, once it is known to be a file, and to lie in the folder.

    Raises
    ------
    ModelError
        If it is missing, a pipe, a device or a folder, or a link leads to it from outside.
    """
    path = folder / name
    reason = why_unreadable(path)
    if reason is not None and os.path.lexists(path):
        raise ModelError(f"{path} can't be read: {reason}; expected a file.")
    if reason is not None:
        raise ModelError(f"{path.parent} lacks {path.name}: copy the whole folder.")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ModelError(f"{path} is a link to a file outside the model's folder: copy the file itself there.")
    return path


def _read_head(folder: Path) -> dict[str, Any]:
    path = folder / JSON
    if not os.path.lexists(path):
        raise ModelError(f"{folder} is not a model: it has no {JSON}. `oddgan fit ... --out FOLDER` writes one.")
    try:
        with _own(folder, JSON).open("rb") as file:
            head = parse(file.read(LARGEST + 1))
    except OSError as error:
        raise ModelError(f"{path} can't be read: {brief(error)}.") from error
    except ModelError:
        raise
    except ValueError as error:
        raise ModelError(f"{path} is damaged: {error}.") from error
    if not isinstance(head, dict) or type(head.get("format")) is not int:
        raise ModelError(f"{path} is damaged: it lacks the number of its format.")
    if head["format"] not in (1, FORMAT):
        saved = head.get("versions")
        wrote = " ".join(str(saved.get("oddgan", "?") if isinstance(saved, dict) else "?").split())[:20]
        raise ModelError(
            f"{folder} has model format {shown(head['format'])}, but this version of oddgan ({VERSION}) reads formats "
            f"1 and {FORMAT}: it was saved by oddgan {wrote}; install that or newer."
        )
    try:
        check_head(head)
    except ModelError as error:
        raise ModelError(f"{path} is damaged: {error}") from error
    return head


def _wrong_size(folder: Path) -> str:
    """In what the header of the tensors does not fit their file, looked at before all of it is read; empty if it does.

    Raises
    ------
    ModelError
        If the file can't be read, or is larger than the memory.
    """
    path = _own(folder, TENSORS)
    size = path.stat().st_size
    if size > machine_memory():
        raise ModelError(f"{path} takes {show_size(size)}, more than the memory of this machine.")
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = parse(file.read(min(length, LARGEST + 1)))
        ends = [int(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
    except OSError as error:
        raise ModelError(f"{path} can't be read: {brief(error)}.") from error
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError):
        return "its header can't be read"
    claimed = 8 + length + max(ends, default=0)
    return "" if claimed == size else f"its header claims {claimed} bytes, it has {size}"


def _read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, whose header can't name more than the file holds."""
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"{path} is damaged or cut short: {brief(error)}.") from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"{path} holds NaN or infinity in {shown(name)}.")
    return tensors
