"""Result records: one measured or published number with everything needed to read it, and the files that hold them."""

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat, JsonValue, ValidationError

from oddgan._core.errors import InputError
from oddgan._core.files import new_file
from oddgan._core.paths import regular_file

SCHEMA = 1
SEMI_SUPERVISED = "†"
"""Marks numbers that labels had a part in."""
Role = Literal["measured", "published", "floor"]


class Record(BaseModel):
    """One number of a benchmark.

    Parameters
    ----------
    case : which row of the benchmark, e.g. a class or a file.
    method : the detector's name.
    data, protocol : the data set and how it was split.
    settings : hyperparameters that differ from the method's defaults.
    metric, value, unit : what was measured; unit is "1" for a share.
    seed : of training; None where nothing is random or none was published.
    n_test : rows that were scored; None where not published.
    cpu_s : seconds of processor time, training and scoring; None where not measured.
    role : measured here, published elsewhere, or a floor that any method should beat.
    baseline : for speed, the reference's value in the same unit.
    ratio : baseline / value, so above 1 is better.
    composition : how components became the score, in words; None where it is the method's own, or not known.
    semi_supervised : whether labels had a part in the score or the threshold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    method: str
    data: str
    protocol: str
    settings: dict[str, JsonValue]
    metric: str
    value: FiniteFloat
    unit: str
    seed: int | None
    n_test: int | None
    cpu_s: FiniteFloat | None
    role: Role
    baseline: FiniteFloat | None = None
    ratio: FiniteFloat | None = None
    composition: str | None = None
    semi_supervised: bool = False


class Results(BaseModel):
    """What a results file holds.

    Parameters
    ----------
    machine : what ran it, in words.
    versions : package names and versions.
    records : the numbers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: str
    versions: dict[str, str]
    records: tuple[Record, ...]


@dataclass(frozen=True)
class Spread:
    """Mean and spread of one number over seeds; its text has the mark † where labels had a part in it.

    Parameters
    ----------
    record : the first of the records; its seed and value stand for all.
    mean : over the records.
    sd : sample standard deviation (n - 1); None for a single record.
    n : records.
    """

    record: Record
    mean: float
    sd: float | None
    n: int

    def __str__(self) -> str:
        number = f"{self.mean:.3f}" if self.sd is None else f"{self.mean:.3f} ± {self.sd:.3f}"
        return number + SEMI_SUPERVISED * self.record.semi_supervised


def write_results(
    path: str | Path, machine: str, versions: Mapping[str, str], records: Iterable[Record], *, force: bool = True
) -> None:
    """Write a results file, whole or not at all, in a stable order of keys so that differences are readable.

    Parameters
    ----------
    path : the .json file.
    machine : what ran it, in words.
    versions : package names and versions.
    records : in the order to keep.
    force : replace an existing file.
    """
    document = {
        "schema": SCHEMA,
        "machine": machine,
        "versions": dict(versions),
        "records": [r.model_dump(mode="json", exclude_unset=True) for r in records],
    }
    with new_file(path, force=force) as temporary:
        text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_results(path: str | Path) -> Results:
    """Read a results file.

    Raises
    ------
    InputError
        If the file is missing, not JSON, of a newer schema, or a record lacks or adds a field.
    """
    try:
        document = json.loads(regular_file(path).read_text(encoding="utf-8"))
    except InputError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} can't be read as a results file: {error}.") from error
    schema = document.pop("schema", None) if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise InputError(f"{path} has the results schema {schema}: this version of oddgan reads {SCHEMA}.")
    try:
        return Results.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path} is not a results file: {where}: {first['msg']}.") from error


def spread(records: Sequence[Record]) -> list[Spread]:
    """Mean ± standard deviation over seeds, one for each group that differs in nothing but seed, value and time."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        same = record.model_dump(mode="json", exclude={"seed", "value", "cpu_s", "baseline", "ratio"})
        groups.setdefault(json.dumps(same, sort_keys=True), []).append(record)
    found = []
    for members in groups.values():
        values = [m.value for m in members]
        sd = statistics.stdev(values) if len(values) > 1 else None
        found.append(Spread(members[0], math.fsum(values) / len(values), sd, len(values)))
    return found
