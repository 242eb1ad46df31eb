"""Models on disk: `detector.json` for plain values, `networks.safetensors` for arrays and weights.

Nothing is pickled; nothing in a file can cause an import. Whatever is read is checked before it is used. Models of
format 1 have scikit-learn estimators in a file of their own, `estimators.skops`; it is read by `old_estimators`.
"""

import json
import platform
from collections import ChainMap
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import sklearn
import torch
from safetensors.torch import save as dump

from oddgan import inversion, networks, objectives, priors, scaling, scores, similarities, thresholds, training
from oddgan._core.damage import brief
from oddgan._core.errors import InputError, ModelError, OddganError
from oddgan._core.files import new_folder
from oddgan._core.parts import check_arguments, from_spec, to_spec
from oddgan._core.text import shown
from oddgan._core.version import VERSION
from oddgan.inputs.device import usable_device
from oddgan.parameters.limits import MOST_MEMBERS
from oddgan.storage.digest import KEY, digests
from oddgan.storage.estimators import to_values
from oddgan.storage.files import FORMAT, JSON, NETWORKS, TENSORS, Files, member, others, own_member, read_files
from oddgan.storage.fitted import check_calibration, check_state
from oddgan.storage.head import DEEPEST, FITTED, check_fitted_types, check_head

if TYPE_CHECKING:
    from oddgan.base.detector import Detector


def known_parts() -> dict[str, type]:
    """The parts that a model file may name, by name: frozen dataclasses, not callbacks or sources of rows."""
    folders = (inversion, networks, objectives, priors, scaling, scores, similarities, thresholds, training)
    found = {name: getattr(folder, name) for folder in folders for name in folder.__all__}
    return {name: value for name, value in found.items() if isinstance(value, type) and _is_frozen(value)}


def _is_frozen(cls: type) -> bool:
    made = getattr(cls, "__dataclass_params__", None)
    return made is not None and bool(made.frozen)


def save(detector: "Detector", path: str | Path, *, force: bool) -> Path:
    """Write a fitted detector to a new folder, whole or not at all."""
    target = Path(path)
    with new_folder(target, force=force) as folder:
        _write(detector, folder)
    return target


def _write(detector: "Detector", folder: Path) -> None:
    """Fill a model's folder; the members of an ensemble are models in folders of their own."""
    arrays: dict[str, np.ndarray] = {}
    parameters = {k: to_spec(v, arrays, f"parameters.{k}") for k, v in stored_parameters(detector).items()}
    fitted = {
        k: to_spec(_plain(v), arrays, f"fitted.{k}") for k in FITTED if (v := getattr(detector, k, None)) is not None
    }
    head = {
        "format": FORMAT,
        "class": type(detector).__name__,
        "parameters": parameters,
        "fitted": fitted,
        "history": [asdict(record) for record in getattr(detector, "history_", [])],
        "estimators": {
            name: {k: to_spec(v, arrays, f"estimators.{name}.{k}") for k, v in to_values(name, estimator).items()}
            for name, estimator in getattr(detector, "estimators_", {}).items()
        },
        "members": len(getattr(detector, "members_", ())),
        "card": asdict(type(detector).card),
        "versions": versions(),
    }
    tensors = {k: torch.from_numpy(np.array(v, order="C")) for k, v in arrays.items()}
    if hasattr(detector, "networks_"):
        tensors |= {NETWORKS + k: v.cpu().contiguous().clone() for k, v in detector.networks_.state_dict().items()}
    (folder / TENSORS).write_bytes(dump(tensors))  # its own writer hides why the disk refused
    members = getattr(detector, "members_", ())
    for i, one in enumerate(members, start=1):
        member(folder, i).mkdir()
        _write(one, member(folder, i))
    head[KEY] = digests(folder, head, JSON, others(len(members)))
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


def stored_parameters(detector: "Detector") -> dict[str, Any]:
    """The hyperparameters as a model keeps them."""
    given: dict[str, Any] = detector.get_params(deep=False)
    if isinstance(given["random_state"], np.random.RandomState):
        given = given | {"random_state": None}  # a generator has moved on: its seed can't be told any more
    return given | {"device": None}


