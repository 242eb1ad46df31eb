from dataclasses import replace

import numpy as np

from oddgan.evaluate import read_run
from oddgan.report.gallery import gallery


def test_three_groups_ordered_by_score(table_run):
    groups = gallery(read_run(table_run))
    assert [g.title for g in groups] == ["Most anomalous", "Nearest the threshold", "Least anomalous"]
    assert [len(g.cards) for g in groups] == [6, 6, 6]
    scores = [float(c.score) for c in groups[0].cards]
    assert scores == sorted(scores, reverse=True)
    assert all(c.flagged for c in groups[0].cards)
    assert not any(c.flagged for c in groups[2].cards)


def test_cards_know_id_and_label(table_run):
    run = read_run(table_run)
    label = dict(zip(run.scores.row.tolist(), run.scores.label.tolist(), strict=True))
    for card in gallery(run)[1].cards:
        assert card.id == f"builtin:breast-cancer-{card.row}"
        assert card.label is label[card.row]
        assert ("labelled an anomaly" in card.summary) == card.label


def test_without_a_table_of_scores_rows_are_the_names(series_run):
    card = gallery(replace(read_run(series_run), scores=None))[0].cards[0]
    assert card.id == str(card.row)
    assert card.label is None


def test_without_items_there_is_no_gallery(series_run):
    assert gallery(replace(read_run(series_run), items=None)) == []


def test_row_numbers_are_looked_up_not_positions(table_run):
    run = read_run(table_run)
    assert not np.array_equal(run.scores.row, np.arange(len(run.scores)))  # otherwise the test above proves nothing


def test_stored_groups_are_shown_as_they_are(series_run):
    run = read_run(series_run)
    group = np.repeat(["most", "class V", "class N"], [2, 3, len(run.items.x) - 5])
    label = np.repeat(["V", "N"], [5, len(run.items.x) - 5])
    groups = gallery(replace(run, items=replace(run.items, group=group, label=label)))
    titles = [g.title for g in groups]
    assert titles == ["Most anomalous", *(f"Class {c}: highest score, middle, lowest" for c in "VN")]
    assert [c.row for c in groups[1].cards] == run.items.row[2:5].tolist()
    assert {c.name for c in groups[1].cards} == {"V"}
