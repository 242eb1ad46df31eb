"""The items that a reader looks at: one card each, in three groups."""

from dataclasses import dataclass

from oddgan.evaluate import Run, gallery_groups
from oddgan.report.views import View, views
from oddgan.report.wording import number

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
    """

    id: str
    row: int
    score: str
    flagged: bool
    label: bool | None
    view: View

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
    """Cards of all items of a run: most anomalous, nearest the threshold, least anomalous."""
    items = run.items
    if items is None or not len(items.x):
        return []
    known = _known(run)
    threshold = run.info.threshold.value
    shown = views(items, run.info.data)

    def card(i: int) -> Card:
        row, score = int(items.row[i]), float(items.score[i])
        name, label = known.get(row, (str(row), None))
        return Card(name, row, number(score), score > threshold, label, shown[i])

    groups = gallery_groups(items.score, threshold, each=len(items.x))
    return [
        Group(TITLES[name], tuple(card(i) for i in chosen.tolist())) for name, chosen in groups.items() if len(chosen)
    ]


def _known(run: Run) -> dict[int, tuple[str, bool | None]]:
    """Each row's name and label."""
    table = run.scores
    if table is None:
        return {}
    labels = [None] * len(table) if table.label is None else table.label.tolist()
    return dict(zip(table.row.tolist(), zip(table.id.tolist(), labels, strict=True), strict=True))
