"""What the pages take from the package at build time, so that they can't contradict it.

A comment line in a page, `<!-- generated: NAME -->`, is replaced by what the function of that name returns: one
of `PARTS`, about the package, or of `results.PARTS`, about benchmark results.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from oddgan_docs import (
    benchmarks,
    catalogue,
    curves,
    docstrings,
    fields,
    figures,
    heartbeats,
    latent,
    mathml,
    matrix,
    results,
    search_paths,
    stabilisers,
    tables,
)

MARK = re.compile(r"^<!-- generated: ([\w-]+) -->$", flags=re.MULTILINE)
RESULTS = Path(__file__).resolve().parents[3] / "benchmarks"

PAGES = (curves, fields, figures, heartbeats, latent, search_paths, stabilisers, tables)
"""What is made from benchmark results: these modules put their parts into `results.PARTS`."""

PARTS: dict[str, Callable[[], str]] = {
    "methods-table": catalogue.methods_table,
    "methods": catalogue.methods,
    "common-parameters": catalogue.common_parameters,
    "parts": catalogue.parts,
    "presets": catalogue.presets,
    "methods-matrix": matrix.methods_matrix,
    "methods-components": matrix.methods_components,
    "networks-matrix": matrix.networks_matrix,
    "benchmarks": lambda: benchmarks.benchmarks(RESULTS),
}


def fill(text: str) -> str:
    """Replace every mark in a page."""

    def filled(mark: re.Match[str]) -> str:
        name = mark[1]
        return results.PARTS[name](RESULTS) if name in results.PARTS else PARTS[name]()

    return MARK.sub(filled, text)


def _fill_page(_app: Sphinx, _name: str, source: list[str]) -> None:
    source[0] = fill(source[0])


def _outdated(app: Sphinx, *_: Any) -> list[str]:
    """The pages with marks, in every build: what fills them changes without their files."""
    env = app.env
    return [name for name in env.found_docs if MARK.search(env.doc2path(name).read_text(encoding="utf-8"))]


def _docstring(_app: Sphinx, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = docstrings.to_rst("\n".join(lines)).splitlines()


def _skip(_app: Sphinx, what: str, _name: str, obj: Any, _skip: bool, _options: Any) -> bool | None:
    """Leave out values that only stand for a field's default: fields are among the class's parameters."""
    foreign = callable(obj) and not str(getattr(obj, "__module__", "")).startswith("oddgan")
    return True if what == "class" and foreign else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("env-get-outdated", _outdated)
    app.connect("source-read", _fill_page)
    app.connect("autodoc-process-docstring", _docstring)
    app.connect("autodoc-skip-member", _skip)
    app.add_html_math_renderer("mathml", (mathml.inline, None), (mathml.block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
