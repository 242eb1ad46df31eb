"""Loading: from a model's folder to a detector. Whatever is read is checked before it is used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from oddgan import training
from oddgan._core.damage import brief
from oddgan._core.errors import ModelError, OddganError
from oddgan._core.parts import check_arguments, current_names, from_spec
from oddgan._core.text import shown
from oddgan.base.calibration import Calibration
from oddgan.base.checks import check_calibration, check_loaded
from oddgan.base.components import Derived
from oddgan.base.detector import Detector
from oddgan.inputs.device import usable_device
from oddgan.parameters.limits import MOST_MEMBERS
from oddgan.storage import Known
from oddgan.storage.files import Files, own_member, read_files
from oddgan.storage.head import DEEPEST, check_fitted_types
from oddgan.training import many

# What a model file calls the fields of a calibration.
_CALIBRATION = {
    "calibration_components_": "components",
    "composition_": "composition",
    "held_out_": "held_out",
    "calibration_scores_": "scores",
    "threshold_rule_": "rule",
    "rate_": "rate",
    "offset_": "offset",
    "threshold_tuned_": "tuned",
}


def load(
    path: str | Path,
    known: Known,
    *,
    device: str | None = None,
    trust_changes: bool = False,
    generator: object = None,
) -> Detector:
    """Read a detector that `save` wrote.

    Parameters
    ----------
    path : the model's folder.
    known : the classes that may be loaded.
    device : where to compute from now on; None is torch's default device.
    trust_changes : whether files may have changed since they were saved; what they hold is checked all the same.
    generator : the module that the model was made around, where its user brought one.

    Raises
    ------
    InputError
        If this machine has no such device.
    ModelError
        If the folder is no model, is damaged, has changed, is newer, or of an unknown class.
    """
    usable_device(device)
    return _Loader(known, device, generator, trust_changes=trust_changes).load(Path(path))


class _Loader:
    """Reads a model, and the members of an ensemble, which are models themselves."""

    def __init__(self, known: Known, device: str | None, generator: object, *, trust_changes: bool) -> None:
        self.generator = generator
        self.known, self.device, self.trust_changes, self.left = known, device, trust_changes, MOST_MEMBERS

    def load(self, folder: Path, level: int = 0) -> Detector:
        """The detector in a folder; members lie below it."""
        files = read_files(folder, trust_changes=self.trust_changes)
        name = files.head["class"]
        if name not in self.known.detectors:
            known = ", ".join(sorted(self.known.detectors))
            advice = "if it is yours, name its class in classes=(...,)"
            raise ModelError(f"{folder} holds a {shown(name)}, which is not known here: {advice}. Known: {known}.")
        n_members = files.head.get("members", 0)
        self.left -= n_members
        if self.left < 0 or (n_members and level == DEEPEST):
            raise ModelError(f"{folder} has more than {MOST_MEMBERS} members, or members in {DEEPEST} levels.")
        members = [self.load(own_member(folder, i + 1), level + 1) for i in range(n_members)]
        try:
            return self._assemble(files, members, self.generator if level == 0 else None)
        except Exception as error:  # whatever a file may hold: it is the file's fault, in one sentence
            raise ModelError(f"{folder} can't be loaded as {name}: {_sentence(error)}") from error

    def _assemble(self, files: Files, members: list[Detector], generator: object) -> Detector:
        head, arrays = files.head, dict(files.arrays)
        known = self.known.named_in(head)
        cls: type[Detector] = self.known.detectors[head["class"]]
        parameters = current_names(cls, {k: from_spec(v, known, arrays) for k, v in head["parameters"].items()})
        takes = cls._get_param_names()
        if strange := sorted(parameters.keys() - set(takes)):
            unknown = ", ".join(map(shown, strange[:3]))
            raise ModelError(f"it has unknown parameters {unknown}; {cls.__name__} takes {', '.join(takes)}.")
        check_arguments(cls, parameters)
        detector = cls(**parameters | {"device": self.device})
        fitted = {k: from_spec(v, known, arrays) for k, v in head["fitted"].items()}
        check_fitted_types(fitted)
        detector.calibration_ = _calibration(fitted, detector._derived)
        for name in fitted.keys() - _CALIBRATION.keys():
            setattr(detector, name, fitted[name])
        if hasattr(detector, "feature_names_in_"):
            detector.feature_names_in_ = np.array(detector.feature_names_in_, dtype=object)
        for record in head["history"]:
            check_arguments(training.EpochRecord, record)
        detector.history_ = [training.EpochRecord(**record) for record in head["history"]]
        check_loaded(detector)
        if not many():  # what can't be trained by several workers can still be scored by them
            detector._check()
        _hand_over(detector, members, generator)
        stored = {k: from_spec(v, known, arrays) for k, v in head.get("estimators", {}).items()}
        detector._restore(files.weights, stored | dict(files.old))
        check_calibration(detector.calibration_)
        return detector


def _hand_over(detector: Detector, members: list[Detector], generator: object) -> None:
    """Give a detector its members, and the generator that it was made around, if its method can be."""
    detector._take_members(members)
    if generator is None:
        return
    if not hasattr(detector, "_take_generator"):
        raise ModelError(f"{type(detector).__name__} takes no generator: load it without one.")
    detector._take_generator(generator)


def _sentence(error: Exception) -> str:
    """What went wrong while a model was put together, in one line."""
    if isinstance(error, OddganError):
        return str(error)
    return f"its values do not fit each other ({type(error).__name__}: {brief(error)})."


def _calibration(fitted: Mapping[str, Any], derived: Derived) -> Calibration:
    return Calibration(derived=derived, **{field: fitted[name] for name, field in _CALIBRATION.items()})
