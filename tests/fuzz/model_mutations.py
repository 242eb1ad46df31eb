"""Seeded changes of a model's folder: bits, lengths, values, tensors, archives, with digests or without."""

import io
import json
import shutil
import struct
import zipfile
from abc import ABC
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from oddgan.storage import known_parts
from oddgan.storage.digest import digests

Rng = np.random.Generator
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 7, 10**6, 10**9, 2**31, 2**63, 10**30, -(10**12), 0.0, -0.5, 0.5, 1e-300, 1e300,
    2.5, float("nan"), float("inf"), "", "text", "a\nb", "x" * 5000, "exact", [], [[]], [1, 2], [10**7], [0.5] * 3, {},
    {"type": "Adam"}, {"type": "os.system"}, {"type": "WeightedSum"}, {"type": "KDE"},
    {"array": "fitted.scaling_.centre"},
    {"array": "nowhere"}, {"a": {"b": 1}},
]  # fmt: skip
PARTS = [*sorted(known_parts()), "IForest", "KDE", "AnoGAN", "AutoEncoder", "Ensemble"]
INDICES = [-(2**63), -(2**40), -2, -1, 0, 1, 2, 3, 5, 100, 2**31, 2**40, 2**62]


def mutate(folder: Path, others: list[Path], rng: Rng) -> tuple[str, bool]:
    """Change a folder; what was done, and whether digests were written anew."""
    names = list(CHANGES)
    name = names[rng.integers(len(names))]
    if name == "archive" and not list(folder.rglob("estimators.skops")):
        name = "value"
    if name == "swap":
        _swap(folder, others, rng)
    else:
        CHANGES[name](folder, rng)
    sealed = bool(rng.integers(2))
    if sealed:
        seal(folder)
    return name, sealed


def seal(folder: Path) -> None:
    """Write the digests anew, the members' first; files that are too broken for that stay as they are."""
    for place in sorted((p.parent for p in folder.rglob("detector.json")), key=lambda p: -len(p.parts)):
        try:
            head = json.loads((place / "detector.json").read_text())
            if head["format"] == 2:
                beside = [n for n in head["digest"] if n != "detector.json"]
                head["digest"] = digests(place, head, "detector.json", beside)
                (place / "detector.json").write_text(json.dumps(head))
        except (ValueError, TypeError, KeyError, AttributeError, OSError):
            continue


def _file(folder: Path, rng: Rng, pattern: str = "*") -> Path:
    files = sorted(p for p in folder.rglob(pattern) if p.is_file())
    return files[rng.integers(len(files))]


def _bits(folder: Path, rng: Rng) -> None:
    path = _file(folder, rng)
    data = bytearray(path.read_bytes())
    for _ in range(rng.integers(1, 9)):
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    path.write_bytes(data)


def _length(folder: Path, rng: Rng) -> None:
    path = _file(folder, rng)
    data = path.read_bytes()
    cut = data[: rng.integers(len(data))]
    path.write_bytes([cut, data + bytes(rng.integers(1, 100)), cut + data[len(cut) + 1 :], b""][rng.integers(4)])


def _gone(folder: Path, rng: Rng) -> None:
    path = _file(folder, rng)
    path.unlink()
    if rng.integers(2):
        path.mkdir()


def _swap(folder: Path, others: list[Path], rng: Rng) -> None:
    path = _file(folder, rng)
    other = others[rng.integers(len(others))]
    shutil.copy(_file(other, rng, path.name if list(other.rglob(path.name)) else "*"), path)


def _value(folder: Path, rng: Rng) -> None:
    path = _file(folder, rng, "detector.json")
    head = json.loads(path.read_text())
    for _ in range(rng.integers(1, 3)):
        _change(head, rng)
    path.write_text(json.dumps(head))


def _change(head: Any, rng: Rng) -> None:
    """Change one value of nested values."""
    places = list(_places(head))
    holder, key = places[rng.integers(len(places))]
    match rng.integers(8):
        case 0 if isinstance(holder, dict):
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[f"{key}x"] = holder.pop(key)
        case 2:
            other, name = places[rng.integers(len(places))]
            holder[key] = json.loads(json.dumps(other[name])) if name in other or isinstance(other, list) else None
        case 3:
            typed = [(h, k) for h, k in places if k == "type"]
            holder, key = typed[rng.integers(len(typed))] if typed else (holder, key)
            holder[key] = PARTS[rng.integers(len(PARTS))]
        case 4 | 5:  # another part in its default form
            whole = [(h, k) for h, k in places if isinstance(h[k], dict) and "type" in h[k]]
            holder, key = whole[rng.integers(len(whole))] if whole else (holder, key)
            holder[key] = {"type": PARTS[rng.integers(len(PARTS))]}
        case _:
            holder[key] = json.loads(json.dumps(VALUES[rng.integers(len(VALUES))]))


def _tweak(folder: Path, rng: Rng) -> None:
    """Change a number, a truth value or a part for another one of its kind: what types alone can't tell."""
    path = _file(folder, rng, "detector.json")
    head = json.loads(path.read_text())
    inside = [head[key] for key in ("parameters", "fitted", "estimators") if key in head]
    places = [(h, k) for one in inside for h, k in _places(one) if not isinstance(h[k], list | str)]
    for _ in range(rng.integers(1, 3)):
        holder, key = places[rng.integers(len(places))]
        holder[key] = _like(holder[key], rng)
    path.write_text(json.dumps(head))


