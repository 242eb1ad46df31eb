"""scikit-learn's decision trees as arrays of nodes.

The compiled tree follows its child numbers without looking: a tree that is built from a file is checked first, so that
every walk from the root ends at a leaf of the same tree.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from oddgan.storage.fields import Fields

# As scikit-learn calls the fields of a node. Those that only training uses are not stored.
_STORED = {
    "left": "left_child",
    "right": "right_child",
    "feature": "feature",
    "threshold": "threshold",
    "samples": "n_node_samples",
}
_LEAF = -1


def tree_arrays(trees: Sequence[Any]) -> dict[str, np.ndarray]:
    """The nodes of trees one after the other: an array (n,) for each field, and the nodes of each tree (t,)."""
    nodes = [tree.__getstate__()["nodes"] for tree in trees]
    whole = np.concatenate(nodes)
    sizes = {"nodes": np.array([len(part) for part in nodes], dtype=np.int64)}
    return sizes | {name: np.ascontiguousarray(whole[field]) for name, field in _STORED.items()}


def check_trees(fields: Fields) -> list[dict[str, np.ndarray]]:
    """The nodes (t,) of each tree by field, once every tree is known to be one.

    Raises
    ------
    ModelError
        If a child is not a later node of its tree, a node has two parents, or a cut or a count makes no sense.
    """
    sizes = fields.array("nodes", "t", kind="int64", positive=True)
    kinds = {name: "float64" if name == "threshold" else "int64" for name in _STORED}
    found = {name: fields.array(name, "n", kind=kind) for name, kind in kinds.items()}
    n, left, right = fields.sizes["n"], found["left"], found["right"]
    if len(sizes) == 0 or sizes.max() > n or int(sizes.sum()) != n:
        raise fields.error("nodes", f"adds up to {int(sizes.sum())}, but must to {n} nodes of at least one tree")
    starts = np.cumsum(sizes) - sizes
    own, size = np.arange(n) - np.repeat(starts, sizes), np.repeat(sizes, sizes)
    inner = (left != _LEAF) | (right != _LEAF)
    for name in ("left", "right"):
        if ((found[name] <= own) | (found[name] >= size))[inner].any():
            raise fields.error(name, "points at nodes that are no later nodes of the same tree")
    base = np.repeat(starts, sizes)[inner]
    children = np.concatenate([left[inner] + base, right[inner] + base])
    if (np.bincount(children, minlength=n) != (own > 0)).any():
        raise fields.error("left", "and right give nodes two parents or none")
    feature, samples = found["feature"], found["samples"]
    if ((feature < 0) | (feature >= fields.sizes["d"]))[inner].any():
        raise fields.error("feature", f"names columns that are not among the {fields.sizes['d']}")
    if (samples < 1).any() or (samples[left[inner] + base] + samples[right[inner] + base] != samples[inner]).any():
        raise fields.error("samples", "counts rows that the nodes below do not have")
    return [{name: v[a : a + k] for name, v in found.items()} for a, k in zip(starts, sizes, strict=True)]


def build_tree(nodes: dict[str, np.ndarray], d: int) -> Any:
    """scikit-learn's tree on d columns from checked nodes (t,)."""
    module, n = import_module("sklearn.tree._tree"), len(nodes["left"])
    table = np.zeros(n, dtype=module.NODE_DTYPE)
    for name, field in _STORED.items():
        table[field] = nodes[name]
    tree = module.Tree(d, np.array([1], dtype=np.intp), 1)
    depth = np.zeros(n, dtype=np.int64)
    for i in np.flatnonzero(nodes["left"] != _LEAF):
        depth[nodes["left"][i]] = depth[nodes["right"][i]] = depth[i] + 1
    tree.__setstate__({"max_depth": int(depth.max()), "node_count": n, "nodes": table, "values": np.zeros((n, 1, 1))})
    return tree
