"""Models on disk: `detector.json` for plain values, `networks.safetensors` for arrays and weights.

Nothing is pickled; nothing in a file can cause an import of more than a detector that an installed package registers.
"""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import sklearn
import torch
from safetensors.torch import save as dump

from oddgan._core.annotations import fits
from oddgan._core.card import Card
from oddgan._core.errors import InputError, ModelError
from oddgan._core.files import new_folder
from oddgan._core.parts import to_spec
from oddgan._core.version import VERSION
from oddgan.storage.classes import check_names
from oddgan.storage.digest import KEY, digests
from oddgan.storage.estimators import to_values
from oddgan.storage.files import FORMAT, JSON, NETWORKS, TENSORS, member, others
from oddgan.storage.head import FITTED, check_head
from oddgan.training import EpochRecord


@dataclass(frozen=True)
class Model:
    """What a model folder holds of a fitted detector.

    Parameters
    ----------
    name : the detector's class.
    card : where the method comes from.
    parameters : the hyperparameters by name.
    fitted : fitted attributes by name, see `head.FITTED`.
    history : one record an epoch.
    estimators : scikit-learn estimators by name.
    weights : the networks' tensors by name.
    members : the members of an ensemble.
    """

    name: str
    card: Card
    parameters: Mapping[str, Any]
    fitted: Mapping[str, Any]
    history: Sequence[EpochRecord]
    estimators: Mapping[str, Any]
    weights: Mapping[str, torch.Tensor]
    members: tuple["Model", ...] = ()


class Parameterised(Protocol):
    """An estimator with hyperparameters by name."""

    def get_params(self, deep: bool = ...) -> dict[str, Any]: ...  # noqa: D102


class Storable(Parameterised, Protocol):
    """A fitted detector."""

    @property
    def card(self) -> Card: ...  # noqa: D102


def model_of(detector: Storable) -> Model:
    """What a model folder holds of a fitted detector."""
    networks, parameters = getattr(detector, "networks_", None), stored_parameters(detector)
    fitted = {name: getattr(detector, name, None) for name in FITTED}
    if not fits(fitted["learned_"] or {}, FITTED["learned_"]):
        raise InputError(f"learned_ of {type(detector).__name__} must be a dictionary of arrays, with texts as keys.")
    check_names(type(detector), parameters | fitted)
    return Model(
        name=type(detector).__name__,
        card=detector.card,
        parameters=parameters,
        fitted=fitted,
        history=getattr(detector, "history_", ()),
        estimators=getattr(detector, "estimators_", {}),
        weights={} if networks is None else networks.state_dict(),
        members=tuple(map(model_of, getattr(detector, "members_", ()))),
    )


def save_model(model: Model, path: str | Path, *, force: bool) -> Path:
    """Write a model to a new folder, whole or not at all."""
    target = Path(path)
    with new_folder(target, force=force) as folder:
        _write(model, folder)
    return target


def _write(model: Model, folder: Path) -> None:
    """Fill a model's folder; the members of an ensemble are models in folders of their own."""
    arrays: dict[str, np.ndarray] = {}
    fitted = {k: v for k, v in model.fitted.items() if v is not None}
    head = {
        "format": FORMAT,
        "class": model.name,
        "parameters": {k: to_spec(v, arrays, f"parameters.{k}") for k, v in model.parameters.items()},
        "fitted": {k: to_spec(_plain(v), arrays, f"fitted.{k}") for k, v in fitted.items()},
        "history": [asdict(record) for record in model.history],
        "estimators": {
            name: {k: to_spec(v, arrays, f"estimators.{name}.{k}") for k, v in to_values(name, estimator).items()}
            for name, estimator in model.estimators.items()
        },
        "members": len(model.members),
        "card": asdict(model.card),
        "versions": versions(),
    }
    tensors = {k: torch.from_numpy(np.array(v, order="C")) for k, v in arrays.items()}
    tensors |= {NETWORKS + k: v.cpu().contiguous().clone() for k, v in model.weights.items()}
    (folder / TENSORS).write_bytes(dump(tensors))  # its own writer hides why the disk refused
    for i, one in enumerate(model.members, start=1):
        member(folder, i).mkdir()
        _write(one, member(folder, i))
    head[KEY] = digests(folder, head, JSON, others(len(model.members)))
    try:
        check_head(head)  # what is written can be read again
    except ModelError as error:
        raise InputError(f"This detector can't be saved: {error}") from error
    (folder / JSON).write_text(json.dumps(head, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """What the model was made with."""
    return {
        "oddgan": VERSION,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
    }


def stored_parameters(estimator: Parameterised) -> dict[str, Any]:
    """The hyperparameters as a model keeps them."""
    given: dict[str, Any] = estimator.get_params(deep=False)
    if isinstance(given["random_state"], np.random.RandomState):
        given = given | {"random_state": None}  # a generator has moved on: its seed can't be told any more
    return given | {"device": None}


def _plain(value: Any) -> Any:
    """Column names as a list: object arrays have no place in a tensor file."""
    return value.tolist() if isinstance(value, np.ndarray) and value.dtype == object else value
