"""The items that a report shows: inputs, reconstructions and maps, stored so that the page needs no detector."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oddgan._core.errors import InputError
from oddgan._core.files import new_file
from oddgan.evaluate.scores_table import read_npz

_NDIM = {"image": 4, "series": 3, "table": 2}


_ARRAYS = ("row", "x", "score", "reconstruction", "map", "contributions", "way", "group", "label")
_CLASS = "class "  # before a class's name, in the names of groups


@dataclass(frozen=True)
class LatentMap:
    """Points of the latent space on a plane.

    Parameters
    ----------
    kind : how codes became points, in words.
    at : (m, 2) points.
    score : (m,) of their rows.
    label : (m,) classes of their rows, or None without labels.
    """

    kind: str
    at: NDArray[Any]
    score: NDArray[np.float64]
    label: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        m = len(self.at)
        if self.at.shape != (m, 2) or self.score.shape != (m,) or (self.label is not None and len(self.label) != m):
            raise InputError(
                f"A latent map has {self.at.shape} points and {self.score.shape} scores: expected (m, 2), (m,)."
            )


@dataclass(frozen=True)
class Items:
    """A few rows of the data with what the detector made of them.

    Parameters
    ----------
    row : (k,) integers, the rows' numbers in the table of scores.
    x : (k, c, h, w), (k, c, t) or (k, d), raw input.
    score : (k,) higher = more anomalous.
    reconstruction : like x, on the same scale; None where the method has none.
    map : where it is anomalous, (k, h, w), (k, t) or (k, d); None where the method has none.
    contributions : of the channels of a series to its score, (k, c); None where they are not known.
    way : the ways of the search for it through a latent space of two dimensions, (k, n_seed, steps + 1, 2), or None.
    group : (k,) the gallery's group that each is in: most, nearest, least, or `class` and a name; None finds the first
        three by the score.
    label : (k,) classes as labelled, or None.
    latent : a map of the latent space, of other rows as well, or None.
    """

    row: NDArray[np.int64]
    x: NDArray[Any]
    score: NDArray[np.float64]
    reconstruction: NDArray[Any] | None = None
    map: NDArray[Any] | None = None
    way: NDArray[Any] | None = None
    group: NDArray[np.str_] | None = None
    label: NDArray[np.str_] | None = None
    latent: LatentMap | None = None
    contributions: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        k = len(self.x)
        spatial = self.x.shape if self.x.ndim == _NDIM["table"] else (k, *self.x.shape[2:])
        expected = {
            "row": (k,),
            "score": (k,),
            "reconstruction": self.x.shape,
            "map": spatial,
            "contributions": self.x.shape[:2],
            "group": (k,),
            "label": (k,),
        }
        if self.x.ndim not in _NDIM.values():
            raise InputError(f"Items have the shape {self.x.shape}: expected (k, d), (k, c, t) or (k, c, h, w).")
        for name, shape in expected.items():
            values = getattr(self, name)
            if values is not None and values.shape != shape:
                raise InputError(f"{name} has the shape {values.shape}, but for {self.x.shape} it must be {shape}.")
        if self.way is not None and (self.way.ndim, self.way.shape[0], self.way.shape[-1]) != (4, k, 2):
            raise InputError(f"way has the shape {self.way.shape}, but it must be ({k}, n_seed, steps + 1, 2).")

    def check_kind(self, kind: str) -> None:
        """Complain when the items are not of the kind that the run's data are."""
        if self.x.ndim != _NDIM[kind]:
            raise InputError(f"The run's data are of the kind {kind}, but its items have the shape {self.x.shape}.")


def write_items(path: str | Path, items: Items, *, force: bool = False) -> None:
    """Write the items as .npz, without pickles.

    Parameters
    ----------
    path : the .npz file.
    items : what to store.
    force : replace an existing file.
    """
    arrays = {name: getattr(items, name) for name in _ARRAYS}
    if items.latent is not None:
        arrays |= {
            f"latent_{name}": np.asarray(value) for name, value in vars(items.latent).items() if value is not None
        }
    with new_file(path, force=force) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **{k: v for k, v in arrays.items() if v is not None})


def read_items(path: str | Path) -> Items:
    """Read what `write_items` wrote.

    Raises
    ------
    InputError
        If the file is missing, cut short, or lacks an array.
    """
    arrays = read_npz(Path(path))
    missing = {"row", "x", "score"} - arrays.keys()
    if missing:
        raise InputError(f"{path} lacks the arrays {sorted(missing)}: it does not hold a report's items.")
    return Items(
        row=arrays["row"].astype(np.int64),
        x=arrays["x"],
        score=arrays["score"].astype(np.float64),
        reconstruction=arrays.get("reconstruction"),
        map=arrays.get("map"),
        contributions=arrays.get("contributions"),
        way=arrays.get("way"),
        group=arrays.get("group"),
        label=arrays.get("label"),
        latent=_latent(arrays),
    )


def gallery_groups(scores: ArrayLike, threshold: float, *, each: int = 6) -> dict[str, NDArray[np.int64]]:
    """Choose what a gallery shows: the most anomalous, those nearest the threshold, and the least anomalous.

    No row is in two groups; with few rows the groups shrink alike. Ties go to the earlier row, rows whose score is
    not finite are left out.

    Parameters
    ----------
    scores : (n,) higher = more anomalous.
    threshold : the cut.
    each : rows in each group, at most.

    Returns
    -------
    dict
        The keys "most", "nearest" and "least"; positions in `scores`, the most telling first.
    """
    values = np.asarray(scores, dtype=np.float64)
    finite = np.flatnonzero(np.isfinite(values))
    falling = finite[np.argsort(-values[finite], kind="stable")]
    n = min(each, -(-len(falling) // 3))
    most, rest = falling[:n], falling[n:]
    least = rest[::-1][:n]
    middle = np.sort(rest[: len(rest) - len(least)])
    nearest = middle[np.argsort(np.abs(values[middle] - threshold), kind="stable")][:n]
    return {"most": most, "nearest": nearest, "least": least}


def class_groups(
    scores: ArrayLike, label: NDArray[np.str_], *, each: int = 3, most: int = 5
) -> dict[str, NDArray[np.int64]]:
    """Choose rows of each class, evenly from its highest score to its lowest.

    Parameters
    ----------
    scores : (n,) higher = more anomalous; rows whose score is not finite are left out.
    label : (n,) names of the classes.
    each : rows of each class, at most.
    most : classes, at most: those with the most rows.

    Returns
    -------
    dict
        The keys are "class " and the name, the largest class first; positions in `scores`, falling scores.
    """
    values = np.asarray(scores, dtype=np.float64)
    names, counts = np.unique(label, return_counts=True)
    groups = {}
    for name in names[np.argsort(-counts, kind="stable")][:most].tolist():
        rows = np.flatnonzero((label == name) & np.isfinite(values))
        falling = rows[np.argsort(-values[rows], kind="stable")]
        if len(falling):
            groups[f"{_CLASS}{name}"] = falling[np.unique(np.linspace(0, len(falling) - 1, each).astype(np.int64))]
    return groups


def _latent(arrays: Mapping[str, NDArray[Any]]) -> LatentMap | None:
    if not {"latent_kind", "latent_at", "latent_score"} <= arrays.keys():
        return None
    kind, at, score = (arrays[f"latent_{name}"] for name in ("kind", "at", "score"))
    return LatentMap(str(kind), at, score.astype(np.float64), arrays.get("latent_label"))
