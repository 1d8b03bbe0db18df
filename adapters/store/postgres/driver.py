"""Loads psycopg with the classes of `datetime` that it will meet, whatever clock a test has frozen.

Its C code binds them when it is loaded: under freezegun's it would tell a mistaken size of them,
which is an error where warnings are, and read instants as freezegun's own for ever after.
"""

import datetime


def _load() -> None:
    standing = datetime.date, datetime.datetime
    datetime.date, datetime.datetime = map(_own, standing)  # type: ignore[assignment,misc]
    try:
        import psycopg  # noqa: F401
    finally:
        datetime.date, datetime.datetime = standing  # type: ignore[misc]


def _own(kind: type) -> type:
    """The class itself, or the one in whose place a test's stands."""
    return next(each for each in kind.__mro__ if each.__module__ == "datetime")


_load()
