"""Where the pages are, and their code blocks."""

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts)]
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[\w{}-]*)\n(?P<code>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)


class Block(NamedTuple):
    """A fenced block: its language, its code without indentation, and the line that its code starts on, from 1."""

    language: str
    code: str
    line: int


def blocks_of(text):
    """The fenced blocks of a page."""
    found = []
    for match in _FENCE.finditer(text):
        indent = len(match["indent"])
        code = "".join(line[indent:] if line.strip() else line for line in match["code"].splitlines(keepends=True))
        found.append(Block(match["language"], code, text.count("\n", 0, match.start("code")) + 1))
    return found


def name_of(page):
    """A page's name in the list of tests."""
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="session")
def extension():
    """The package that fills the pages."""
    pytest.importorskip("sphinx", reason="needs sphinx, which the docs extra brings")
    sys.path.insert(0, str(DOCS / "_ext"))
    yield pytest.importorskip("oddgan_docs")
    sys.path.remove(str(DOCS / "_ext"))


@pytest.fixture
def store(tmp_path):
    """Writes the results file of a benchmark; the folder that holds the results comes back."""

    def written(benchmark, records):
        (tmp_path / "results").mkdir(exist_ok=True)
        document = {"schema": 1, "machine": "a machine", "versions": {}, "records": records}
        (tmp_path / "results" / f"{benchmark}.json").write_text(json.dumps(document))
        return tmp_path

    return written


@pytest.fixture
def part(extension, store, tmp_path):
    """Fills a mark of a page from the records of a benchmark, or without any."""

    def filled(mark, benchmark="", records=()):
        if benchmark:
            store(benchmark, records)
        return extension.results.PARTS[mark](tmp_path).replace("\N{NO-BREAK SPACE}", " ")

    return filled
