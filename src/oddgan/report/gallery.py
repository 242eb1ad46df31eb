"""Gallery of items, one card each: most anomalous, nearest the threshold, least anomalous, and by class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddgan.evaluate import Run, gallery_groups
from oddgan.report.numbers import number
from oddgan.report.views import View, views

CLASS = "class "
TITLES = {"most": "Most anomalous", "nearest": "Nearest the threshold", "least": "Least anomalous"}


@dataclass(frozen=True)
class Card:
    """One item.

    Parameters
    ----------
    id, row, score : which it is; the row counts from 0.
    flagged : above the threshold.
    label : True for an anomaly, None without labels.
    view : what is shown of it.
    name : of its class, as labelled; empty where there is none.
    """

    id: str
    row: int
    score: str
    flagged: bool
    label: bool | None
    view: View
    name: str = ""

    @property
    def summary(self) -> str:
        """The card's head in words, for who can't see it."""
        label = {None: "", True: ", labelled an anomaly", False: ", labelled normal"}[self.label]
        return f"{self.id}: score {self.score}, {'flagged' if self.flagged else 'not flagged'}{label}"


@dataclass(frozen=True)
class Group:
    """Cards under one title."""

    title: str
    cards: tuple[Card, ...]


def gallery(run: Run) -> list[Group]:
    """Cards of all items of a run: most anomalous, nearest the threshold, least anomalous, then class by class."""
    items = run.items
    if items is None or not len(items.x):
        return []
    known = _known(run)
    threshold = run.info.threshold.value
    shown = views(items, run.info.data)

    def card(i: int) -> Card:
        row, score = int(items.row[i]), float(items.score[i])
        name, label = known.get(row, (str(row), None))
        kind = "" if items.label is None else str(items.label[i])
        return Card(name, row, number(score), score > threshold, label, shown[i], kind)

    groups = gallery_groups(items.score, threshold, each=len(items.x)) if items.group is None else _stored(items.group)
    return [
        Group(_title(name), tuple(card(i) for i in chosen.tolist())) for name, chosen in groups.items() if len(chosen)
    ]


def _stored(group: NDArray[np.str_]) -> dict[str, NDArray[np.int64]]:
    return {name: np.flatnonzero(group == name) for name in dict.fromkeys(group.tolist())}


def _title(group: str) -> str:
    if group.startswith(CLASS):
        return f"Class {group.removeprefix(CLASS)}: highest score, middle, lowest"
    return TITLES.get(group, group)


def _known(run: Run) -> dict[int, tuple[str, bool | None]]:
    """Each row's name and label."""
    table = run.scores
    if table is None:
        return {}
    labels = [None] * len(table) if table.label is None else table.label.tolist()
    return dict(zip(table.row.tolist(), zip(table.id.tolist(), labels, strict=True), strict=True))
