"""What is there to tell of what falls due, after what was told before?

Whoever keeps the last word for each kind of each enrollment holds what is due as known now. Each
function is about one of these; an instant may be told in whatever compares.
"""

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

DUE, CHANGED, RETRACTED = "due", "changed", "retracted"


class Waiting(NamedTuple, Generic[T]):
    """A word that nobody has told us to be delivered: something is due then, or no longer (None).

    What `is_handed` was given to somebody who may or may not have passed it on.
    """

    due: T | None
    is_handed: bool = False


class Said(NamedTuple, Generic[T]):
    """What was said: the last word that was delivered, and the one that waits to be."""

    delivered: T | None = None
    waiting: Waiting[T] | None = None

    @property
    def last(self) -> T | None:
        """What somebody holds who was told all of it."""
        return self.waiting.due if self.waiting else self.delivered


class Word(NamedTuple, Generic[T]):
    """What is to be told: that something is due, is due at another instant, or no longer."""

    what: str
    due: T | None


def is_due(due: T | None, said: Said[T], until: T) -> bool:
    """Whether it has come by an instant, or was told before as due then."""
    return due is not None and (due <= until or due == said.last)  # type: ignore[operator]


def needs_a_word(due: T | None, said: Said[T], until: T) -> bool:
    """Whether the last word is not what is due: what waits is then withdrawn, if it is there.

    What was handed on stands, as if it were delivered.
    """
    return (due if is_due(due, said, until) else None) != said.last


def word(due: T | None, said: Said[T], until: T) -> Word[T] | None:
    """What is told in the place of what waited; None where it is what was delivered before."""
    held = said.delivered
    if said.waiting and said.waiting.is_handed:
        held = said.waiting.due
    now = due if is_due(due, said, until) else None
    if now == held:
        return None
    if now is None:
        return Word(RETRACTED, None)
    return Word(CHANGED if held is not None else DUE, now)
