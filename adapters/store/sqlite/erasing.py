"""Free text that is forgotten leaves no file: what the store notes, and finishes later."""

import sqlite3
from typing import Final

#: What is noted in a file as the version that is its user's: its numbers have gaps of old; and
#: what was erased may be in the log yet.
WITH_GAPS, ERASING = 1, 2


#: How long whoever erases waits for readers, in milliseconds.
ERASING_WAITS: Final = 1000


def finish_erasing(connection: sqlite3.Connection, waits: int = 0) -> bool:
    """Whether nothing of what was erased is left in the log, which is emptied if it can be.

    A reader keeps it as it was when it began; so many milliseconds it is waited for.
    """
    noted = noted_version(connection)
    if not noted & ERASING:
        return True
    ((waited,),) = connection.execute("PRAGMA busy_timeout")
    ((others,),) = connection.execute("PRAGMA data_version")
    connection.execute(f"PRAGMA busy_timeout={min(waits, waited)}")
    try:
        ((is_busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if is_busy:
            return False
        connection.execute("BEGIN IMMEDIATE")
        try:
            # What somebody else has erased meanwhile may be in the log.
            if [(others,)] == [tuple(row) for row in connection.execute("PRAGMA data_version")]:
                note_version(connection, noted & ~ERASING)
        finally:
            connection.execute("COMMIT")
    except sqlite3.OperationalError:
        return False  # somebody writes: it is noted still
    finally:
        connection.execute(f"PRAGMA busy_timeout={waited}")
    return True


def noted_version(connection: sqlite3.Connection) -> int:
    """What we have noted in the file beside its tables."""
    ((noted,),) = connection.execute("PRAGMA user_version")
    return int(noted)


def note_version(connection: sqlite3.Connection, noted: int) -> None:
    connection.execute(f"PRAGMA user_version={noted}")
