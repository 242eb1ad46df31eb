"""Pages that are made from the package: they say what the package says."""

import dataclasses

import pytest

from oddgan.base import Card
from oddgan.detectors import classes

from .conftest import DOCS, ROOT, blocks_of

RECORD = {
    "case": "digit 0",
    "method": "kNN",
    "data": "MNIST",
    "protocol": "OC-std",
    "settings": {},
    "metric": "AUROC",
    "unit": "1",
    "n_test": 10,
    "cpu_s": 1.0,
    "role": "measured",
}


@pytest.fixture
def write_benchmark(store):
    """Writes a benchmark and its results."""

    def written(*records):
        (store("one", records) / "one.py").write_text('"""What it measures."""\nBench("one", "")\n')

    return written


@pytest.fixture(scope="module")
def methods_page(extension):
    return extension.catalogue.methods()


def test_every_mark_is_filled(extension):
    for page in DOCS.rglob("*.md"):
        if "_build" not in page.parts:
            assert "<!-- generated:" not in extension.fill(page.read_text(encoding="utf-8")), page


def test_an_unknown_mark_is_an_error(extension):
    with pytest.raises(KeyError, match="nonsense"):
        extension.fill("<!-- generated: nonsense -->")


@pytest.mark.parametrize("name", classes())
def test_each_method_has_a_section_with_its_paper_parameters_and_deviations(methods_page, name):
    section = methods_page.split(f"\n### {name}\n")[1].split("\n### ")[0]
    card: Card = classes()[name].card
    assert str(card.year) in section
    assert section.count("\n1. ") == bool(card.deviations)
    parameters = {field.name for field in dataclasses.fields(classes()[name])}  # class variables are none
    own = parameters & set(classes()[name].__annotations__)
    assert not [field for field in own if f"`{field}" not in section]


@pytest.mark.parametrize("name", classes())
def test_the_readme_lists_each_method(name):
    line = next(s for s in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if s.startswith(f"| `{name}`"))
    assert classes()[name].card.summary in line


def test_benchmarks_show_mean_and_spread_and_name_the_published_protocol(extension, write_benchmark, tmp_path):
    # The mean of 0.98 and 0.99 is 0.985, their sample standard deviation 0.01/√2 = 0.0071.
    write_benchmark(
        RECORD | {"value": 0.98, "seed": 0},
        RECORD | {"value": 0.99, "seed": 1},
        RECORD | {"value": 0.9, "seed": None, "role": "published", "protocol": "OC-5000", "n_test": None},
    )
    page = extension.benchmarks.benchmarks(tmp_path)
    assert "| kNN | 0.985 ± 0.007 | OC-std | 2 |" in page
    assert "| *kNN* (published) | 0.900 | OC-5000 |  |" in page


def test_cases_without_a_common_method_have_tables_of_their_own(extension, write_benchmark, tmp_path):
    # "a" and "b" both have kNN, "b" and "c" both have PCA; "d" stands alone.
    pairs = [("a", "kNN"), ("c", "PCA"), ("d", "KDE"), ("b", "kNN"), ("b", "PCA")]
    write_benchmark(*(RECORD | {"case": c, "method": m, "value": 0.9, "seed": 0} for c, m in pairs))
    heads = [s for s in extension.benchmarks.benchmarks(tmp_path).splitlines() if s.startswith("| method")]
    assert [h.split(" | protocol")[0] for h in heads] == ["| method | a | c | b", "| method | d"]


def test_a_benchmark_without_results_is_not_measured_yet(extension, write_benchmark, tmp_path):
    write_benchmark()
    (tmp_path / "results" / "one.json").unlink()
    page = extension.benchmarks.benchmarks(tmp_path)
    assert "What it measures." in page
    assert "Not measured yet" in page


def test_literal_blocks_of_docstrings_keep_their_lines(extension):
    body = "Sum up.\n\n    a: |x - y|\n    b: x*\n\nwith |x| and `a <= b`, see offset_.\n\n"
    doc = body + "Parameters\n----------\nn, m : how\n    many.\n"
    rst = extension.docstrings.to_rst(doc)
    assert "::\n\n    a: |x - y|\n    b: x*\n" in rst
    assert r"with \|x\| and ``a <= b``, see offset\_." in rst
    assert ":param n: how many.\n:param m: how many." in rst


def test_blocks_know_their_line():
    text = "a\n\n```python\nx = 1\n```\n\n1. b\n\n   ```sh\n   oddgan methods\n   ```\n"
    assert blocks_of(text) == [("python", "x = 1\n", 4), ("sh", "oddgan methods\n", 10)]


def test_settings_tell_lines_apart_only_where_one_case_has_several(extension, write_benchmark, tmp_path):
    def of(case, value, **settings):
        return RECORD | {"case": case, "value": value, "seed": 0, "settings": settings}

    write_benchmark(of("digit 0", 0.9, width=1), of("digit 1", 0.8, width=2))
    page = extension.benchmarks.benchmarks(tmp_path)
    assert "| kNN | 0.900 | 0.800 | OC-std | 1 |" in page
    assert "settings" not in page
    (tmp_path / "results" / "one.json").unlink()
    write_benchmark(of("digit 0", 0.9, width=1), of("digit 0", 0.8, width=2))
    page = extension.benchmarks.benchmarks(tmp_path)
    assert "| kNN | 0.900 | OC-std | 1 | width=1 |" in page
    assert "| kNN | 0.800 | OC-std | 1 | width=2 |" in page
