"""What the pages show works: Python runs in order, page by page; commands are understood, and the quick ones run."""

import importlib.util
import shlex
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from .conftest import DOCS, PAGES, ROOT, blocks_of, name_of

# Pages whose commands are run in order, in a folder that holds the pictures of the walk-through.
RUN = (ROOT / "README.md", DOCS / "quickstart.md", DOCS / "scores.md")


def python_of(page):
    """The page's Python, with one epoch; every line is where it stands in the page, so that errors name its lines."""
    lines = [""] * len(page.read_text(encoding="utf-8").splitlines())
    for block in blocks_of(page.read_text(encoding="utf-8")):
        if block.language == "python":
            code = block.code.replace("epochs=50", "epochs=1").splitlines()
            lines[block.line - 1 : block.line - 1 + len(code)] = code
    return "\n".join(lines) + "\n"


def commands_of(page):
    """The `oddgan` commands of a page's shell blocks, as lists of words."""
    blocks = [b for b in blocks_of(page.read_text(encoding="utf-8")) if b.language == "sh"]
    words = [shlex.split(line, comments=True) for b in blocks for line in b.code.splitlines()]
    return [w[1:] for w in words if w[:1] == ["oddgan"]]


def quicker(words):
    """The same command with one epoch and smaller pictures."""
    if words[:2] != ["fit", "ganomaly"] or "--help" in words:
        return words
    return [*("16" if word == "64" else word for word in words), "--set", "epochs=1"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with the walk-through's pictures."""
    random = np.random.default_rng(0)
    for place, count in {"tiles/normal": 12, "new": 2, "checked/normal": 3, "checked/crack": 3}.items():
        (tmp_path / place).mkdir(parents=True)
        for i in range(count):
            pixels = random.integers(90, 110, size=(40, 48), dtype=np.uint8)
            pixels[10:14] += 100 * ("crack" in place)
            Image.fromarray(pixels).save(tmp_path / place / f"{i:03}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", [p for p in PAGES if python_of(p).strip()], ids=name_of)
def test_python_of_a_page_runs(page, folder, monkeypatch):
    script = folder / f"{page.stem}.py"
    script.write_text(python_of(page), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"page_{page.stem}", script)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # its classes can be pickled
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        spec.loader.exec_module(module)
    for name, value in list(vars(module).items()):  # a page about tests shows some
        if name.startswith("test_"):
            value()


@pytest.mark.parametrize("page", [p for p in PAGES if commands_of(p)], ids=name_of)
def test_commands_of_a_page_are_understood(page):
    app = pytest.importorskip("oddgan.cli.main").app
    for words in commands_of(page):
        if "--help" not in words:
            app.parse_args(words, exit_on_error=False, print_error=False)


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_commands_of_a_page_run_in_order(page, folder):
    main = pytest.importorskip("oddgan.cli.main").main
    for words in commands_of(page):
        if words[0] == "report":
            continue  # its run folder is named by the time
        assert main(quicker(words)) == 0, words
    if any("--heatmaps" in words for words in commands_of(page)):
        assert sorted(p.name for p in (folder / "maps").iterdir()) == ["000.png", "001.png"]
        assert (
            (folder / "scores.csv").read_text(encoding="utf-8").startswith("row,id,anomaly_score,is_anomaly,p_value\n")
        )
