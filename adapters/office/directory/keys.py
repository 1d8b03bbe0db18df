"""The keys of the people, in a file of ours, each wrapped under the one of the settings.

What goes on in two files at once is noted here: `unsettled` are those whose entry may be in one
only, or be nobody's. Whoever imports next clears them up.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from yibao.adapters.office.directory.sealing import SECRETS, Wrapping, new_key
from yibao.adapters.office.directory.tables import TOLD_KEYS, SqliteFile
from yibao.adapters.store.connections import Sql, in_parts

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS keys (ref TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS unsettled (ref TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL, "
    "key_version INTEGER NOT NULL) WITHOUT ROWID",
)


class Keys:
    """The file of the keys, and the one that wraps them."""

    def __init__(self, path: str, master: bytes) -> None:
        self._wrapping = Wrapping(master)
        self._file = SqliteFile(path, TOLD_KEYS, _TABLES)
        try:
            with self._file.writing() as sql:
                found = sql.rows("SELECT name, wrapped, key_version FROM secrets")
                if not found:
                    found = [(name, self._wrapping.wrapped(new_key(), name), 1) for name in SECRETS]
                    sql.run_many("INSERT INTO secrets VALUES (?, ?, ?)", found)
            self.version: int = max(version for *_, version in found)
            self.secrets = {name: self._wrapping.unwrapped(told, name) for name, told, _ in found}
        except BaseException:
            self._file.close()
            raise

    def of(self, refs: Iterable[str]) -> dict[str, bytes]:
        """The keys of some people, as far as they are known."""
        found: dict[str, bytes] = {}
        with self._file.reading() as sql:
            for places, some in in_parts(refs):
                for ref, wrapped in sql.rows(f"SELECT * FROM keys WHERE ref IN ({places})", some):
                    found[ref] = self._wrapping.unwrapped(wrapped, ref)
        return found

    def add(self, keys: Mapping[str, bytes]) -> None:
        """New keys of people who are not settled yet."""
        with self._file.writing() as sql:
            sql.run_many(
                "INSERT INTO keys VALUES (?, ?)",
                ((ref, self._wrapping.wrapped(key, ref)) for ref, key in keys.items()),
            )
            _note(sql, keys)

    def destroy(self, refs: Iterable[str]) -> None:
        """Destroys keys; whose they were is not settled as long as an entry is left."""
        refs = list(refs)
        with self._file.writing() as sql:
            _note(sql, refs)
            sql.run_many("DELETE FROM keys WHERE ref=?", ((ref,) for ref in refs))

    def unsettled(self) -> list[str]:
        """Whose entries may be in one file only, or be nobody's."""
        with self._file.reading() as sql:
            return [ref for (ref,) in sql.rows("SELECT ref FROM unsettled ORDER BY ref")]

    def settle(self, refs: Iterable[str]) -> None:
        """Both files have the entries of some people, or neither."""
        with self._file.writing() as sql:
            sql.run_many("DELETE FROM unsettled WHERE ref=?", ((ref,) for ref in refs))

    def rewrap(self, master: bytes) -> int:
        """Wraps every key under one that comes from another file; its version."""
        wrapping = Wrapping(master)
        with self._file.writing() as sql:
            for name, wrapped, _ in sql.rows("SELECT * FROM secrets"):
                key = self._wrapping.unwrapped(wrapped, name)
                again = wrapping.wrapped(key, name), self.version + 1, name
                sql.run("UPDATE secrets SET wrapped=?, key_version=? WHERE name=?", again)
            last = ""
            while some := sql.rows(_SOME, (last,)):
                sql.run_many(
                    "UPDATE keys SET wrapped=? WHERE ref=?",
                    [
                        (wrapping.wrapped(self._wrapping.unwrapped(told, ref), ref), ref)
                        for ref, told in some
                    ],
                )
                last = some[-1][0]
        self._wrapping = wrapping
        self.version += 1
        self._file.leave_no_trace()
        return self.version

    def leave_no_trace(self) -> bool:
        return self._file.leave_no_trace()

    def close(self) -> None:
        self._file.close()


def _note(sql: Sql, refs: Iterable[str]) -> None:
    sql.run_many("INSERT OR IGNORE INTO unsettled VALUES (?)", ((ref,) for ref in refs))


_SOME: Final = "SELECT ref, wrapped FROM keys WHERE ref>? ORDER BY ref LIMIT 2000"
