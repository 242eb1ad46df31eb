"""The command `methods`."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import oddgan
from oddgan._core.text import texts_if
from oddgan.cli.command import Output, command
from oddgan.cli.output import document, notes, show, table
from oddgan.options import MethodsSpec

if TYPE_CHECKING:
    import oddgan.detectors
    import oddgan.tasks

_LINE = 100


@command(sort_key=1)
def methods(spec: MethodsSpec, output: Output) -> None:
    """List the methods, or show the parameters of one."""
    if spec.name is None:
        list_methods(output)
    else:
        help_on_method(spec.name, output)


def list_methods(output: Output) -> None:
    """Show all methods."""
    rows = oddgan.detectors.method_rows()
    document(rows, output)
    shown = table("method", "year", "what it does, and its paper", "data", "needs")
    for row in rows:
        paper = f"{row['summary']}\n{row['title']} ({_cited(row['authors'])})\n"
        kinds = "any" if len(row["kinds"]) == 3 else ", ".join(row["kinds"])
        shown.add_row(row["name"], str(row["year"]), paper, kinds, row["needs"])
    show(shown, output)
    notes(oddgan.detectors.left_out(), output)
    show("`oddgan methods NAME` shows a method's parameters.", output)


def help_on_method(name: str, output: Output) -> None:
    """Show a method's paper, its parameters, and how it differs from the paper."""
    cls = oddgan.tasks.method_class(name)
    card, rows = cls.card, oddgan.tasks.parameter_rows(cls)
    document(
        card.row()
        | {
            "deviations": list(card.deviations),
            "parameters": [vars(row) for row in rows],
            "default_steps": oddgan.tasks.default_steps(cls),
            "published": {key: one.source for key, one in oddgan.tasks.published(cls).items()},
        },
        output,
    )
    lines = [f"{card.name}: {card.summary}", f"{card.authors}: {card.title}, {card.year}", card.link, ""]
    for key, steps in oddgan.tasks.default_steps(cls).items():
        lines.append(f"Default {key}: {', '.join(f'{n} on {kind} data' for kind, n in steps.items())}")
    for own, title in ((True, "Parameters"), (False, "Parameters of every method")):
        lines.append(f"{title} (--set name=value)")
        lines += [*described(row for row in rows if row.own is own), ""]
    found = oddgan.tasks.published(cls)
    lines += texts_if((found, "Published settings (oddgan fit --published NAME)"))
    for key, one in found.items():
        lines += _wrapped(f"{key}: {one.source}", "  ")
    lines += texts_if((found, ""))
    lines += texts_if((card.deviations, "Deviations from the paper"))
    for number, text in enumerate(card.deviations, start=1):
        lines += _wrapped(f"{number}. {text}", "  ")
    show("\n".join(lines), output)


def described(rows: "Iterable[oddgan.tasks.Parameter]") -> Iterator[str]:
    """Parameters with their values and meanings, in lines."""
    for row in rows:
        yield f"  {row.name} = {row.default}"
        yield from _wrapped(row.meaning, "      ")
        if "," in row.takes:
            yield from _wrapped(f"one of {row.takes}", "      ")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _LINE, initial_indent=indent, subsequent_indent=indent)


def _cited(authors: str) -> str:
    """Authors as in a text: one, both, or the first of many.

    >>> _cited("An, Cho"), _cited("Schlegl, Seeböck, Langs")
    ('An and Cho', 'Schlegl et al.')
    """
    names = authors.split(", ")
    return " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
