"""The detectors under test, each on its own tiny settings, and which checks each of them needs."""

import sys
from pathlib import Path
from typing import Any

from oddgan.base import Detector, Kind
from oddgan.detectors import classes
from oddgan.families import NeuralDetector
from oddgan.inversion import Hybrid
from oddgan.networks import MLP
from oddgan.testing import Check, detector_checks
from oddgan.testing.subject import Subject, differences, normals, observe
from oddgan.training import Adam

__all__ = ["CHECKS", "CLASSES", "FEW", "KINDS", "NEURAL", "differences", "fitted", "make", "normals", "observe"]

CLASSES: dict[str, type[Detector]] = dict(classes())
NEURAL = {name: cls for name, cls in CLASSES.items() if issubclass(cls, NeuralDetector)}
KINDS = [(name, kind) for name, cls in CLASSES.items() for kind in cls.card.kinds]
# What must be set for a parameter to have an effect.
BESIDE: dict[str, dict[str, dict[str, Any]]] = {
    "DeepSVDD": {"nu": {"boundary": "soft"}, "warm_up": {"boundary": "soft", "epochs": 3}},
    "JointEncoderGAN": {name: {"encoder": "after"} for name in ("encoder_epochs", "encoder_steps")},
    "WAIC": {
        "objective": {"members": "critic"},
        "n_critic": {"members": "critic", "epochs": 3},
        "stabilisers": {"members": "critic"},
    },
    "ALOCC": {"stop_below": {"epochs": 40, "batch_size": 8, "w_con": 10.0, "optimiser": Adam(lr=1e-2)}},
    "FAnoGAN": {"budget_ms": {"inversion": Hybrid()}, "privacy": {"backbone": MLP()}},
    "OCSVM": {"landmarks": {"exact_size": 0}},
    "GMM": {"bic_size": {"sizes": (1, 2, 3, 4, 5, 6)}},
    "KDE": {"cv_size": {"bandwidths": tuple(0.1 * i for i in range(2, 20))}},
}
# Parameters without an effect here; each has a test of its own.
SKIP = {
    ("WAIC", "n_jobs"): "where members are trained: detectors/test_waic.test_copies_learn_the_same",
    ("Ensemble", "n_jobs"): "where members are trained: detectors/test_ensemble.test_members_learn_the_same_elsewhere",
    ("Ensemble", "scaling"): "refused: detectors/test_ensemble.test_what_can_not_be_combined_is_refused",
    ("ADGAN", "budget_ms"): "a step costs more than the budgets tried here: detectors/test_adgan.test_a_budget",
    ("BeatGAN", "augmentation"): "for series only: detectors/test_beatgan.test_warped_batches_train_another_model",
    ("IForest", "scaling"): "trees cut each column at a random share of its range, whatever the unit",
}
SOURCES = {cls: Path(sys.modules[cls.__module__].__file__).read_text(encoding="utf-8") for cls in CLASSES.values()}
SUBJECTS = {name: Subject(cls) for name, cls in CLASSES.items()}


def make(cls: type[Detector], **settings: Any) -> Detector:
    """An unfitted detector on its tiny settings, seeded."""
    return (SUBJECTS.get(cls.__name__) or Subject(cls)).make(**settings)


def fitted(cls: type[Detector], kind: Kind = "table") -> Detector:
    """A copy of a detector that was fitted on 24 rows."""
    return SUBJECTS[cls.__name__].fitted(kind)


def families(cls: type[Detector]) -> tuple[type, ...]:
    """The families that a detector is built on."""
    return tuple(base for base in cls.__mro__ if base.__module__.startswith("oddgan.families"))


FEW = {name: CLASSES[name] for name in {families(cls): name for name, cls in CLASSES.items()}.values()}
"""One detector for each combination of families: what rests on shared code alone is checked on these."""

# Checks whose outcome is decided by `base`, `families` and `inputs`, whatever the method.
SHARED = {
    "tensors_and_lists_give_the_same_fit", "wrong_shapes_are_refused", "bad_values_are_refused", "labels_are_ignored",
    "random_state_may_be_a_generator", "set_params_counts_before_fit", "signs_agree", "unit_does_not_matter",
    "calibration_size_limits_the_rows", "threshold_can_be_set_again", "p_values_are_conformal",
    "exploding_losses_end_in_one_error", "losses_are_recorded", "stopped_fit_is_not_fitted",
}  # fmt: skip
# Checks that one kind of data tells as much as all, except for one detector for each combination of families. Models of
# every kind are loaded in a new process: test_storage.test_new_process_sees_the_same.
MAIN_KIND = {
    "copies_are_equal_and_independent", "datasets_give_the_same_fit", "fit_leaves_rows_alone",
    "half_precision_is_repeatable", "loading_gives_an_equal_detector", "reconstructions_have_the_scale_of_the_data",
}  # fmt: skip
# scikit-learn's checks that a method can fail by itself.
OWN = {
    "check_fit2d_1feature", "check_fit2d_1sample", "check_estimators_pickle", "check_dict_unchanged",
    "check_set_params", "check_get_params_invariance", "check_no_attributes_set_in_init",
    "check_parameters_default_constructible", "check_dont_overwrite_parameters", "check_estimators_overwrite_params",
}  # fmt: skip


def is_needed(name: str, check: Check) -> bool:
    """Whether a check can fail for this detector although it passes for those in `FEW`."""
    what, cls = check.function.__name__, CLASSES[name]
    if name in FEW or what == "parameter_has_an_effect":
        return name in FEW or _is_own(cls, check.case)
    if what == "scikit_learn":
        return check.case in OWN
    return what not in SHARED and (what not in MAIN_KIND or check.case == check.subject.kind)


def _is_own(cls: type[Detector], parameter: str) -> bool:
    """Whether the method's own file declares or reads a parameter."""
    return parameter in vars(cls)["__annotations__"] or f"self.{parameter}" in SOURCES[cls]


def _checks(name: str) -> list[Check]:
    skip = {f"parameter_has_an_effect[{field}]": why for (of, field), why in SKIP.items() if of == name}
    return list(detector_checks(CLASSES[name], beside=BESIDE.get(name), skip=skip))


CHECKS = [(name, check) for name in CLASSES for check in _checks(name) if is_needed(name, check)]
