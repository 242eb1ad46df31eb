"""The house's docstrings for Sphinx: sections in numpy style whose types are in the annotations.

Formulas are indented blocks of plain text, so they keep their lines; `.. math::` blocks are passed on.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_RULE = re.compile(r"^-{3,}$")
_ENTRY = re.compile(r"^(\w+(?:, \w+)*) : (.*)$")
_CODE = re.compile(r"((?::[\w:]+:)?`[^`]+`|``.+?``|https?://\S+)")
_NAME = re.compile(r"[A-Za-z_][\w.]*(?:\(\))?")


class Block(NamedTuple):
    """Some lines: `kind` is text, literal (to be shown as it stands) or math."""

    kind: str
    text: str


def sections(text: str) -> dict[str, list[str]]:
    """The lines of a docstring by section; those before the first have the name ""."""
    lines = inspect.cleandoc(text).splitlines()
    found: dict[str, list[str]] = {"": []}
    name = ""
    for i, line in enumerate(lines):
        if _RULE.match(line) and i and lines[i - 1].isalpha():
            found[name].pop()
            name = lines[i - 1]
            found[name] = []
        else:
            found[name].append(line)
    return found


def blocks(lines: list[str]) -> Iterator[Block]:
    """Paragraphs, literal blocks and formulas in order."""
    for paragraph in _paragraphs(lines):
        body = "\n".join(paragraph)
        if body.startswith(".. math::"):
            yield Block("math", body.removeprefix(".. math::").strip())
        elif body.startswith("    "):
            yield Block("literal", inspect.cleandoc("\n" + body))
        else:
            yield Block("text", body)


def _paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """Split at empty lines; indented paragraphs that follow one another are one."""
    current: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            current.append(line)
        elif current:
            yield current
            current = []


def entries(lines: list[str]) -> dict[str, str]:
    """The `name : meaning` lines of a section."""
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in lines:
        head = _ENTRY.match(line)
        if head:
            names = head[1].split(", ")
            found |= {name: [head[2]] for name in names}
        elif line.strip():
            for name in names:
                found[name].append(line.strip())
    return {name: " ".join(words) for name, words in found.items()}


def _outside(text: str, change: Callable[[str], str], code: Callable[[str], str]) -> str:
    """Apply `change` to prose and `code` to what is in backticks or is an address."""
    pieces = _CODE.split(text)
    return "".join(code(piece) if i % 2 else change(piece) for i, piece in enumerate(pieces))


def rst_text(text: str) -> str:
    """Prose for reStructuredText: bars, stars and final underscores are meant as they stand."""

    def prose(piece: str) -> str:
        return re.sub(r"(?<=\w)_(?!\w)|[|*]", r"\\\g<0>", piece)

    def code(piece: str) -> str:
        inner = piece.strip("`")
        plain = piece.startswith("`") and not piece.startswith("``")
        return f"``{inner}``" if plain and not _NAME.fullmatch(inner) else piece

    return _outside(text, prose, code)


def markdown_text(text: str) -> str:
    """Prose for Markdown."""

    def prose(piece: str) -> str:
        return re.sub(r"[*$]|(?<!\w)_", r"\\\g<0>", piece).replace("<", "&lt;")

    def code(piece: str) -> str:
        if piece.startswith("http"):
            address = piece.rstrip(".,;)")
            return f"<{address}>{piece[len(address) :]}"
        return re.sub(r"^:math:", "{math}", piece)

    return _outside(text, prose, code)


def to_rst(text: str) -> str:
    """A docstring for autodoc."""
    out: list[str] = []
    for name, lines in sections(text).items():
        if name == "Parameters":
            out += [f":param {key}: {rst_text(meaning)}" for key, meaning in entries(lines).items()] + [""]
        elif name == "Raises":
            out += [*_raises(lines), ""]
        elif name == "Returns":
            out += [f":returns: {rst_text(_returned(lines))}", ""]
        else:
            out += [f".. rubric:: {name}", ""] if name else []
            out += _rst_blocks(lines)
    return "\n".join(out)


def _rst_blocks(lines: list[str]) -> list[str]:
    out: list[str] = []
    for block in blocks(lines):
        if block.kind == "literal":
            out += ["::", "", *(f"    {line}" for line in block.text.splitlines()), ""]
        elif block.kind == "math":
            out += [".. math::", "", *(f"    {line.strip()}" for line in block.text.splitlines()), ""]
        else:
            as_is = block.text.startswith((">>>", "=====", "- ", ".. "))
            out += [*(block.text if as_is else rst_text(block.text)).splitlines(), ""]
    return out


def _raises(lines: list[str]) -> list[str]:
    out: list[str] = []
    for line in lines:
        if line and not line.startswith(" "):
            out.append(f":raises {line}:")
        elif line.strip() and out:
            out[-1] += " " + rst_text(line.strip())
    return out


def _returned(lines: list[str]) -> str:
    words = [line for line in lines if line.strip()]
    if len(words) > 1 and words[0].isidentifier() and words[1].startswith(" "):
        words = words[1:]
    return " ".join(word.strip() for word in words)


def to_markdown(lines: list[str]) -> str:
    """The prose of a section as Markdown."""
    out: list[str] = []
    for block in blocks(lines):
        if block.kind == "literal":
            out.append(f"```text\n{block.text}\n```")
        elif block.kind == "math":
            out.append(f"```{{math}}\n{block.text}\n```")
        elif block.text.startswith(">>>"):
            out.append(f"```pycon\n{block.text}\n```")
        else:
            out.append(markdown_text(block.text))
    return "\n\n".join(out)


def cell(text: str) -> str:
    """Prose for a cell of a Markdown table."""
    return markdown_text(" ".join(text.split())).replace("|", "\\|")
