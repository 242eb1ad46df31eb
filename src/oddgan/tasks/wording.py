"""Parts in words, as one would type them."""

from typing import Any

from oddgan._core.parts import is_part, told


def in_words(value: Any) -> str:
    """A value as one would type it; of a part's fields, those that were chosen: neither the default nor learned.

    The learning rate of an optimiser is always among them.

    >>> from oddgan.scores import SVM, WeightedSum
    >>> from oddgan.training import Adam
    >>> in_words(SVM(kernel="linear", components=("residual", "features")))
    'SVM(components=[residual, features], kernel=linear)'
    >>> in_words(WeightedSum(residual=1.0))
    'WeightedSum(residual=1.0)'
    >>> in_words(Adam())
    'Adam(lr=0.0002)'
    """
    if isinstance(value, tuple):
        return f"[{', '.join(map(in_words, value))}]"
    if not is_part(value):
        return "none" if value is None else str(value)
    return f"{type(value).__name__}({', '.join(f'{name}={text}' for name, text in told(value, in_words).items())})"
