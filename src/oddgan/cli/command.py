"""Commands from options: the fields of a spec become a command's arguments, flags and help."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from cyclopts import App, Group, Parameter

import oddgan
from oddgan.options import Options
from oddgan.options.fields import Field, fields_of

S = TypeVar("S")
_HEADINGS = ("How to read the data", "Training", "Composition", "Inversion", "Threshold", "Model", "Output")
_GROUPS = {name: Group.create_ordered(name) for name in _HEADINGS} | {"Arguments": Group.create_default_arguments()}

app = App(
    name="oddgan",
    help="Find the odd one out in images, time series and tables, with generative adversarial networks.",
    help_epilogue="Add --debug to any command to see where an error comes from.",
    help_format="plaintext",
    version=oddgan.__version__,
    suppress_keyboard_interrupt=False,
)


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a command prints.

    Parameters
    ----------
    quiet : print nothing but errors.
    json : print one JSON document and nothing else.
    """

    quiet: bool = False
    json: bool = False


def command(sort_key: int) -> Callable[[Callable[[S, Output], None]], Callable[[S, Output], None]]:
    """Register a function of a spec and the output as the command of its name; its docstring is the command's help.

    Parameters
    ----------
    sort_key : the command's place in the list of commands.
    """

    def register(function: Callable[[S, Output], None]) -> Callable[[S, Output], None]:
        spec = inspect.signature(function).parameters["spec"].annotation

        def run(*places: Any, **flags: Any) -> None:
            given = signature.bind(*places, **flags).arguments
            function(_built(spec, given), _built(Output, given))

        named = [_parameter(field) for cls in (spec, Output) for field in _flat(cls)]
        signature = inspect.Signature(sorted(named, key=lambda parameter: parameter.kind))
        run.__doc__ = inspect.getdoc(function)
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in named}
        vars(run)["__signature__"] = signature
        app.command(run, name=function.__name__, sort_key=sort_key)
        return function

    return register


def _flat(cls: type) -> Iterator[Field]:
    """The fields of a spec, with those of the options in it."""
    for field in fields_of(cls):
        if field.kind is Options:
            yield from fields_of(Options)
        else:
            yield field


def _parameter(field: Field) -> inspect.Parameter:
    """What the command line shows of a field: an argument by its place, or a flag."""
    flag, kind, default = field.flag, field.kind, field.default
    if flag.parse is not None:
        kind, default = (tuple[str, ...], ()) if flag.repeatable else (str | None, None)
    shown = Parameter(
        name=None if flag.group is None else f"--{field.option}",
        help=f"{field.help[0].upper()}{field.help[1:]}",
        group=_GROUPS[flag.group or "Arguments"],
        show_default=bool(default) and not field.switch and flag.group is not None,
        negative=(),
        parse=False if flag.hidden else None,
    )
    return inspect.Parameter(
        field.name,
        inspect.Parameter.POSITIONAL_ONLY if flag.group is None else inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if field.required else False if field.switch else default,
        annotation=Annotated[kind, shown],
    )


def _built(cls: Callable[..., S], given: Mapping[str, Any]) -> S:
    """A spec from what the command line gave; what was not given has its default."""
    values: dict[str, Any] = {}
    for field in fields_of(cls):
        if field.kind is Options:
            values[field.name] = _built(Options, given)
        elif field.name in given:
            value, parse = given[field.name], field.flag.parse
            values[field.name] = value != field.default if field.switch else value if parse is None else parse(value)
    return cls(**values)
