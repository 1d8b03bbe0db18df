"""The tables of a projection, as either database has them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from yibao.domain.calendar import SHANGHAI


class Layout(NamedTuple):
    """The tables of one projection, in a SQLite file of its own or a schema of PostgreSQL.

    `told` is how people name it. `format` grows whenever the same facts would give other rows.
    The tables stand once for each of the `sides`, by which their names begin: where there are two,
    one is asked while the other is made anew. `shared` stand once for all of them. `create` is how
    the tables of a side are made, whose names begin with the text given. By the columns in `mark`
    every file is known that was ever released. `turn` tells the lock of whoever writes. What is
    `kept` follows from no fact, and stays whatever is made anew. `late` are indexes of a side, by
    their names, and how each is made: where very much is taken in, it is quicker done at the end.
    """

    told: str
    schema: str
    format: int
    turn: int
    tables: tuple[str, ...]
    create: Callable[[str], tuple[str, ...]]
    mark: Mapping[str, tuple[str, ...]]
    sides: tuple[str, ...] = ("",)
    shared: Mapping[str, str] = {}
    kept: tuple[str, ...] = ()
    late: Callable[[str], Mapping[str, str]] = lambda _: {}

    def every_table(self) -> Iterator[str]:
        """The names of all tables."""
        yield from self.kept
        yield from self.shared
        for side in self.sides:
            yield from self.of_side(side)

    def of_side(self, side: str) -> Iterator[str]:
        """The names of the tables of a side."""
        return (f"{side}{table}" for table in self.tables)


def common_tables(side: str) -> tuple[str, ...]:
    """The tables by which any projection knows whose streams it reads, and how far it is."""
    return (
        # Every school a student was ever at under an edition, for an enrollment of then or of a
        # later year: whom a fixed window may concern.
        f"CREATE TABLE {side}schools (policy TEXT NOT NULL, school TEXT NOT NULL, "
        "stream TEXT NOT NULL, PRIMARY KEY (policy, school, stream)) WITHOUT ROWID",
        f"CREATE TABLE {side}editions (stream TEXT PRIMARY KEY, policy TEXT NOT NULL) "
        "WITHOUT ROWID",
        f"CREATE TABLE {side}progress (fingerprint TEXT NOT NULL, position INTEGER NOT NULL, "
        "mark TEXT, attempt INTEGER NOT NULL, counted INTEGER NOT NULL, fanned TEXT)",
        # Whose facts could not be taken in, from which position on, and why.
        f"CREATE TABLE {side}parked (stream TEXT PRIMARY KEY, ref TEXT, year INTEGER, "
        "position INTEGER NOT NULL, told TEXT NOT NULL) WITHOUT ROWID",
    )


COMMON: Final = ("schools", "editions", "progress", "parked")
#: The columns of the progress, by which a file of ours is known.
PROGRESS: Final = ("fingerprint", "position", "mark", "attempt", "counted", "fanned")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def number_of(instant: datetime) -> int:
    """An instant as the microseconds since 1970, exact and cheap to compare."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(number: int) -> datetime:
    """The instant of a number of microseconds, in Shanghai."""
    return (_EPOCH + number * _MICROSECOND).astimezone(SHANGHAI)
