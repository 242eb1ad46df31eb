"""Docstrings of what takes or returns arrays say the shapes."""

import ast
import re
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src" / "oddgan"
ARRAY = re.compile(r"\b(Tensor|ndarray|NDArray|ArrayLike|Floats|Bools)\b")
_NAMES = (
    "groups|members|bins|dim|out|before|after|count|columns|channels|features|kernels|kinds|rows|size|sides|small|large"
    "|starts|steps|shape|n_seed|latent_dim|hidden|levels|widths|batch|classes|epochs|splits|height|width|named"
)
_TERM = rf"(?:[A-Za-zΣβ]{{1,2}}'?|\d+|{_NAMES})(?:\[-?\d\])?"
_LENGTH = rf"(?:\.\.\.|\*?{_TERM}(?:\s?[-·+*/]\s?{_TERM})*)"
SHAPE = re.compile(rf"(?<![\w`])\((?:|\.\.\.|{_LENGTH},|{_LENGTH}(?:,\s*{_LENGTH})+)\)|\bof any shape\b")


def signature(function):
    """The annotations of a function as text."""
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    found = [a.annotation for a in arguments if a is not None and a.annotation is not None]
    return " ".join(
        ast.unparse(annotation) for annotation in [*found, *([function.returns] if function.returns else [])]
    )


def public(name):
    return not name.startswith("_") or name == "__call__"


def documented(path):
    """Yield name and docstring, with that of its class, of each public function of a file that deals in arrays."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    places = [("", "", tree)]
    places += [(f"{c.name}.", ast.get_docstring(c) or "", c) for c in tree.body if isinstance(c, ast.ClassDef)]
    for prefix, about, place in places:
        if prefix and not public(prefix):
            continue
        for function in place.body:
            if isinstance(function, ast.FunctionDef) and public(function.name) and ARRAY.search(signature(function)):
                yield prefix + function.name, f"{ast.get_docstring(function) or ''}\n{about}"


def lacking(folder):
    """The functions of a folder whose docstrings say no shape, and how many say one."""
    found = [
        (f"{path.relative_to(folder)}: {name}", bool(SHAPE.search(text)))
        for path in sorted(folder.rglob("*.py"))
        for name, text in documented(path)
    ]
    return [name for name, says in found if not says], sum(says for _, says in found)


@pytest.mark.parametrize("folder", sorted(p.name for p in SOURCES.iterdir() if p.is_dir() and p.name != "__pycache__"))
def test_docstrings_say_shapes(folder):
    without, _ = lacking(SOURCES / folder)
    assert without == [], "say the shape of each array, like (n,) or (n, c, ...)"


@pytest.mark.parametrize(
    "text",
    [
        "losses (n,)",
        "arrays of any shape",
        "(n, *shape)",
        "(n, c, ...)",
        "(3, m)",
        "a scalar ()",
        "(groups · members, m)",
    ],
)
def test_shapes_that_are_seen(text):
    assert SHAPE.search(text)


@pytest.mark.parametrize(
    "text", ["the loss", "(Karras et al., 2018)", "some (those, these) rows", "call f() or f(x, y)"]
)
def test_what_is_no_shape(text):
    assert not SHAPE.search(text)
