"""Parts in words, as one would type them."""

import inspect
from typing import Any

from oddgan._core.docstrings import parameter_docs
from oddgan._core.parts import arguments, is_part

_LEARNED = "learned: "


def learned_fields(cls: type) -> frozenset[str]:
    """The fields that a part fills in when it is fitted, by the first word of what its docstring says of them."""
    return frozenset(name for name, text in parameter_docs(cls).items() if text.startswith(_LEARNED))


def in_words(value: Any) -> str:
    """A value as one would type it; of a part's fields, those that were chosen: neither the default nor learned.

    >>> from oddgan.scores import SVM, WeightedSum
    >>> in_words(SVM(kernel="linear", components=("residual", "features")))
    'SVM(components=[residual, features], kernel=linear)'
    >>> in_words(WeightedSum(residual=1.0))
    'WeightedSum(residual=1.0)'
    """
    if isinstance(value, tuple):
        return f"[{', '.join(map(in_words, value))}]"
    if not is_part(value):
        return "none" if value is None else str(value)
    cls = type(value)
    own, learned = inspect.signature(cls).parameters, learned_fields(cls)
    chosen = {name: in_words(field) for name, field in arguments(value).items() if name not in learned}
    changed = {n: text for n, text in chosen.items() if n not in own or text != in_words(own[n].default)}
    return f"{cls.__name__}({', '.join(f'{name}={text}' for name, text in changed.items())})"