def _like(value: Any, rng: Rng) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, dict) and "type" in value:
        kinds = known_parts().get(value["type"], int).mro()  # its base is the last but object and ABC
        base = next(kind for kind in reversed(kinds) if kind not in (object, ABC))
        alike = [name for name, part in known_parts().items() if issubclass(part, base)]
        return {"type": alike[rng.integers(len(alike))]}
    if isinstance(value, int):
        return [0, 1, 2, 3, 5, 64, 10**5][rng.integers(7)]
    if isinstance(value, float):
        return [0.0, 0.1, 1.0, -1.0, 1e3, 1e30, 1e-30, 1e-320][rng.integers(8)]
    return [None, 1, 2, 0.5, {"type": PARTS[rng.integers(len(PARTS))]}][rng.integers(5)]


def _places(value: Any) -> Any:
    """All holders and keys of nested values."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _tensor(folder: Path, rng: Rng) -> None:
    path = _file(folder, rng, "networks.safetensors")
    tensors = load_file(path)
    name = sorted(tensors)[rng.integers(len(tensors))]
    array = tensors.pop(name)
    match rng.integers(9):
        case 0:
            tensors[f"{name}x"] = array
        case 1:
            tensors[name] = array.reshape(-1)[: rng.integers(array.size + 1)].copy()
        case 2:
            tensors[name] = array[None]
        case 3:
            kinds = [np.float32, np.float64, np.int64, np.int32, np.uint8, np.float16, np.bool_]
            tensors[name] = array.astype(kinds[rng.integers(len(kinds))])
        case 4:
            tensors[name] = np.resize(array, (*array.shape, 2)) if array.size else np.zeros(3)
        case 5:
            tensors |= {name: array, "more": array}
        case 6:
            pass  # it is gone
        case _:
            tensors[name] = _edited(array, rng)
    save_file({k: np.ascontiguousarray(v) if v.ndim else v for k, v in tensors.items()}, path)


def _edited(array: np.ndarray, rng: Rng) -> np.ndarray:
    """An array with one other entry: what an index or a number must not be."""
    changed = array.copy()
    if changed.size:
        whole = changed.dtype.kind in "iu"
        values: list[Any] = INDICES if whole else [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e30, -1e30, 1e-30]
        value = values[rng.integers(len(values))]
        bounds = np.iinfo(changed.dtype) if whole else None
        changed.flat[rng.integers(changed.size)] = value if bounds is None else np.clip(value, bounds.min, bounds.max)
    return changed


def _tensor_header(folder: Path, rng: Rng) -> None:
    path = _file(folder, rng, "networks.safetensors")
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    if rng.integers(4):
        _change(header, rng)
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])
    else:
        path.write_bytes(struct.pack("<Q", [0, 2**62, 2**31, size + 1][rng.integers(4)]) + data[8:])


def _archive(folder: Path, rng: Rng) -> None:
    """Change an archive of estimators of format 1: its schema, an array, or how it is packed."""
    path = _file(folder, rng, "estimators.skops")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    method = zipfile.ZIP_STORED
    match rng.integers(6):
        case 0:
            schema = json.loads(parts["schema.json"])
            places = [(h, k) for h, k in _places(schema) if k not in ("__id__",)]
            words = [
                "ObjectNode",
                "TreeNode",
                "MethodNode",
                "eval",
                "builtins",
                "sklearn.tree._tree.__builtins__",
                "os",
            ]
            for _ in range(3):
                holder, key = places[rng.integers(len(places))]
                holder[key] = [*words, *VALUES][rng.integers(len(words) + len(VALUES))]
            parts["schema.json"] = json.dumps(schema).encode()
        case 1:
            method = zipfile.ZIP_DEFLATED
        case 2:
            parts.pop(sorted(parts)[rng.integers(len(parts))])
        case 3:
            parts["schema.json"] = [b"[" * 10**5, bytes(10**6), b"{}", b"null"][rng.integers(4)]
        case _:
            _edit_npy(parts, rng)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def _edit_npy(parts: dict[str, bytes], rng: Rng) -> None:
    names = sorted(name for name in parts if name.endswith(".npy"))
    if not names:
        return
    name = names[rng.integers(len(names))]
    array = np.load(io.BytesIO(parts[name]))
    if array.dtype.names and array.size:
        field = array.dtype.names[rng.integers(len(array.dtype.names))]
        array[field] = _edited(array[field], rng)
    else:
        array = _edited(array, rng) if array.dtype.names is None else array
    file = io.BytesIO()
    np.save(file, array)
    data = bytearray(file.getvalue())
    if not rng.integers(3):
        data[rng.integers(min(len(data), 128))] ^= 1 << rng.integers(8)
    parts[name] = bytes(data)


CHANGES: dict[str, Callable[[Path, Rng], None]] = {
    "bits": _bits,
    "length": _length,
    "gone": _gone,
    "swap": _bits,  # needs another folder, see `mutate`
    "value": _value,
    "values": _value,  # twice: there are most of them
    "tweak": _tweak,
    "tweaks": _tweak,
    "tensor": _tensor,
    "tensors": _tensor,
    "header": _tensor_header,
    "archive": _archive,
}
