"""Checks of copies: saved and loaded, and deep."""

import copy
import json

import numpy as np

from oddgan._core.parts import to_spec
from oddgan.base import Detector, Kind
from oddgan.families import EnsembleDetector
from oddgan.testing.checks import check, every_kind, require, require_same
from oddgan.testing.subject import Subject, normals, observe


def settings_of(detector: Detector) -> dict[str, object]:
    """The hyperparameters as a model stores them."""
    return {name: to_spec(value, {}, name) for name, value in detector.get_params(deep=False).items()}


@check(every_kind)
def loading_gives_an_equal_detector(subject: Subject, kind: Kind) -> None:
    """A model that is saved and loaded, twice, is equal to the last bit, in settings, scores and threshold."""
    detector, X = subject.fitted(kind).set_threshold(rate=0.3), normals(kind, 9, seed=1)
    expected = observe(detector, X)
    with subject.stored(detector) as folder:
        again = subject.load(folder)
    require(type(again) is subject.cls, f"It is loaded as a {type(again).__name__}.")
    require(settings_of(again) == settings_of(detector), "The parameters differ.")
    require_same(observe(detector, X), expected, "After saving")
    _require_nothing_lost(detector, again, X)
    require_same(observe(again, X), expected, "After loading")
    for name in ("rate_", "threshold_rule_", "shape_", "history_", "n_features_in_"):
        require(getattr(again, name, []) == getattr(detector, name, []), f"{name} differs.")
    require(again.set_threshold().threshold_ == detector.set_threshold().threshold_, "The default threshold differs.")
    again.set_threshold(rate=0.3)
    with subject.stored(again) as folder:
        require_same(observe(subject.load(folder), X), expected, "Saved and loaded once more")


def _require_nothing_lost(detector: Detector, again: Detector, X: np.ndarray) -> None:
    """Name the attributes that loading loses, if the scores miss them."""
    kept = vars(again).keys() | {"calibration_rows_"}
    lost = ", ".join(sorted(name for name, value in vars(detector).items() if value is not None and name not in kept))
    try:
        same = np.array_equal(again.anomaly_score(X), detector.anomaly_score(X))
    except AttributeError:
        same = False
    require(same or not lost, f"Loading loses {lost}: what `fit` learns is an array in `learned_`, or a `Stored`.")


@check()
def model_is_plain_files(subject: Subject, kind: Kind) -> None:
    """A model is one JSON file with class, card and parameters, and one of tensors."""
    with subject.stored(subject.fitted(kind)) as folder:
        files = {path.name for path in folder.iterdir() if not path.is_dir()}
        folders = [path.name for path in folder.iterdir() if path.is_dir()]
        head = json.loads((folder / "detector.json").read_text(encoding="utf-8"))
    require(files == {"detector.json", "networks.safetensors"}, f"It holds {sorted(files)}.")
    require(not folders or issubclass(subject.cls, EnsembleDetector), f"It holds the folders {folders}.")
    require(head["class"] == subject.cls.__name__ and head["card"]["title"] == subject.cls.card.title, "Another card.")
    require(head["parameters"].keys() == subject.make().get_params(deep=False).keys(), "Not all parameters.")


@check(every_kind)
def copies_are_equal_and_independent(subject: Subject, kind: Kind) -> None:
    """A deep copy is equal to the last bit, and fitting it again leaves the original alone."""
    detector, X = subject.fitted(kind), normals(kind, 9, seed=1)
    twin = copy.deepcopy(detector)
    require_same(observe(twin, X), subject.seen(kind), "The copy")
    twin.fit(normals(kind, 24, seed=3))
    require_same(observe(detector, X), subject.seen(kind), "The original")
