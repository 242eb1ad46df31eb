"""The matrix says what the detectors do: the contract tests run every cell that says yes."""

import numpy as np
import pytest

from contract.cases import KINDS as TESTED
from contract.cases import fitted, make, normals
from oddgan import InputError
from oddgan.base import KINDS
from oddgan.detectors import methods

METHODS = methods()
ABILITIES = {"reconstructs": "reconstruct", "localises": "anomaly_map", "encodes": "encode", "samples": "sample"}


def lines(text):
    """The cells of each line of a table, by the names of the columns, by the line's own name."""
    cells = [[c.strip() for c in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("|")]
    return {line[0].split("`")[1]: dict(zip(cells[0], line, strict=True)) for line in cells[2:]}


@pytest.fixture(scope="module")
def rows(extension):
    return lines(extension.matrix.methods_matrix())


@pytest.fixture(scope="module")
def components(extension):
    return {name: line["components"].split(", ") for name, line in lines(extension.matrix.methods_components()).items()}


def test_every_method_has_a_line_and_every_yes_is_run_by_the_contract(rows):
    assert rows.keys() == METHODS.keys()
    yes = {(name, kind) for name, line in rows.items() for kind in KINDS if line[kind] == "✓"}
    assert yes == {(name, kind) for name, kind in TESTED if name in METHODS}


@pytest.mark.parametrize("name", METHODS)
def test_a_kind_that_says_no_is_refused_and_a_capability_that_says_yes_is_there(rows, name):
    cls, line = METHODS[name], rows[name]
    for kind in KINDS:
        if line[kind] != "✓":
            with pytest.raises(InputError, match=f"{name} takes .* these are {kind} data"):
                make(cls).fit(normals(kind, 24))
    for column, method in ABILITIES.items():
        assert hasattr(fitted(cls), method) == (line[column] == "✓"), column
    assert hasattr(cls, "invert") == (line["searches"] == "✓")
    assert cls.card.gan == (line["GAN"] == "✓")


@pytest.mark.parametrize("name", METHODS)
def test_components_are_those_that_can_be_asked_for_and_the_bold_ones_count(components, name):
    listed = [c.strip("*") for c in components[name]]
    assert fitted(METHODS[name]).score_components(normals("table", 9), extra=listed).keys() == set(listed)
    assert {c.strip("*") for c in components[name] if c.startswith("*")} == set(METHODS[name]().composition.uses)


def test_networks_serve_what_the_matrix_says_and_refuse_the_rest_in_one_sentence(extension):
    matrix = extension.matrix
    refused = 0
    for name, backbone in matrix.backbones().items():
        for kind, shape in matrix.SHAPES.items():
            if matrix.serves(backbone, kind):
                codes = backbone.encoder(shape, 3)(_batch(shape))
                assert codes.shape == (2, 3), name
            else:
                refused += 1
                with pytest.raises(InputError, match=r"can't serve samples of shape .*: it takes "):
                    backbone.encoder(shape, 3)
    assert refused  # MLP takes tables only


def _batch(shape):
    torch = pytest.importorskip("torch")
    return torch.from_numpy(np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32))
