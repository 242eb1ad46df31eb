"""The data sets that several benchmarks read, from the folder that `ODDGAN_DATA` names."""

import gzip
import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from harness.paths import ROOT
from oddgan.data import Split


def data_path(name: str) -> Path:
    """A file or folder of the data sets that `ODDGAN_DATA` names (by default `shared/data` beside the repository).

    Raises
    ------
    SystemExit
        With the reason, if it is not there.
    """
    path = Path(os.environ.get("ODDGAN_DATA", ROOT.parent / "shared" / "data")) / name
    if not path.exists():
        raise SystemExit(f"{path.name} is not in {path.parent}: set ODDGAN_DATA to the folder that holds it.")
    return path


def split_normals(x: np.ndarray, anomalous: np.ndarray, share: float = 0.5) -> Split:
    """Divide a table by rows, with a fixed seed: a share of the normal rows to train on, everything else to test on.

    Parameters
    ----------
    x, anomalous : rows (n, d) and what each is, (n,) bool.
    share : of the normal rows, in (0, 1).
    """
    normal = np.random.default_rng(0).permutation(np.flatnonzero(~anomalous))
    cut = round(share * len(normal))
    test = np.sort(np.concatenate([normal[cut:], np.flatnonzero(anomalous)]))
    protocol = f"{share:.0%} of normals train, rest + anomalies test"
    return Split(protocol, x[np.sort(normal[:cut])], x[test], anomalous[test])


def adbench_table(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A table of ADBench, e.g. "6_cardio": rows (n, d) and which of them are anomalies, (n,) bool."""
    with np.load(data_path("adbench") / f"{name}.npz") as file:
        return file["X"].astype(np.float64), file["y"] == 1


@cache
def kdd99() -> tuple[np.ndarray, np.ndarray]:
    """KDD99 (10 %): rows (n, 121) with a column for each name that a column can hold, and the kinds of traffic (n,)."""
    with gzip.open(data_path("kddcup99") / "kddcup.data_10_percent.gz", "rt") as file:
        frame = pd.read_csv(file, header=None)
    named = [1, 2, 3, 6, 11, 20, 21]  # columns that hold names or yes and no
    columns = pd.get_dummies(frame.drop(columns=41), columns=named, dtype=np.float32)
    return columns.to_numpy(np.float64), frame[41].str.removesuffix(".").to_numpy()


def mnist() -> dict[str, np.ndarray]:
    """MNIST at 32 px: images `x_train`, `x_test` (n, 1, 32, 32) and labels `y_train`, `y_test` (n,)."""
    with np.load(data_path("mnist.npz")) as file:
        data = {f"{kind}_{part}": file[f"{kind}_{part}"] for part in ("train", "test") for kind in "xy"}
    for part in ("x_train", "x_test"):
        data[part] = np.pad(data[part], ((0, 0), (2, 2), (2, 2)))[:, None]
    return data
