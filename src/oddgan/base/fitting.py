"""What goes along with a fit, and the fingerprint that tells two fits apart."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.memmap import Mapped
from oddgan._core.notices import notice
from oddgan._core.parts import to_spec
from oddgan.inputs.rows import Rows, chunks, take
from oddgan.inputs.validation import Learner, validate
from oddgan.scaling import Scaling
from oddgan.storage import stored_parameters
from oddgan.training import Callback

_LOOKED_AT = 1000  # rows of a data set that is read when needed: all of them could take as long as an epoch


@dataclass(frozen=True)
class Validation:
    """Rows that choose among epochs.

    Parameters
    ----------
    rows : as given to `fit`.
    labels : 0 normal, 1 anomalous, (n,); None for normal rows.
    """

    rows: Rows
    labels: np.ndarray | None = None

    @classmethod
    def of(cls, detector: Learner, given: tuple[Any, Any] | None) -> "Validation | None":
        """Check what was given to `fit`.

        Raises
        ------
        InputError
            If it is not a pair of rows and labels of one length, or the labels are not of both kinds.
        """
        if given is None:
            return None
        if not isinstance(given, tuple) or len(given) != 2:
            raise InputError("validation takes a pair: (X_val, y_val), or (X_val, None) for normal rows.")
        rows = validate(detector, given[0], reset=False)
        if given[1] is None:
            return cls(rows)
        labels = np.asarray(given[1])
        if labels.shape != (len(rows),) or set(np.unique(labels).tolist()) != {0, 1}:
            raise InputError(
                f"validation has {len(rows)} rows and labels of shape {labels.shape}: give one for each row, "
                "0 (normal) or 1 (anomalous), and both of them."
            )
        return cls(rows, labels.astype(int))

    def normal(self, most: int) -> Rows:
        """The normal rows among them, at most so many."""
        normal = np.arange(len(self.rows)) if self.labels is None else np.flatnonzero(self.labels == 0)
        return take(self.rows, normal[:most])


@dataclass(frozen=True)
class Fitting:
    """What goes along with the training of a detector.

    Parameters
    ----------
    callbacks : observe training.
    validation : rows that choose among epochs, instead of a share of the training rows.
    epochs : passes of each phase; None takes the detector's.
    steps : updates of each phase's slowest player; None takes the detector's.
    again : whether trained networks are trained on.
    first : the number of the first phase in a larger fit that this one is a part of, and that tells callbacks of the
        beginning and the end itself; None for a fit of its own.
    """

    callbacks: Sequence[Callback] = ()
    validation: Validation | None = None
    epochs: int | None = None
    steps: int | None = None
    again: bool = False
    first: int | None = None

    @contextmanager
    def told(self, method: str, n: int) -> Iterator[None]:
        """Tell the callbacks when training begins and ends, unless a larger fit does.

        Parameters
        ----------
        method : what is trained.
        n : rows that it is trained on.
        """
        told, started = self.callbacks if self.first is None else (), time.perf_counter()
        for callback in told:
            callback.fit_started(method, n)
        try:
            yield
        finally:
            for callback in told:
                callback.fit_ended(time.perf_counter() - started)


def fingerprint(detector: Learner, parts: Mapping[str, Rows | None]) -> dict[str, str]:
    """The fingerprint of a fit: the method, its parameters and rows, by name; equal ones end in equal models.

    Parameters
    ----------
    detector : about to be fitted.
    parts : rows by what they are for.
    """
    arrays: dict[str, np.ndarray] = {}
    given = {k: to_spec(v, arrays, k) for k, v in stored_parameters(detector).items()}
    parameters = json.dumps(given, sort_keys=True) + "".join(_digest([a]) for a in arrays.values())
    rows = {name: "" if part is None else _digest_rows(part) for name, part in parts.items()}
    return {"methods": type(detector).__name__, "parameters": parameters} | rows


def _digest_rows(rows: Rows) -> str:
    if isinstance(rows, np.ndarray | Mapped):
        return f"{rows.shape} {rows.dtype.str} {_digest(chunks(rows))}"
    some = np.unique(np.linspace(0, len(rows) - 1, _LOOKED_AT).astype(int))
    return f"{len(rows)} {_digest(rows[int(i)] for i in some)}"


def _digest(arrays: Any) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def split(
    n: int, calibration: float, calibration_size: int, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the rows to train on, and of those that the threshold comes from, in ascending order, (k,) each.

    Parameters
    ----------
    n : rows there are.
    calibration : share of them to hold out; 0 trains on all, and takes the threshold from some of them.
    calibration_size : with 0, at most how many.
    rng : draws the rows.

    Raises
    ------
    InputError
        If too few rows are left.
    """
    order = rng.permutation(n)
    if calibration == 0:
        return np.arange(n), np.sort(order[:calibration_size])
    k = round(calibration * n)
    if k < 1 or n - k < 2:
        raise InputError(
            f"calibration={calibration} of {n} rows leaves {n - k} to train on and {k} to calibrate with: at least 2 "
            "and 1 are needed."
        )
    return np.sort(order[k:]), np.sort(order[:k])


def fit_scaling(scaling: Scaling, shape: tuple[int, ...], rows: Rows) -> Scaling:
    """The scaling for samples of this shape, fitted to rows (n, ...), with a notice of values that never change."""
    fitted = scaling.choose(shape).fit(chunks(rows))
    if fitted.constant:
        of = "channel" if fitted.per == "channel" else "column" if len(shape) == 1 else "position"
        many = f"{fitted.constant} {of}s hold" if fitted.constant > 1 else f"1 {of} holds"
        notice(f"{many} one value in all training rows: any later change of it makes a row more anomalous.")
    return fitted
