"""Formulas as MathML, which browsers draw themselves: no script, no font to fetch."""

import html
from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml


def convert(formula: str, *, block: bool) -> str:
    """Turn LaTeX into a MathML element."""
    return latex2mathml.tex2mathml(formula, as_block=block)


def inline(writer: Any, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    writer.body.append(convert(node.astext(), block=False))
    raise nodes.SkipNode


def block(writer: Any, node: nodes.math_block) -> None:
    """Write a formula of its own."""
    label = html.escape(" ".join(node.astext().split()))
    writer.body.append(f'<div class="math" title="{label}">{convert(node.astext(), block=True)}</div>\n')
    raise nodes.SkipNode
