"""Properties that are worked out once, and kept with what they were worked out of."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

S = TypeVar("S")
R = TypeVar("R")


class kept(Generic[S, R]):
    """A property worked out at most once a thread that asks, and kept.

    The standard library's `cached_property` takes a lock on Python 3.11, which the child of a fork
    may find taken by a thread that is not there any more.
    """

    def __init__(self, work_out: Callable[[S], R]) -> None:
        self._work_out = work_out
        self.__doc__ = work_out.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owned: None, owner: type) -> Self: ...
    @overload
    def __get__(self, owned: S, owner: type) -> R: ...
    def __get__(self, owned: Any, owner: type) -> Any:
        if owned is None:
            return self
        found = self._work_out(owned)
        # From now on the attribute is found before this. Who asks for `__dict__` makes Python build
        # a dictionary for the object, which is more than it takes to set one attribute.
        object.__setattr__(owned, self._name, found)
        return found
