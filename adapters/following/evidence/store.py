"""What is kept of the logs: how far they are, their tiles, and the notes that were signed."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from yibao.adapters.store.connections import Sql, SqlRow
from yibao.projections.evidence import SIZE, WIDTH, NotProven, Tree


class Progress(NamedTuple):
    """A log as it is kept: whose, signed with which key, how many entries, up to where."""

    origin: str
    vkey: str
    key_file: str
    size: int
    position: int


class KeptNote(NamedTuple):
    """A note that was signed: of how many entries, up to which position, when, and published when.

    Instants are whole microseconds since 1970.
    """

    size: int
    position: int
    note: str
    signed: int
    published: int | None


#: What is kept of a log, by the table.
_COLUMNS: Final = {
    "progress": "origin, vkey, key_file, size, position",
    "tiles": "level, number, first, hashes",
    "notes": "size, position, note, signed, published",
}


class KeptLog:
    """A log in the tables, in one turn."""

    def __init__(self, sql: Sql, prefix: str, name: str) -> None:
        self._sql = sql
        self._prefix = prefix
        self._name = name

    def progress(self) -> Progress | None:
        """How far it is; None where it was not begun."""
        found = self._sql.rows(
            "SELECT origin, vkey, key_file, size, position "
            f"FROM {self._prefix}progress WHERE log=?",
            [self._name],
        )
        return Progress(*found[0]) if found else None

    def begin(self, origin: str, vkey: str, key_file: str) -> None:
        self._sql.run(
            f"INSERT INTO {self._prefix}progress VALUES (?, ?, ?, ?, 0, 0)",
            (self._name, origin, vkey, key_file),
        )

    def reach(self, size: int, position: int) -> None:
        self._sql.run(
            f"UPDATE {self._prefix}progress SET size=?, position=? WHERE log=?",
            (size, position, self._name),
        )

    def hand_over(self, vkey: str, key_file: str) -> None:
        """Has the log signed with another key from now on."""
        self._sql.run(
            f"UPDATE {self._prefix}progress SET vkey=?, key_file=? WHERE log=?",
            (vkey, key_file, self._name),
        )

    def everything(self) -> dict[str, list[SqlRow]]:
        """All that is kept of the log, by the table."""
        found: dict[str, list[SqlRow]] = {}
        for table, columns in _COLUMNS.items():
            told = f"SELECT {columns} FROM {self._prefix}{table} WHERE log=?"
            found[table] = self._sql.rows(told, self._own)
        return found

    def take_over(self, everything: Mapping[str, Sequence[SqlRow]]) -> None:
        """Puts all that was kept of a log elsewhere in the place of what is kept here."""
        for table, columns in _COLUMNS.items():
            self._sql.run(f"DELETE FROM {self._prefix}{table} WHERE log=?", self._own)
            places = ", ".join("?" * len(columns.split(",")))
            put = f"INSERT INTO {self._prefix}{table} (log, {columns}) VALUES (?, {places})"
            self._sql.run_many(put, ((self._name, *row) for row in everything[table]))

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile; none where it is lost."""
        found = self._sql.rows(
            f"SELECT hashes FROM {self._prefix}tiles WHERE log=? AND level=? AND number=?",
            (self._name, level, number),
        )
        return bytes(found[0][0]) if found else b""

    def leaves(self, size: int) -> bytes:
        """The hashes of the first entries, one after the other, as far as they are there."""
        found = self._sql.rows(
            f"SELECT hashes FROM {self._prefix}tiles WHERE log=? AND level=0 AND number<? "
            "ORDER BY number",
            (self._name, -(-size // WIDTH)),
        )
        held = (hashes for (hashes,) in found if isinstance(hashes, bytes))
        return b"".join(held)[: size * SIZE]

    def put_tiles(self, tiles: Iterable[tuple[int, int, int | None, bytes]]) -> None:
        self._sql.run_many(
            f"INSERT INTO {self._prefix}tiles (log, level, number, first, hashes) "
            "VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (log, level, number) DO UPDATE SET hashes=excluded.hashes",
            ((self._name, *tile) for tile in tiles),
        )

    def tile_of(self, position: int) -> tuple[int, int] | None:
        """The tile of leaves that has the entry of a position, if any: its number and first.

        Raises NotProven where a tile is lost.
        """
        ((last,),) = self._sql.rows(
            f"SELECT MAX(number) FROM {self._prefix}tiles WHERE log=? AND level=0", self._own
        )
        # Positions grow with the numbers, so that few tiles are looked at, of however many.
        numbers = range(0 if last is None else last + 1)
        number = bisect_right(numbers, position, key=self._first_in) - 1
        return (number, self._first_in(number)) if number >= 0 else None

    def _first_in(self, number: int) -> int:
        found = self._sql.rows(
            f"SELECT first FROM {self._prefix}tiles WHERE log=? AND level=0 AND number=?",
            (self._name, number),
        )
        if not found:
            raise NotProven(f"tile {number} of level 0 lacks hashes")
        return int(found[0][0])

    def tree(self, size: int) -> Tree:
        return Tree(size, self.tile)

    def notes(self) -> list[KeptNote]:
        """Every note that was signed, from the first on."""
        return [KeptNote(*row) for row in self._sql.rows(f"{self._notes} ORDER BY size", self._own)]

    def last_note(self, *, published: bool = False) -> KeptNote | None:
        """The last note that was signed, or published."""
        among = " AND published IS NOT NULL" if published else ""
        found = self._sql.rows(f"{self._notes}{among} ORDER BY size DESC LIMIT 1", self._own)
        return KeptNote(*found[0]) if found else None

    def add_note(self, note: KeptNote) -> None:
        self._sql.run(
            f"INSERT INTO {self._prefix}notes VALUES (?, ?, ?, ?, ?, ?)", (self._name, *note)
        )

    def note_published(self, size: int, at: int) -> None:
        self._sql.run(
            f"UPDATE {self._prefix}notes SET published=? WHERE log=? AND size=?",
            (at, self._name, size),
        )

    @property
    def _notes(self) -> str:
        return (
            f"SELECT size, position, note, signed, published FROM {self._prefix}notes WHERE log=?"
        )

    @property
    def _own(self) -> list[str]:
        return [self._name]
