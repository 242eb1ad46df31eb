"""No dead knobs: each field of each detector, changed, changes something that can be seen."""

import itertools
import math
import types
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from oddgan import OddganError
from oddgan._core.parts import arguments, is_part
from oddgan.families import NeuralDetector
from oddgan.inversion import Hybrid
from oddgan.networks import MLP
from oddgan.storage import known_parts
from oddgan.training import SGD, Adam, Optimiser

from .cases import CLASSES, differences, make, normals, observe

# Fields that must not change what is seen on this machine; each has a test of its own.
EXEMPT = {
    "device": "where to compute, not what",
    "scoring": "changes rounding only: test_scoring.test_batch_size_changes_rounding_at_most",
    "slots": "changes rounding only: test_scoring.test_batch_size_changes_rounding_at_most",
}
EXEMPT_IN = {
    (
        "WAIC",
        "n_jobs",
    ): "where members are trained, not what they learn: detectors/test_waic.test_copies_learn_the_same",
    ("Ensemble", "n_jobs"): "where members are trained: detectors/test_ensemble.test_members_learn_the_same_elsewhere",
    ("Ensemble", "scaling"): "refused: detectors/test_ensemble.test_what_can_not_be_combined_is_refused",
    ("ADGAN", "budget_ms"): "a step costs more than the budgets tried here: detectors/test_adgan.test_a_budget",
    ("BeatGAN", "augmentation"): "for series only: detectors/test_beatgan.test_warped_batches_train_another_model",
    ("IForest", "scaling"): "trees cut each column at a random share of its range, whatever the unit",
}
# What must be set, too, for a field to count.
BESIDE = {
    ("DeepSVDD", "nu"): {"boundary": "soft"},
    ("DeepSVDD", "warm_up"): {"boundary": "soft", "epochs": 3},
    ("JointEncoderGAN", "encoder_epochs"): {"encoder": "after"},
    ("WAIC", "objective"): {"members": "critic"},
    ("WAIC", "n_critic"): {"members": "critic", "epochs": 3},
    ("WAIC", "stabilisers"): {"members": "critic"},
    ("ALOCC", "stop_below"): {"epochs": 40, "batch_size": 8, "w_con": 10.0, "optimiser": Adam(lr=1e-2)},
    ("FAnoGAN", "budget_ms"): {"inversion": Hybrid()},
    ("FAnoGAN", "privacy"): {"backbone": MLP()},
    ("OCSVM", "landmarks"): {"exact_size": 0},
    ("GMM", "bic_size"): {"sizes": (1, 2, 3, 4, 5, 6)},
    ("KDE", "cv_size"): {"bandwidths": tuple(0.1 * i for i in range(2, 20))},
}
# Detectors that draw nothing random have nothing to seed: test_scoring.test_random_state_decides covers the others.
UNSEEDED = {"random_state"}
# Detectors without an adversarial game refuse them: test_stabilisers.test_without_a_critic.
STABILISED = {name for name, cls in CLASSES.items() if "objective" in {f.name for f in fields(cls)}}

KNOBS = [
    (name, f.name)
    for name, cls in CLASSES.items()
    for f in fields(cls)
    if f.name not in EXEMPT
    and (name, f.name) not in EXEMPT_IN
    and not (f.name in UNSEEDED and not issubclass(cls, NeuralDetector))
    and (f.name != "stabilisers" or name in STABILISED)
]


def changed(value: Any, hint: Any) -> Iterator[Any]:
    """Other values that a field may take, nearest first."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, max(1, value // 2), 2, 5)
    elif isinstance(value, float):
        yield from (value + 0.1, value * 2, value / 2, value + 10)
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from ((*value[:i], other, *value[i + 1 :]) for other in changed(item, None))
    elif is_part(value):
        yield from _changed_parts(value)
    yield from (other for other in _by_hint(hint) if type(other) is not type(value) or other != value)


def _changed_parts(part: Any) -> Iterator[Any]:
    given = arguments(part)
    hints = {k: v for k, v in get_type_hints(type(part)).items() if k in given}
    for name, value in given.items():
        for other in changed(value, hints.get(name)):
            try:
                yield type(part)(**given | {name: other})
            except (OddganError, TypeError):
                continue


def _by_hint(hint: Any) -> Iterator[Any]:
    if get_origin(hint) in (Union, types.UnionType):
        for option in get_args(hint):
            yield from _by_hint(option)
    elif get_origin(hint) is Literal:
        yield from get_args(hint)
    elif get_origin(hint) is tuple and get_args(hint)[1:] == (Ellipsis,):
        yield from ((one,) for one in _by_hint(get_args(hint)[0]))
    elif hint is int:
        yield from (1, 2, 3)
    elif hint is float:
        yield from (0.25, 0.5, 20.0)
    elif isinstance(hint, type) and hint.__module__.startswith("oddgan"):
        yield from _parts_of(hint)


def _parts_of(kind: type) -> Iterator[Any]:
    for cls in known_parts().values():
        if issubclass(cls, kind) and not getattr(cls, "__abstractmethods__", ()):
            try:
                yield cls()
            except TypeError:  # it has no defaults
                continue


@pytest.mark.parametrize(("name", "field"), KNOBS, ids=[f"{name}-{field}" for name, field in KNOBS])
def test_no_dead_knobs(name, field):
    cls, X, new = CLASSES[name], normals("table", 24), normals("table", 9, seed=1)
    beside = BESIDE.get((name, field), {})
    value = getattr(make(cls), field)
    plain = observe(make(cls, **beside).fit(X), new)
    tried = []
    for other in itertools.islice(changed(value, get_type_hints(cls)[field]), 40):
        try:
            seen = observe(make(cls, **beside | {field: other}).fit(X), new)
        except OddganError:
            continue
        if differences(plain, seen):
            return
        tried.append(other)
    pytest.fail(f"{name}.{field} = {value!r} is dead: {tried} change nothing.")


def test_a_dead_knob_is_found(monkeypatch):
    # The check itself: a detector with a field that nothing reads fails it.
    from oddgan._core.hyperparameters import hyperparameters  # noqa: PLC0415

    first = next(iter(CLASSES.values()))

    @hyperparameters
    class Unread(first):
        unread: float = 1.0

    monkeypatch.setattr(f"{__name__}.CLASSES", {"Unread": Unread})
    with pytest.raises(pytest.fail.Exception, match=r"Unread\.unread = 1\.0 is dead"):
        test_no_dead_knobs("Unread", "unread")


def test_changed_values():
    # Kinds of fields, so that a new one is not passed over in silence.
    assert next(changed(3, int)) == 4
    assert math.isclose(next(changed(0.1, float)), 0.2)
    assert list(changed("a", Literal["a", "b"])) == ["b"]
    assert next(changed(None, int | None)) == 1
    assert next(changed((1, 2), None)) == (2, 2)
    assert next(changed(Adam(lr=0.2), None)) == Adam(lr=0.30000000000000004)
    assert [type(p).__name__ for p in changed(None, Optimiser | None)] == ["SGD", "Adam", "RMSProp"]
    assert next(changed((), tuple[Optimiser, ...])) == (SGD(),)
