"""Whose a stream of facts is, and how far somebody has seen it."""

import operator
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from hashlib import sha1
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary.given import FIRST_BENEFIT_YEAR, SeenVersion


class Seen(NamedTuple):
    """How far somebody has seen what is recorded of a student: what an answer stands on.

    `facts` and `care` are the versions of her two streams. `window` tells how often something that
    concerns her was fixed under her edition, or taken back: for everybody, for her category, or for
    a school she was at. `before` is the same of the year before, or None. Of an edition, whose
    window is everybody's, `window` counts all of it, and the others are 0.
    """

    facts: SeenVersion
    care: SeenVersion
    window: SeenVersion
    before: "Seen | None" = None


NOTHING_SEEN: Final = Seen(0, 0, 0)


class EnrollmentId(NamedTuple):
    """Whose enrollment, and of which benefit year: one stream of facts for each.

    >>> EnrollmentId("s1", 2025).stream == EnrollmentId("s1", 2025).stream
    True
    """

    ref: str
    year: int

    @property
    def stream(self) -> UUID:
        """The id of the stream, derived from the opaque reference and the year alone.

        Raises BadValue for a reference that is no text, and for a year that is no whole number:
        `2025.0`, from a table with gaps, would be another stream than `2025`.
        """
        ref, year = self
        # Of a number or a text of another class it is not known to what it is equal.
        of_her = _enrolled if type(year) is int and type(ref) is str else _enrolled.__wrapped__
        return of_her(ref, year)

    @property
    def care_stream(self) -> UUID:
        """The id of the stream that holds the care received, beside the enrollment's own."""
        ref, year = self
        of_her = _cared_for if type(year) is int and type(ref) is str else _cared_for.__wrapped__
        return of_her(ref, year)

    def year_of(self, stream: UUID) -> int | None:
        """The benefit year of another enrollment of the student's, by its stream; None of others.

        A year tells of itself, of those before it and of the one that follows (R33).
        """
        if stream == self.stream:
            return None
        years = range(self.year + 1, FIRST_BENEFIT_YEAR - 1, -1)
        return next((year for year in years if EnrollmentId(self.ref, year).stream == stream), None)


def edition_stream(edition: str) -> UUID:
    """The id of the stream that holds what an edition left to be fixed later; raises BadValue."""
    return _edition(_text(edition, "policy"))


def student_id(ref: str) -> UUID:
    """What the years of a student have in common, of which one may move another.

    Raises BadValue.
    """
    return _derived(f"student/{_text(ref, 'ref')}")


def in_order(streams: Iterable[UUID]) -> list[UUID]:
    """Streams in the order of their ids, by numbers: ids compare themselves at length."""
    return sorted(streams, key=attrgetter("int"))


# The same few are asked for again and again while one thing is recorded, or many followed.


@lru_cache(maxsize=2**15)
def _enrolled(ref: str, year: int) -> UUID:
    return _derived(f"enrollment/{_index(year)}/{_text(ref, 'ref')}")


@lru_cache(maxsize=2**15)
def _cared_for(ref: str, year: int) -> UUID:
    return _derived(f"care/{_index(year)}/{_text(ref, 'ref')}")


@lru_cache(maxsize=2**10)
def _edition(edition: str) -> UUID:
    return _derived(f"edition/{edition}")


def _index(year: int) -> int:
    if type(year) is int and year.bit_length() < 1000:  # asked for with every command
        return year
    # Whatever a stranger's number raises; what a signal's handler does meanwhile looks the same.
    with suppress(Exception):
        index = operator.index(year)
        if index.bit_length() < 1000:  # a longer one may not even be written
            return index
    raise BadValue("year", "must be a whole number")


def _text(given: str, where: str) -> str:
    if not isinstance(given, str):
        raise BadValue(where, "must be text")
    return str.__str__(given)


def _derived(name: str) -> UUID:
    """The id that `uuid5` derives from a name, which asks itself more than need be asked here.

    A lone surrogate, of which `uuid5` makes nothing, is spelled out: whoever asks about a
    reference that nobody can have is told that nobody has it.
    """
    hashed = _BEGUN.copy()
    hashed.update(name.encode(errors="backslashreplace"))
    return UUID(bytes=hashed.digest()[:16], version=5)


_STREAMS: Final = uuid5(NAMESPACE_URL, "yibao:streams")
_BEGUN: Final = sha1(_STREAMS.bytes, usedforsecurity=False)