def _plain(value: Any) -> Any:
    """Column names as a list: object arrays have no place in a tensor file."""
    return value.tolist() if isinstance(value, np.ndarray) and value.dtype == object else value


def load(
    path: str | Path,
    classes: Mapping[str, type["Detector"]],
    *,
    device: str | None = None,
    trust_changes: bool = False,
) -> "Detector":
    """Read a detector that `save` wrote.

    Parameters
    ----------
    path : the model's folder.
    classes : the detector classes that may be loaded, by name.
    device : where to compute from now on; None is torch's default device.
    trust_changes : whether files may have changed since they were saved; what they hold is checked all the same.

    Raises
    ------
    InputError
        If this machine has no such device.
    ModelError
        If the folder is no model, is damaged, has changed, is newer, or of an unknown class.
    """
    usable_device(device)
    return _Loader(classes, device, trust_changes=trust_changes).load(Path(path))


class _Loader:
    """Reads a model, and the members of an ensemble, which are models themselves."""

    def __init__(self, classes: Mapping[str, type["Detector"]], device: str | None, *, trust_changes: bool) -> None:
        self.classes, self.device, self.trust_changes, self.left = classes, device, trust_changes, MOST_MEMBERS
        self.known = ChainMap(known_parts(), cast(MutableMapping[str, type], classes))

    def load(self, folder: Path, level: int = 0) -> "Detector":
        """The detector in a folder; members lie below it."""
        files = read_files(folder, trust_changes=self.trust_changes)
        name = files.head["class"]
        if name not in self.classes:
            known = ", ".join(sorted(self.classes))
            raise ModelError(f"{folder} holds a {shown(name)}, which is not known here. Known: {known}.")
        n_members = files.head.get("members", 0)
        self.left -= n_members
        if self.left < 0 or (n_members and level == DEEPEST):
            raise ModelError(f"{folder} has more than {MOST_MEMBERS} members, or members in {DEEPEST} levels.")
        members = [self.load(own_member(folder, i + 1), level + 1) for i in range(n_members)]
        try:
            return self._assemble(files, members)
        except Exception as error:  # whatever a file may hold: it is the file's fault, in one sentence
            raise ModelError(f"{folder} can't be loaded as {name}: {_sentence(error)}") from error

    def _assemble(self, files: Files, members: list["Detector"]) -> "Detector":
        head, arrays = files.head, dict(files.arrays)
        cls = self.classes[head["class"]]
        parameters = {k: from_spec(v, self.known, arrays) for k, v in head["parameters"].items()}
        takes = cls._get_param_names()
        if strange := sorted(parameters.keys() - set(takes)):
            unknown = ", ".join(map(shown, strange[:3]))
            raise ModelError(f"it has unknown parameters {unknown}; {cls.__name__} takes {', '.join(takes)}.")
        check_arguments(cls, parameters)
        detector = cls(**parameters | {"device": self.device})
        fitted = {k: from_spec(v, self.known, arrays) for k, v in head["fitted"].items()}
        check_fitted_types(fitted)
        for name, value in fitted.items():
            setattr(detector, name, value)
        if hasattr(detector, "feature_names_in_"):
            detector.feature_names_in_ = np.array(detector.feature_names_in_, dtype=object)
        for record in head["history"]:
            check_arguments(training.EpochRecord, record)
        detector.history_ = [training.EpochRecord(**record) for record in head["history"]]
        check_state(detector)
        detector._take_members(members)
        stored = {k: from_spec(v, self.known, arrays) for k, v in head.get("estimators", {}).items()}
        detector._restore(files.weights, stored | dict(files.old))
        check_calibration(detector)
        return detector


def _sentence(error: Exception) -> str:
    """What went wrong while a model was put together, in one line."""
    if isinstance(error, OddganError):
        return str(error)
    return f"its values do not fit each other ({type(error).__name__}: {brief(error)})."
