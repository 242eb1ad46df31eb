"""What oddgan asks of its own methods beyond `oddgan.testing`, and what every part says about itself."""

import dataclasses
import json
import re

import pytest

from oddgan._core.docstrings import parameter_docs
from oddgan._core.parts import from_spec, to_spec
from oddgan.families import NeuralDetector
from oddgan.storage import known_parts

from .cases import CLASSES, NEURAL

PARTS = known_parts()


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_deviations(cls):
    if issubclass(cls, NeuralDetector):
        assert cls.card.deviations, "say what differs from the paper, and why"
    for text in cls.card.deviations:
        assert re.fullmatch(r"[^a-z].*\.", text, flags=re.DOTALL), text


def test_cards_are_their_own():
    names = [cls.card.name for cls in CLASSES.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("cls", NEURAL.values(), ids=NEURAL)
def test_networks_have_tiny_settings(cls):
    assert "tiny" in cls.__dict__


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_docstring_names_the_paper(cls):
    assert cls.__doc__
    assert "References\n" in cls.__doc__
    assert str(cls.card.year) in cls.__doc__


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_documented_and_frozen(name):
    part = PARTS[name]
    docs = parameter_docs(part)
    assert part.__dataclass_params__.frozen
    assert [f.name for f in dataclasses.fields(part) if not docs.get(f.name)] == []


def _default(part):
    try:
        return part()
    except Exception:  # noqa: BLE001
        return None


DEFAULTS = {name: value for name, part in PARTS.items() if (value := _default(part)) is not None}


@pytest.mark.parametrize("name", DEFAULTS)
def test_parts_survive_json(name):
    arrays = {}
    spec = json.loads(json.dumps(to_spec(DEFAULTS[name], arrays, "part")))
    again = from_spec(spec, known_parts(), arrays)
    assert type(again) is type(DEFAULTS[name])
    assert again == DEFAULTS[name]
