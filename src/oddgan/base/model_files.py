"""The files of a model's folder: read with limits on their size, compared with their digests, never run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from oddgan._core.errors import ModelError
from oddgan._core.text import shown
from oddgan._core.version import VERSION
from oddgan.base.digest import check_digests
from oddgan.base.head import check_head
from oddgan.base.json_text import LARGEST, parse
from oddgan.base.old_estimators import read_old

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
    if head["format"] == FORMAT and not trust_changes:
        check_digests(folder, head, JSON, others(head.get("members", 0)))
    tensors = _read_tensors(folder / TENSORS)
    weights = {k.removeprefix(NETWORKS): v for k, v in tensors.items() if k.startswith(NETWORKS)}
    arrays = {k: v.numpy() for k, v in tensors.items() if not k.startswith(NETWORKS)}
    path = folder / OLD
    return Files(head, arrays, weights, read_old(path) if head["format"] == 1 and path.is_file() else {})


def _read_head(folder: Path) -> dict[str, Any]:
    path = folder / JSON
    if not path.is_file():
        raise ModelError(f"{folder} is not a model: it has no {JSON}. `oddgan fit ... --out FOLDER` writes one.")
    try:
        with path.open("rb") as file:
            head = parse(file.read(LARGEST + 1))
    except (ValueError, OSError) as error:
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


def _read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, whose header can't name more than the file holds."""
    if not path.is_file():
        raise ModelError(f"{path.parent} lacks {path.name}: copy the whole folder.")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"{path} is damaged or cut short: {' '.join(str(error).split())[:200]}.") from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"{path} holds NaN or infinity in {shown(name)}.")
    return tensors
