"""Numbers that others published, from `published.toml`."""

import tomllib
from functools import cache
from itertools import product
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat

from harness.paths import PUBLISHED
from harness.records import Setup
from oddgan.evaluate import Record

Text = Annotated[str, Field(min_length=1)]


class Number(BaseModel):
    """A published number.

    Parameters
    ----------
    value : in the unit of its table.
    spread : its standard deviation; None where the source gives none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: FiniteFloat
    spread: FiniteFloat | None = None


def _number(given: object) -> object:
    return {"value": given} if isinstance(given, int | float) else given


class Table(BaseModel):
    """Numbers of one source under one protocol.

    Parameters
    ----------
    programs : the benchmarks whose results show them.
    data, protocol : the data set and how rows were divided.
    cases, metrics, unit, n_test : as in `Record`.
    source : paper, table or page.
    verified : how the numbers were checked.
    values : by method, one for each case and metric, cases outermost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    programs: Annotated[tuple[Text, ...], Field(min_length=1)]
    data: Text
    protocol: Text
    cases: Annotated[tuple[Text, ...], Field(min_length=1)]
    metrics: Annotated[tuple[Text, ...], Field(min_length=1)]
    unit: Text = "1"
    n_test: int | None = None
    source: Text
    verified: Text
    values: dict[Text, tuple[Annotated[Number, BeforeValidator(_number)], ...]]

    def records(self) -> list[Record]:
        """The numbers as records of a results file."""
        columns = list(product(self.cases, self.metrics))
        return [
            Setup(case, method, self.data, self.protocol, {}, n_test=self.n_test, role="published").record(
                metric, number.value, self.unit
            )
            for method, numbers in self.values.items()
            for (case, metric), number in zip(columns, numbers, strict=True)
        ]


@cache
def tables() -> tuple[Table, ...]:
    """All tables of the file."""
    document = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))
    return tuple(Table.model_validate(table) for table in document["table"])


def records(program: str) -> list[Record]:
    """What a benchmark shows beside its own numbers."""
    return [record for table in tables() if program in table.programs for record in table.records()]
