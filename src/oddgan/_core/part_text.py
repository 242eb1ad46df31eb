"""Parts as text: as one types them on the command line, as Python code, or from a record; defaults are left out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oddgan._core.parts import chosen, defaults, is_part

# A learning rate is what a reader looks for first, be it the default or not.
_ALWAYS = frozenset({"lr"})
_MANY = 6


def part_text(part: object, write: Callable[[Any], str]) -> str:
    """A part as a call with the fields that are neither defaults nor learned; a learning rate is always among them.

    Parameters
    ----------
    part : any part.
    write : the value of a field as text.
    """
    cls: type = type(part)
    usual = {name: write(default) for name, default in defaults(cls).items()}
    fields = {name: write(value) for name, value in chosen(part).items()}
    told = [f"{name}={text}" for name, text in fields.items() if name in _ALWAYS or text != usual.get(name)]
    return f"{cls.__name__}({', '.join(told)})"


def typed_text(value: Any) -> str:
    """A value as one types it on the command line.

    >>> from oddgan.scores import SVM
    >>> typed_text(SVM(kernel="linear", components=("residual", "features")))
    'SVM(components=[residual, features], kernel=linear)'
    """
    if isinstance(value, tuple):
        return f"[{', '.join(map(typed_text, value))}]"
    if is_part(value):
        return part_text(value, typed_text)
    return "none" if value is None else str(value)


def code_text(value: Any) -> str:
    """A value as Python code; of a long tuple only the ends.

    >>> from oddgan.training import Adam
    >>> code_text((Adam(), "x")), code_text(tuple(range(9)))
    ("(Adam(lr=0.0002), 'x')", '(0, 1, ..., 8)')
    """
    if is_part(value):
        return part_text(value, code_text)
    if isinstance(value, tuple) and len(value) > _MANY:
        return f"({code_text(value[0])}, {code_text(value[1])}, ..., {code_text(value[-1])})"
    if isinstance(value, tuple):
        return f"({', '.join(map(code_text, value))}{',' * (len(value) == 1)})"
    return repr(float(f"{value:.4g}")) if isinstance(value, float) else repr(value)


def stored_text(value: Any) -> str:
    """A value of a record's JSON on one line; a part reads like the call that builds it.

    >>> stored_text({"type": "Uniform", "low": -1.0, "high": 1.0})
    'Uniform(low=-1.0, high=1.0)'
    """
    if isinstance(value, Mapping):
        inner = ", ".join(f"{k}={stored_text(v)}" for k, v in value.items() if k != "type")
        return f"{value['type']}({inner})" if "type" in value else f"{{{inner}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"({', '.join(map(stored_text, value))})"
    return str(value)
