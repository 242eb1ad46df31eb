"""Read the `Parameters` section of a numpy-style docstring: one source for the API pages and for `--help`."""

import inspect
import re


def parameter_docs(cls: type) -> dict[str, str]:
    """Map each parameter of a class to its meaning, base classes included, in the words of their docstrings.

    >>> class A:
    ...     '''Sum up.
    ...
    ...     Parameters
    ...     ----------
    ...     n : how many
    ...         of them.
    ...     '''
    >>> parameter_docs(A)
    {'n': 'how many of them.'}
    """
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        found |= _section(inspect.cleandoc(base.__dict__.get("__doc__") or ""))
    return found


def _section(text: str) -> dict[str, str]:
    match = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-{3,}$|\Z)", text, flags=re.DOTALL | re.MULTILINE)
    entries: dict[str, list[str]] = {}
    names: list[str] = []
    for line in match.group(1).splitlines() if match else []:
        head = re.match(r"^(\w+(?:, \w+)*) : (.*)$", line)
        if head:
            names = head.group(1).split(", ")
            entries |= {name: [head.group(2)] for name in names}
        elif line.strip():
            for name in names:
                entries[name].append(line.strip())
    return {name: " ".join(words).strip() for name, words in entries.items()}
