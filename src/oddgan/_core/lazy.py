"""Lazy imports: modules that cost time are imported when something of them is first used."""

import gc
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

from oddgan._core.damage import brief
from oddgan._core.errors import InputError

T = TypeVar("T")


def import_quickly(name: str) -> ModuleType:
    """Import a module with the garbage collector paused.

    Imports create objects that stay, by the hundred thousand; looking through them again and again takes a seventh of
    the time that torch and scikit-learn take to import.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        return import_module(name)
    finally:
        if on:
            gc.enable()


class LazyModule:
    """A module that is imported with the first look at one of its attributes.

    >>> fractions = LazyModule("fractions")
    >>> fractions.Fraction(1, 2)
    Fraction(1, 2)
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


class LazyClasses(Mapping[str, type[T]]):
    """Classes by name, each imported when it is looked up.

    Parameters
    ----------
    modules : the module of each class, by the name of the class.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> type[T]:
        module = self._modules[name]
        try:
            found: type[T] = getattr(import_module(module), name)
        except Exception as error:  # it may be a stranger's
            raise InputError(f"{name} can't be imported from {module}: {brief(error)}.") from error
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)
