"""Models on disk: `detector.json` for plain values, `networks.safetensors` for arrays and weights.

Nothing is pickled; nothing in a file can cause an import. Models of format 1 have scikit-learn estimators in a file of
their own, `estimators.skops`; it is read by `old_estimators`.
"""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import sklearn
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as dump
from torch import Tensor

from oddgan import inversion, networks, objectives, priors, scaling, scores, similarities, thresholds, training
from oddgan._core.errors import InputError, ModelError
from oddgan._core.files import new_folder
from oddgan._core.parts import from_spec, to_spec
from oddgan._core.version import VERSION
from oddgan.base.estimators import Values, to_values
from oddgan.base.old_estimators import read_old

if TYPE_CHECKING:
    from oddgan.base.detector import Detector

FORMAT = 2
_JSON, _TENSORS, _ESTIMATORS = "detector.json", "networks.safetensors", "estimators.skops"
_MEMBER = "member-"
# Fitted attributes that are written as JSON (parts included); arrays among them go to the tensors. All models have the
# first ones.
_ALWAYS = (
    "shape_", "offset_", "held_out_", "rate_", "threshold_rule_", "scaling_", "composition_", "threshold_tuned_",
    "calibration_scores_", "calibration_components_",
)  # fmt: skip
_FITTED = (
    *_ALWAYS,
    "n_features_in_",
    "feature_names_in_",
    "reading_",
    "budgeted_",
    "similarities_",
    "privacy_",
    "selection_labelled_",
)


def known_parts() -> dict[str, type]:
    """The parts that a model file may name, by name: frozen dataclasses, not callbacks or sources of rows."""
    folders = (inversion, networks, objectives, priors, scaling, scores, similarities, thresholds, training)
    found = {name: getattr(folder, name) for folder in folders for name in folder.__all__}
    return {name: value for name, value in found.items() if isinstance(value, type) and _is_frozen(value)}


def _is_frozen(cls: type) -> bool:
    made = getattr(cls, "__dataclass_params__", None)
    return made is not None and bool(made.frozen)


@dataclass(frozen=True)
class _Files:
    """A model folder as read."""

    head: dict[str, Any]
    tensors: dict[str, Tensor]
    old: Mapping[str, Values]


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
        k: to_spec(_plain(v), arrays, f"fitted.{k}") for k in _FITTED if (v := getattr(detector, k, None)) is not None
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
        tensors |= {f"networks.{k}": v.cpu().contiguous().clone() for k, v in detector.networks_.state_dict().items()}
    (folder / _JSON).write_text(json.dumps(head, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    (folder / _TENSORS).write_bytes(dump(tensors))  # its own writer hides why the disk refused
    for i, member in enumerate(getattr(detector, "members_", ()), start=1):
        place = folder / f"{_MEMBER}{i}"
        place.mkdir()
        _write(member, place)


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


def load(path: str | Path, classes: Mapping[str, type["Detector"]], *, device: str | None = None) -> "Detector":
    """Read a detector that `save` wrote.

    Parameters
    ----------
    path : the model's folder.
    classes : the detector classes that may be loaded, by name.
    device : where to compute from now on; None is torch's default device.

    Raises
    ------
    ModelError
        If the folder is no model, is damaged, newer, or of an unknown class.
    """
    folder = Path(path)
    files = _read(folder)
    name = files.head["class"]
    if name not in classes:
        raise ModelError(f"{folder} holds a {name!r}, which is not known here. Known: {', '.join(sorted(classes))}.")
    try:
        detector = _assemble(files, classes, device)
    except (ModelError, InputError, AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        text = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(f"{folder} can't be loaded as {name}: {text}") from error
    n_members = files.head.get("members", 0)
    if n_members:
        places = [folder / f"{_MEMBER}{i + 1}" for i in range(n_members)]
        cast(Any, detector).members_ = tuple(load(place, classes, device=device) for place in places)
    return detector


def _read(folder: Path) -> _Files:
    if not (folder / _JSON).is_file():
        raise ModelError(f"{folder} is not a model: it has no {_JSON}. `oddgan fit ... --out FOLDER` writes one.")
    try:
        head = json.loads((folder / _JSON).read_text(encoding="utf-8"))
        found, name = head["format"], head["class"]
        del name
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / _JSON} is damaged: {error}.") from error
    if found not in (1, FORMAT):
        raise ModelError(
            f"{folder} has model format {found}, but this version of oddgan ({VERSION}) reads formats 1 and {FORMAT}: "
            f"it was saved by oddgan {head.get('versions', {}).get('oddgan', '?')}; install that or newer."
        )
    try:
        tensors = load_file(folder / _TENSORS)
    except FileNotFoundError as error:
        raise ModelError(f"{folder} lacks {_TENSORS}: copy the whole folder.") from error
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{folder / _TENSORS} is damaged or cut short: {error}.") from error
    path = folder / _ESTIMATORS
    return _Files(head, tensors, read_old(path) if found == 1 and path.is_file() else {})


def _assemble(files: _Files, classes: Mapping[str, type["Detector"]], device: str | None) -> "Detector":
    head, known = files.head, known_parts() | dict(classes)
    cls = classes[head["class"]]
    arrays = {k: v.numpy() for k, v in files.tensors.items() if not k.startswith("networks.")}
    parameters = {k: from_spec(v, known, arrays) for k, v in head["parameters"].items()}
    takes = cls._get_param_names()
    strange = sorted(parameters.keys() - set(takes))
    if strange:
        raise ModelError(f"it has unknown parameters {', '.join(strange)}; {cls.__name__} takes {', '.join(takes)}.")
    detector = cls(**parameters | {"device": device})
    missing = [name for name in _ALWAYS if name not in head["fitted"]]
    if missing:
        raise ModelError(f"it lacks {', '.join(missing)}.")
    for name in _FITTED:
        if name in head["fitted"]:
            setattr(detector, name, from_spec(head["fitted"][name], known, arrays))
    if hasattr(detector, "feature_names_in_"):
        detector.feature_names_in_ = np.array(detector.feature_names_in_, dtype=object)
    detector.history_ = [training.EpochRecord(**record) for record in head["history"]]
    weights = {k.removeprefix("networks."): v for k, v in files.tensors.items() if k.startswith("networks.")}
    stored = {k: from_spec(v, known, arrays) for k, v in head.get("estimators", {}).items()}
    detector._restore(weights, stored | dict(files.old))
    return detector
