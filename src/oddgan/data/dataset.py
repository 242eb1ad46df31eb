"""What reading gives: a data set, and how to read new data in the same way."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from oddgan._core.errors import InputError
from oddgan._core.memmap import Mapped, Samples
from oddgan._core.parts import check_arguments
from oddgan.data.ecg.options import EcgOptions

Kind = Literal["image", "series", "table"]
SplitName = Literal["train", "test"]
Colour = Literal["grey", "rgb"]
Impute = Literal["median"]

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "kind": ("image", "series", "table"),
    "split": ("train", "test"),
    "colour": ("grey", "rgb"),
    "impute": ("median",),
}


@dataclass(frozen=True)
class Options:
    """What the user says about a source. None means: find out.

    Parameters
    ----------
    x : the key of the data in an npz file; None takes x, X, x_train or x_test, or the only array there is.
    y : the key of the labels in an npz file; None takes y, y_train or y_test.
    label : the column of a table that holds the labels; None means there are none.
    drop : columns of a table to leave out.
    keep : the only columns of a table to read, beside the labels; empty reads all.
    categorical : columns of a table that become one column for each of their texts, however many or whatever they are.
    split : which half of a source that holds both, train or test; None leaves the choice to the command.
    normal : the label of normal rows; None means 0, or the texts normal and good.
    kind : image, series or table; None goes by the shape.
    resize : height and width that every image gets; None keeps the size.
    colour : grey or rgb, for images; None keeps what there is (grey if every file of a folder is grey, else rgb).
    impute : median fills missing values of tables with the median of the normal rows read; None refuses them.
    skip_bad : leave out images and records that can't be read, with a note.
    ecg : how recordings of hearts are cut into beats; None cuts as the published set of beats.
    protocol : how the beats of MIT-BIH are divided, see `oddgan.data.ecg.split_beats`; None takes patient-wise.
    mapped : read a folder of images, a csv or a parquet file piece by piece into a temporary file that is mapped into
        memory, and an npy file where it lies: for data that do not fit into memory.
    max_memory : bytes that data may take in memory; None allows three quarters of what the machine has, and to files
        that are compressed no more than 200 times their size (but 256 MiB).

    Raises
    ------
    InputError
        If a choice is none of those above.
    """

    x: str | None = None
    y: str | None = None
    label: str | None = None
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    split: SplitName | None = None
    normal: str | int | None = None
    kind: Kind | None = None
    resize: tuple[int, int] | None = None
    colour: Colour | None = None
    impute: Impute | None = None
    skip_bad: bool = False
    ecg: EcgOptions | None = None
    protocol: str | None = None
    mapped: bool = False
    max_memory: int | None = None

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in known:
                raise InputError(f"{name} is {value!r}; expected {' or '.join(known)}.")
        for name in ("drop", "keep", "categorical"):
            if isinstance(getattr(self, name), str):
                raise InputError(f"{name} is {getattr(self, name)!r}; expected a tuple of names of columns.")
        if self.drop and self.keep:
            raise InputError("drop and keep both choose columns: give --drop or --keep, not both.")
        if self.resize is not None and (len(self.resize) != 2 or min(self.resize) < 1):
            raise InputError(f"resize is {self.resize!r}; expected a height and a width of at least 1 pixel.")
        if self.max_memory is not None and self.max_memory < 1:
            raise InputError(f"max_memory is {self.max_memory!r}; expected a number of bytes from 1 on.")


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
