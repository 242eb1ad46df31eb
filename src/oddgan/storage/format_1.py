"""The file `estimators.skops` of models of format 1, read as plain records.

Such a file is a zip archive: `schema.json` names an object's classes and attributes, and each array is an npy file. No
class that it names is looked up, let alone called: the names are compared with those that oddgan wrote, and the values
become the estimators of today in the way that those of a new model do.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from oddgan._core.damage import brief
from oddgan._core.errors import ModelError
from oddgan._core.npy import Header
from oddgan.storage.estimators import FORMS, Values
from oddgan.storage.json_text import parse

_OBJECTS = {
    "sklearn.decomposition._pca.PCA",
    "sklearn.ensemble._iforest.IsolationForest",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.mixture._gaussian_mixture.GaussianMixture",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neighbors._kde.KernelDensity",
    "sklearn.neighbors._unsupervised.NearestNeighbors",
    "sklearn.preprocessing._data.StandardScaler",
    "sklearn.svm._classes.OneClassSVM",
    "sklearn.tree._classes.ExtraTreeRegressor",
}
# Every kind of node that oddgan's own files have, with the classes that it may be of.
_KINDS = {
    "DictNode": {"builtins.dict"},
    "JsonNode": {"builtins.str"},
    "ListNode": {"builtins.list"},
    "NdArrayNode": {f"numpy.{name}" for name in ("ndarray", "float64", "float32", "int64", "int32", "bool", "bool_")},
    "ObjectNode": _OBJECTS,
    "TreeNode": {"sklearn.tree._tree.Tree"},
    "TupleNode": {"builtins.tuple"},
    "TypeNode": {"builtins.str"},
}
_DEEPEST = 24
_SCHEMA = 64 * 2**20  # a forest of 1,000 trees has 18 MiB


class Record:
    """The attributes of an object that a file describes."""

    def __init__(self, kind: str, attributes: Mapping[str, Any]) -> None:
        self.kind, self.attributes = kind, attributes

    def __getattr__(self, name: str) -> Any:
        if name not in self.attributes:
            raise AttributeError(f"a {self.kind} lacks {name}")
        return self.attributes[name]

    def __getstate__(self) -> Mapping[str, Any]:  # as scikit-learn's tree gives its nodes
        return self.attributes


def read_old(path: Path) -> dict[str, Values]:
    """What a new model would store of the estimators in an old file, by name.

    Raises
    ------
    ModelError
        If the file is damaged, or holds anything that oddgan never wrote.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            records = _Archive(archive, path.stat().st_size).read()
        return {name: {"class": record.kind} | FORMS[record.kind].take(record) for name, record in records.items()}
    except _StrangeError as error:
        raise ModelError(f"{path} holds types that oddgan never writes: {error}.") from error
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise ModelError(f"{path} is damaged: {brief(error)}.") from error
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is damaged: it does not describe estimators ({brief(error)}).") from error


class _StrangeError(Exception):
    """A node that oddgan does not write."""


class _Archive:
    """An open archive."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        members = archive.infolist()
        if any(m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 for m in members):
            raise zipfile.BadZipFile("it is compressed or encrypted, which oddgan never did")
        if sum(m.file_size for m in members) > size:
            raise zipfile.BadZipFile("its parts are larger than the file")
        self._archive, self._arrays = archive, dict[str, np.ndarray]()

    def read(self) -> dict[str, Record]:
        """The estimators by name."""
        found = self._value(parse(self._archive.read("schema.json"), _SCHEMA), 0)
        if not isinstance(found, dict) or not all(isinstance(r, Record) and r.kind in FORMS for r in found.values()):
            raise ValueError("they are not estimators by name")
        return found

    def _value(self, node: Any, level: int) -> Any:
        """The value of a node; nodes of other kinds are refused before anything in them is looked at."""
        if level > _DEEPEST:
            raise ValueError("they are nested too deep")
        if not isinstance(node, dict):
            raise TypeError("a node is missing")
        loader, name = node["__loader__"], f"{node['__module__']}.{node['__class__']}"
        if loader not in _KINDS or name not in _KINDS[loader]:
            raise _StrangeError(f"{name} ({loader})"[:80])
        match loader:
            case "TypeNode":
                return str
            case "JsonNode":
                return json.loads(node["content"])
            case "NdArrayNode":
                return self._array(node)
            case "DictNode":
                self._value(node["key_types"], level + 1)
                return {str(key): self._value(below, level + 1) for key, below in node["content"].items()}
            case "ListNode" | "TupleNode":
                return tuple(self._value(below, level + 1) for below in node["content"])
        content = self._value(node["content"], level + 1) if "content" in node else {}
        return Record(node["__class__"], content if isinstance(content, dict) else {"data": content[0]})

    def _array(self, node: Mapping[str, Any]) -> Any:
        name = node["file"]
        if node["type"] != "numpy" or not isinstance(name, str):
            raise _StrangeError(f"an array of the type {node['type']!r:.40}")
        if name not in self._arrays:
            data = self._archive.read(name)
            header = Header.read(io.BytesIO(data), name, records=True)
            self._arrays[name] = header.array(data[header.size :], name).copy(order="K")
        found = self._arrays[name]
        return found if node["__class__"] == "ndarray" else found.item()
