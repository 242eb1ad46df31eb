"""The estimators of models of format 1: read as records, whatever the file says."""

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io

from oddgan import ModelError, load

ARCHIVES = Path(__file__).parents[1] / "golden" / "format-1"


@pytest.fixture(params=["IForest", "KDE", "GMM"])
def folder(request, tmp_path):
    with zipfile.ZipFile(ARCHIVES / f"{request.param}-table.zip") as file:
        file.extractall(tmp_path)
    return tmp_path / "model"


def parts_of(folder):
    with zipfile.ZipFile(folder / "estimators.skops") as file:
        return {name: file.read(name) for name in file.namelist()}


def write(folder, parts, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(folder / "estimators.skops", "w", method) as file:
        for name, data in parts.items():
            file.writestr(name, data)


def edit(folder, change):
    parts = parts_of(folder)
    schema = json.loads(parts["schema.json"])
    change(schema)
    write(folder, parts | {"schema.json": json.dumps(schema).encode()})


def first(schema):
    """The node of the first estimator."""
    return next(iter(schema["content"].values()))


def refuses(folder, message):
    with pytest.raises(ModelError, match=message) as caught:
        load(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


class Foreign:
    """A class that oddgan never writes."""


@pytest.mark.parametrize(
    "content", [{"pca": Foreign()}, {"f": os.system}, {"f": np.load}, {"f": np.random.default_rng(0)}, {"f": b"x"}]
)
def test_foreign_types(folder, content):
    (folder / "estimators.skops").write_bytes(skops.io.dumps(content))
    refuses(folder, r"estimators\.skops holds types that oddgan never writes: ")


def call(module, name, argument):
    """A node that asks for a call of a function that lies behind a trusted module."""
    text = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": json.dumps(argument)}
    several = {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": [text]}
    node = {"__class__": name, "__module__": module, "__loader__": "ObjectNode", "content": several}
    return node | {"__reduce__": {"args": several}, "__id__": 1}


@pytest.mark.parametrize("loader", ["ObjectNode", "TreeNode", "TypeNode", "MethodNode", "OperatorFuncNode", "LossNode"])
@pytest.mark.parametrize("module", ["sklearn.tree._tree.__builtins__", "sklearn.tree._tree", "builtins"])
def test_no_name_leads_to_a_call(folder, tmp_path, module, loader):
    made = tmp_path / "made"
    node = call(module, "eval", f"open({str(made)!r}, 'w').close()") | {"__loader__": loader}
    edit(folder, lambda schema: first(schema)["content"]["content"].update(estimator=node))
    refuses(folder, "holds types that oddgan never writes: .*eval")
    assert not made.exists()


def test_no_call_in_place_of_an_estimator(folder, tmp_path):
    made = tmp_path / "made"
    node = call("sklearn.tree._tree.__builtins__", "exec", f"open({str(made)!r}, 'w').close()")
    edit(folder, lambda schema: schema["content"].update(forest=node, density=node, mixture=node))
    refuses(folder, "holds types that oddgan never writes: .*exec")
    assert not made.exists()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"text"])
def test_damaged_archive(folder, data):
    (folder / "estimators.skops").write_bytes(data)
    refuses(folder, r"estimators\.skops is damaged")


@pytest.mark.parametrize("schema", [b"", b"[]", b"{}", b"3", b"[" * 100_000, b"\xff", b'{"a": 1e999}'])
def test_damaged_schema(folder, schema):
    write(folder, parts_of(folder) | {"schema.json": schema})
    refuses(folder, r"estimators\.skops is damaged")


def test_nested_without_end(folder):
    def change(schema):
        node = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": []}
        for _ in range(30):
            node = node | {"content": [node]}
        first(schema)["content"]["content"]["deep"] = node

    edit(folder, change)
    refuses(folder, "nested deeper than 40 levels|nested too deep")


def test_compressed_parts(folder):
    # A few bytes can stand for gigabytes; oddgan's own files are not compressed.
    write(folder, parts_of(folder), zipfile.ZIP_DEFLATED)
    refuses(folder, "compressed or encrypted, which oddgan never did")


def npy(header, data=b""):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY\x01\x00",
        npy({"descr": "<f8", "fortran_order": False, "shape": (10**12,)}),
        npy({"descr": "<f8", "fortran_order": False, "shape": (2,)}).replace(b"}", b"("),
        npy({"descr": "<f8", "fortran_order": False, "shape": (2,)}, bytes(15)),
        npy({"descr": "|O", "fortran_order": False, "shape": (1,)}, bytes(8)),
        npy({"descr": "|S0", "fortran_order": False, "shape": (10**18,)}),
        npy({"descr": "<f8", "fortran_order": False, "shape": (-1, -1)}, bytes(8)),
        npy({"descr": "<f8", "fortran_order": False, "shape": (1, 3)}, bytes(24)),
    ],
)
def test_arrays_that_are_not_what_they_say(folder, data):
    write(folder, {name: part if name == "schema.json" else data for name, part in parts_of(folder).items()})
    refuses(folder, r"is damaged|can't be loaded")


@pytest.mark.parametrize("field", ["left_child", "right_child", "feature"])
def test_trees_that_point_outside(tmp_path, field):
    with zipfile.ZipFile(ARCHIVES / "IForest-table.zip") as file:
        file.extractall(tmp_path)
    parts = parts_of(tmp_path / "model")
    for name, data in parts.items():
        array = np.load(io.BytesIO(data)) if name.endswith(".npy") else np.empty(0)
        if field in (array.dtype.names or ()) and len(array) > 1:
            array[field][0] = 2**40
            file = io.BytesIO()
            np.save(file, array)
            parts[name] = file.getvalue()
    write(tmp_path / "model", parts)
    refuses(tmp_path / "model", "left|right|feature")


def test_missing_file(folder):
    (folder / "estimators.skops").unlink()
    refuses(folder, "must have the estimators .*, but has none: copy the whole folder")
