"""Published numbers stand in one file, complete, once, and programs show no others."""

import importlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from oddgan.evaluate import read_results

FOLDER = Path(__file__).parents[2] / "benchmarks"
VERIFIED = ("read in", "from memory", "computed from")


@pytest.fixture
def published(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("harness.published")


def key(record):
    return (record.data, record.protocol, record.case, record.method, record.metric)


def test_every_number_is_complete(published):
    """An empty or missing field is refused on reading; what is left is that words are those that readers know."""
    assert len(published.tables()) > 10
    for table in published.tables():
        assert table.verified.startswith(VERIFIED), table.verified
        assert ("from memory" in table.protocol) <= table.verified.startswith("from memory"), table.protocol
        assert all((FOLDER / f"{program}.py").exists() for program in table.programs)
        assert all(r.unit != "1" or 0 <= r.value <= 1 for r in table.records())


def test_no_number_stands_twice(published):
    keys = [(program, key(r)) for table in published.tables() for program in table.programs for r in table.records()]
    assert len(keys) == len(set(keys))


def test_what_two_tables_say_of_one_source_is_the_same(published):
    """The same number under two names of its protocol."""
    found = {}
    for table in published.tables():
        for r in table.records():
            about = (table.source, r.data, r.case, r.method, r.metric)
            assert found.setdefault(about, r.value) == r.value, about


def test_programs_show_what_the_file_holds(published):
    """Committed results and the file agree, and no program makes such records by itself."""
    for path in (FOLDER / "results").glob("*.json"):
        shown = [r for r in read_results(path).records if r.role == "published"]
        assert shown == published.records(path.stem), path.stem
    programs = {p.stem: p.read_text(encoding="utf-8") for p in FOLDER.glob("*.py")}
    assert not [name for name, text in programs.items() if 'role="published"' in text or "published.records" in text]
    named = {program for table in published.tables() for program in table.programs}
    assert {name for name, text in programs.items() if ".publish()" in text} == named


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("source", ""), ("verified", ""), ("programs", []), ("values", {"A": [0.5, 0.5, {"spread": 0.1}]})],
)
def test_an_incomplete_table_is_refused(published, field, wrong):
    given = {
        "programs": ["mnist"], "data": "MNIST", "protocol": "OC-std", "cases": ["digit 0"], "metrics": ["AUROC"],
        "source": "a paper, table 1", "verified": "read in the paper", "values": {"A": [0.5]},
    }  # fmt: skip
    assert published.Table.model_validate(given).records()[0].value == 0.5
    with pytest.raises(ValidationError):
        published.Table.model_validate(given | {field: wrong})
    with pytest.raises(ValidationError):
        published.Table.model_validate({name: value for name, value in given.items() if name != field})


def test_numbers_go_to_cases_and_metrics_in_order(published):
    given = {
        "programs": ["alad"], "data": "KDD", "protocol": "p", "cases": ["a", "b"], "metrics": ["AUROC", "AP"],
        "source": "s", "verified": "from memory", "values": {"A": [0.1, 0.2, {"value": 0.3, "spread": 0.01}, 0.4]},
    }  # fmt: skip
    table = published.Table.model_validate(given)
    assert [(r.case, r.metric, r.value, r.role) for r in table.records()] == [
        ("a", "AUROC", 0.1, "published"), ("a", "AP", 0.2, "published"),
        ("b", "AUROC", 0.3, "published"), ("b", "AP", 0.4, "published"),
    ]  # fmt: skip
    assert [n.spread for n in table.values["A"]] == [None, None, 0.01, None]
    with pytest.raises(ValueError, match="shorter"):
        table.model_copy(update={"cases": ("a", "b", "c")}).records()
