import json
import re
import shutil
import sys
from dataclasses import replace
from html.parser import HTMLParser
from importlib.util import find_spec

import numpy as np
import pytest

from oddgan import InputError, MissingExtraError
from oddgan.evaluate import (
    CompositionInfo,
    Items,
    LatentMap,
    ScoreTable,
    read_run,
    write_items,
    write_run_info,
    write_scores,
)
from oddgan.report import render

EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)>'


@pytest.fixture
def copy(tmp_path, table_run):
    return shutil.copytree(table_run, tmp_path / "run")


class Tags(HTMLParser):
    """Collects tags and their attributes, and complains when they do not nest."""

    VOID = frozenset({"meta", "img", "line", "path", "circle", "br", "link"})

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def named(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


@pytest.mark.parametrize("name", ["image_run", "table_run", "series_run"])
def test_page_is_whole_and_fetches_nothing(request, tmp_path, name):
    text = render(request.getfixturevalue(name), out=tmp_path / "r.html").read_text(encoding="utf-8")
    tags = Tags(text)
    ids = [attrs["id"] for _, attrs in tags.found if attrs.get("id")]
    assert len(ids) == len(set(ids))
    assert {"summary", "scores", "items", "training", "settings"} <= set(ids)
    assert {"script", "link", "iframe"} & {tag for tag, _ in tags.found} == set()
    assert all(attrs["src"].startswith("data:image/png;base64,") and attrs["alt"] for attrs in tags.named("img"))
    assert "url(" not in text
    (policy,) = (a["content"] for a in tags.named("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert {"default-src 'none'", "script-src 'none'", "img-src data: blob:"} <= set(policy.split("; "))
    assert "nan" not in re.findall(r'(?:d|x|y|x1|x2|cx|cy)="([^"]*)"', text)
    targets = {a["href"][1:] for a in tags.named("a") if a["href"].startswith("#")}
    assert targets <= set(ids)


def test_default_place_and_force(copy):
    assert render(copy) == copy / "report.html"
    first = (copy / "report.html").read_bytes()
    assert render(copy).read_bytes() == first
    with pytest.raises(InputError, match="exists already"):
        render(copy, force=False)


def test_without_labels_there_are_no_metrics(series_run, tmp_path):
    text = render(series_run, out=tmp_path / "r.html").read_text()
    assert "plot-scores" in text
    assert "plot-roc" not in text
    assert "AUROC" not in text


def test_metrics_come_from_labels_when_none_are_stored(copy):
    info = read_run(copy).info
    write_run_info(copy, info.model_copy(update={"metrics": None}), force=True)
    assert "AUROC 0.9" in render(copy).read_text()


def test_oracle_metrics_are_called_so(copy):
    assert "Best F1 (oracle)" in render(copy).read_text()


def test_results_that_used_labels_are_marked(copy):
    info = read_run(copy).info
    assert "semi-supervised" not in render(copy).read_text().casefold().partition("<body>")[2]
    part = CompositionInfo(
        text=f"SVM({EVIL})", components=("residual", "latent"), weights={"latent": 0.25}, needs_labels=True
    )
    write_run_info(copy, info.model_copy(update={"composition": part, "semi_supervised": True}), force=True)
    text = render(copy).read_text()
    assert text.count('<span class="badge supervised">semi-supervised</span>') == 2  # by the title and the metrics
    assert "Semi-supervised: the composition (SVM) was chosen with labels of anomalies." in text
    assert "SVM(&lt;script&gt;" in text
    assert "residual, latent (0.25)" in text
    Tags(text)


def test_a_run_that_only_says_that_labels_had_a_part_is_marked(copy):
    info = read_run(copy).info
    write_run_info(copy, info.model_copy(update={"semi_supervised": True}), force=True)
    assert "labels had a part in the score or the threshold" in render(copy).read_text()


def test_run_json_alone_is_enough(copy):
    for name in ("scores.csv", "items.npz", "events.jsonl"):
        (copy / name).unlink()
    text = render(copy).read_text()
    assert "This run has no scores" in text
    Tags(text)


def test_every_text_is_escaped(copy):
    run = read_run(copy)
    data = run.info.data.model_copy(update={"source": EVIL, "columns": (EVIL,) * 30, "notes": (EVIL,)})
    method = run.info.method.model_copy(
        update={"name": EVIL, "title": EVIL, "authors": EVIL, "link": "javascript:alert(1)", "deviations": (EVIL,)}
    )
    changes = {"name": EVIL, "data": data, "method": method, "command": (EVIL,), "notes": (EVIL,)}
    changes |= {
        "parameters": {EVIL: {"type": EVIL, EVIL: EVIL}, "b": 1},
        "settings": {"b": EVIL},
        "environment": {EVIL: EVIL},
        "components": (EVIL,),
    }
    write_run_info(copy, run.info.model_copy(update=changes), force=True)
    columns = run.scores.columns() | {"id": np.full(len(run.scores), EVIL)}
    write_scores(copy / "scores.csv", ScoreTable.of(columns), force=True)
    event = {
        "event": "epoch",
        "phase": EVIL,
        "phase_index": 0,
        "epoch": 1,
        "epochs": 1,
        "losses": {EVIL: 1},
        "seconds": 1,
    }
    (copy / "events.jsonl").write_text(json.dumps(event) + "\n")
    text = render(copy).read_text()
    tags = Tags(text)
    assert tags.named("script") == []
    assert not any("onerror" in attrs for _, attrs in tags.found)
    assert not any(a.get("href", "").startswith("javascript") for a in tags.named("a"))
    assert text.count("&lt;script&gt;") >= 10
    interactive = render(copy, interactive=True).read_text()
    assert EVIL not in interactive
    assert interactive.count("</script>") == 2


def test_values_that_are_not_finite_leave_no_trace_in_the_drawing(copy):
    run = read_run(copy)
    scores = run.scores.anomaly_score.copy()
    scores[:3] = [np.nan, np.inf, -np.inf]
    columns = run.scores.columns() | {"anomaly_score": scores}
    write_scores(copy / "scores.csv", ScoreTable.of(columns), force=True)
    x = run.items.x.copy()
    x[:, 0] = np.nan
    items = Items(run.items.row, x, run.items.score, run.items.reconstruction, np.full_like(run.items.map, np.nan))
    write_items(copy / "items.npz", items, force=True)
    text = render(copy).read_text()
    assert "3 scores are NaN or infinite" in text
    assert not re.search(r'(?:d|x|y|x1|x2|cx|cy)="[^"]*(?:nan|inf)', text)


def test_interactive_embeds_plotly_once(copy, tmp_path):
    pytest.importorskip("plotly")
    text = render(copy, out=tmp_path / "i.html", interactive=True).read_text()
    assert len(Tags(text).named("script")) == 2
    assert 4e6 < len(text) < 6e6
    assert len(render(copy).read_text()) < 2e5


def test_interactive_without_its_extra_names_it(copy, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(MissingExtraError, match=r"oddgan\[report\]"):
        render(copy, interactive=True)
    assert not (copy / "report.html").exists()


def test_not_a_run_folder(tmp_path):
    with pytest.raises(InputError, match="is not a run folder"):
        render(tmp_path)


def test_ways_through_a_latent_space_of_two_dimensions(copy):
    path = copy / "items.npz"
    with np.load(path) as file:
        arrays = dict(file)
    assert "Ways through the latent space" not in render(copy, force=True).read_text(encoding="utf-8")
    way = np.random.default_rng(0).normal(size=(len(arrays["x"]), 3, 4, 2))
    write_items(path, Items(**arrays, way=way), force=True)
    page = render(copy, force=True).read_text(encoding="utf-8")
    rows = arrays["row"][[arrays["score"].argmin(), arrays["score"].argmax()]]
    assert "Ways through the latent space" in page
    assert f"least anomalous (row {rows[0]})" in page
    assert f"most anomalous (row {rows[1]})" in page


@pytest.mark.parametrize("labelled", [True, False])
def test_a_map_of_the_latent_space(copy, tmp_path, labelled):
    run = read_run(copy)
    label = np.array(["normal", "<b>"] * 5) if labelled else None
    latent = LatentMap("PCA", np.arange(20.0).reshape(10, 2), np.arange(10.0), label)
    assert 'id="latent"' not in render(copy).read_text()
    write_items(copy / "items.npz", replace(run.items, latent=latent), force=True)
    text = render(copy).read_text()
    Tags(text)
    assert "Latent space by score" in text
    assert ("Latent space by class" in text) == labelled
    assert "<b>" not in text
    if find_spec("plotly"):
        assert '"mode": "markers"' in render(copy, out=tmp_path / "i.html", interactive=True).read_text()
