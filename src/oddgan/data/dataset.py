"""Data sets, and the reading that a model remembers to read new data in the same way."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from oddgan._core.memmap import Mapped, Samples
from oddgan._core.parts import check_arguments
from oddgan.options import Colour, EcgOptions, Impute, Kind, SplitName


@dataclass(frozen=True)
class Encoding:
    """How the columns of a table became numbers.

    Parameters
    ----------
    columns : names of the columns, in order.
    categories : for each column its texts, in the order of their one-hot columns, or None for a column of numbers.
    """

    columns: tuple[str, ...]
    categories: tuple[tuple[str, ...] | None, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the numeric columns that come out: `column` or `column=text`."""
        pairs = zip(self.columns, self.categories, strict=True)
        return tuple(n for c, texts in pairs for n in ([c] if texts is None else [f"{c}={t}" for t in texts]))


@dataclass(frozen=True)
class Reading:
    """What must be applied again to new data. It goes into the model as JSON.

    Parameters
    ----------
    kind : image, series or table.
    dtype : numpy's name of the values' type; images keep 8 or 16 bits.
    x_key, y_key : the keys that the user named.
    label : the column of the labels.
    drop : columns that are left out, whether they are there or not.
    keep : the only columns that are read; empty for all.
    split : the half that was read, where a source holds both.
    resize : height and width that images get.
    colour : grey or rgb.
    impute : how missing values were filled.
    medians : the median of each numeric column, where `impute` asks for it.
    encoding : how columns became numbers, for tables with names.
    normal : the label of normal rows, as the user gave it.
    ecg : how recordings were cut into beats.
    protocol : how the beats of MIT-BIH were divided.
    """

    kind: Kind
    dtype: str
    x_key: str | None = None
    y_key: str | None = None
    label: str | None = None
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    split: SplitName | None = None
    resize: tuple[int, int] | None = None
    colour: Colour | None = None
    impute: Impute | None = None
    medians: tuple[float, ...] | None = None
    encoding: Encoding | None = None
    normal: str | int | None = None
    ecg: EcgOptions | None = None
    protocol: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values that `json.dumps` takes."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Reading":
        """Build the reading that `to_json` wrote.

        Raises
        ------
        ModelError
            If the values are not those of a reading.
        """
        given = {name: _tuples(value) for name, value in values.items()}
        if isinstance(given.get("ecg"), dict):  # windows had the recording's own rate before there was a choice
            given["ecg"] = {"rate": 0.0} | given["ecg"]
        parts: dict[str, type] = {"encoding": Encoding, "ecg": EcgOptions}
        for name, kind in parts.items():
            if given.get(name) is not None:
                check_arguments(kind, given[name])
                given[name] = kind(**given[name])
        check_arguments(cls, given)
        return cls(**given)


def _tuples(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_tuples(v) for v in value)
    return {k: _tuples(v) for k, v in value.items()} if isinstance(value, dict) else value


@dataclass(frozen=True)
class Dataset:
    """Samples of one kind and what is known about them.

    Parameters
    ----------
    x : the samples: (n, c, h, w) images of their own integer type or floats, (n, c, t) series, (n, d) table of
        float64. Raw values: scaling is the detector's work. An array, or rows that are read from a file when they are
        asked for, by number, slice or `numpy.asarray`.
    y : the labels as given, (n,) integers or texts, or None.
    ids : (n,) texts: file names in folders, row numbers (from 0) otherwise.
    kind : image, series or table.
    columns : the names of the d columns of a table, one-hot ones as `column=text`, or None.
    notes : sentences for the user about what was done: files left out, values filled, texts never seen.
    reading : what must be applied again to new data.
    classes : the names of the classes that whole-number labels count from 0, or None.
    """

    x: Samples
    y: np.ndarray | None
    ids: np.ndarray
    kind: Kind
    columns: tuple[str, ...] | None
    notes: tuple[str, ...]
    reading: Reading
    classes: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: np.ndarray) -> "Dataset":
        """The data set of some rows, in the order given; those of a file stay there.

        Parameters
        ----------
        rows : row numbers, or a boolean (n,).
        """
        x = self.x.take(rows) if isinstance(self.x, Mapped) else self.x[rows]
        return dataclasses.replace(self, x=x, y=None if self.y is None else self.y[rows], ids=self.ids[rows])


@dataclass(frozen=True)
class Raw:
    """What a source gives before the steps that all sources share.

    Parameters
    ----------
    source : how messages name it.
    x : the values as found; tables may hold NaN for missing values.
    y : the labels as found.
    ids : names of the samples; None numbers them.
    kind : the kind, where the source leaves no doubt.
    split : the half that was read.
    label : the column of the labels.
    drop, keep : the columns that the user left out, or kept.
    encoding : how columns became numbers.
    colour : what folders of images were read as.
    notes : sentences for the user.
    ecg : how recordings were cut into beats.
    protocol : how beats were divided.
    classes : the names of the classes that whole-number labels count.
    """

    source: str
    x: np.ndarray
    y: np.ndarray | None = None
    ids: np.ndarray | None = None
    kind: Kind | None = None
    split: SplitName | None = None
    label: str | None = None
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    encoding: Encoding | None = None
    colour: Colour | None = None
    notes: tuple[str, ...] = ()
    ecg: EcgOptions | None = None
    protocol: str | None = None
    classes: tuple[str, ...] | None = None
