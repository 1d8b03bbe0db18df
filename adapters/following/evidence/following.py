"""Keeps the logs up with a store, and signs what they have become."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from yibao.adapters.following.derived import Tables, number_of
from yibao.adapters.following.evidence.logs import LOGS, Logged
from yibao.adapters.following.evidence.store import KeptLog, KeptNote, Progress
from yibao.adapters.following.supervisor import Standing
from yibao.adapters.store import FactStore, Halted, StoreError
from yibao.adapters.telemetry import Watch
from yibao.projections.evidence import (
    SIZE,
    WIDTH,
    Checkpoint,
    Hash,
    Note,
    NotProven,
    SignedCheckpoint,
    Signer,
    VerifierKey,
    appended,
    check_consistency,
)

#: How many entries one transaction takes in.
BATCH: Final = 10_000
#: How many rows are read at a time: more of them would not stay in the processor's cache.
PART: Final = 1024


class Evidence:
    """The logs of a store, kept in tables of their own."""

    name = "evidence"

    def __init__(self, store: FactStore, tables: Tables) -> None:
        self.store = store
        self._tables = tables

    @contextmanager
    def reading(self, logged: Logged) -> Iterator[KeptLog]:
        """A log as it is kept, in one turn."""
        with self._tables.reading() as sql:
            yield KeptLog(sql, self._tables.prefix(""), logged.name)

    @contextmanager
    def writing(self, logged: Logged) -> Iterator[KeptLog]:
        """A log in a transaction with nobody in between."""
        with self._tables.writing() as sql:
            yield KeptLog(sql, self._tables.prefix(""), logged.name)

    @contextmanager
    def writing_all(self) -> Iterator[list[tuple[Logged, KeptLog]]]:
        """Every log, in one transaction with nobody in between."""
        with self._tables.writing() as sql:
            prefix = self._tables.prefix("")
            yield [(logged, KeptLog(sql, prefix, logged.name)) for logged in LOGS]

    def close(self) -> None:
        """Closes what they are kept in; the store stays open."""
        self._tables.close()

    def is_begun(self) -> bool:
        """Whether the store has logs."""
        with self.reading(LOGS[0]) as kept:
            return kept.progress() is not None

    def last_note(self, logged: Logged) -> KeptNote | None:
        """The last note of a log that was signed."""
        with self.reading(logged) as kept:
            return kept.last_note()

    def progress(self, logged: Logged) -> Progress:
        """How far a log is; raises StoreError where there is none."""
        with self.reading(logged) as kept:
            return _begun(kept)

    def begin(self, origin: str, signer: Signer) -> list[VerifierKey]:
        """Begins both logs of a store, which have nothing in them; the keys to verify them with.

        Begun again with the same key and origin it stays as it is; raises StoreError for another.
        """
        keys: list[VerifierKey] = []
        with self.writing_all() as logs:
            for logged, kept in logs:
                key, there = signer.key_of(f"{origin}/{logged.name}"), kept.progress()
                if there is None:
                    kept.begin(key.name, str(key), signer.file)
                elif there.vkey != str(key):
                    raise StoreError(
                        f"the store has a log already, {there.origin}, signed with another key "
                        "or under another name"
                    )
                keys.append(key)
        return keys

    def catch_up(
        self, watch: Watch | None = None, *, enough: Callable[[], bool] = lambda: False
    ) -> int:
        """Takes in every entry that is final by now; how many facts these were.

        After each batch it may be `enough`, and the rest is left.
        """
        reached = self.store.reached()
        taken_in = 0
        for logged in LOGS:
            final = logged.final(reached)
            while more := self._take_in(logged, final):
                taken_in += more if logged.name == "facts" else 0
                if watch:
                    watch(min(self.progress(logged).position, final), final)
                if enough():
                    return taken_in
        return taken_in

    def _take_in(self, logged: Logged, final: int) -> int:
        """One more batch of a log; how many entries it has."""
        with _lost_tiles_halt(logged), self.writing(logged) as kept:
            there = _begun(kept)
            positions, leaves = list[int](), list[Hash]()
            for rows in logged.batches(self.store, min(PART, BATCH), there.position + 1, final):
                positions += [row[0] for row in rows]
                leaves += logged.leaves(rows)
                if len(positions) >= BATCH:
                    break
            if positions:
                self._append(kept, there.size, positions, leaves)
                kept.reach(there.size + len(positions), positions[-1])
            return len(positions)

    @staticmethod
    def _append(kept: KeptLog, size: int, positions: Sequence[int], leaves: Sequence[Hash]) -> None:
        def told() -> Iterator[tuple[int, int, int | None, bytes]]:
            for level, number, tile in appended(size, leaves, kept.tile):
                begins = number * WIDTH - size
                first = positions[begins] if level == 0 and begins >= 0 else None
                yield level, number, first, tile

        kept.put_tiles(list(told()))

    def standing(self) -> Standing:
        """How far the log of facts is; nothing is taken in."""
        position = self.progress(LOGS[0]).position
        return Standing(self.name, position, self.store.facts_after(position), ())

    def sign(self, logged: Logged, signer: Signer, now: datetime) -> KeptNote:
        """The note of all entries taken in, signed; the last one where nothing was added since.

        What would not go on from the last note is never signed, nor where the last entry of that
        note no longer stands: raises Halted, which says where.
        """
        with _lost_tiles_halt(logged), self.writing(logged) as kept:
            there, last = _begun(kept), kept.last_note()
            key = _own_key(signer, there)
            root = self._root_to_sign(logged, kept, there.size)
            if last is not None and last.size == there.size:
                return last
            text = Checkpoint(there.origin, there.size, root).text
            note = str(Note.signed(text, [(key, signer.sign)]))
            signed = KeptNote(there.size, there.position, note, number_of(now), None)
            kept.add_note(signed)
            return signed

    def _root_to_sign(self, logged: Logged, kept: KeptLog, size: int) -> Hash:
        """The root of all entries; raises Halted or NotProven where the last note does not stand.

        Nor does it where the log does not go on from it.
        """
        tree, last = kept.tree(size), kept.last_note()
        root = tree.root()
        if last is not None:
            self._check_last(logged, kept, last)
            was = SignedCheckpoint.parse(last.note).checkpoint
            check_consistency(was.size, size, tree.consistency(was.size), was.root, root)
        return root

    def _check_last(self, logged: Logged, kept: KeptLog, last: KeptNote) -> None:
        """Raises Halted where the tiles or the last entry are not those of the last note."""
        where = f"the log of {logged.name}"
        was = SignedCheckpoint.parse(last.note).checkpoint
        if kept.tree(was.size).root() != was.root:
            raise Halted(f"{where} is not that of its last note, of {was.size} entries")
        if was.size:
            number, place = divmod(was.size - 1, WIDTH)
            leaf = kept.tile(0, number)[place * SIZE : (place + 1) * SIZE]
            rows = logged.rows(self.store, last.position, last.position, 1)
            if logged.leaves(rows) != [leaf]:
                raise Halted(
                    f"{where}: entry {was.size - 1}, at position {last.position}, "
                    "is not what was signed"
                )

    def hand_over(self, old: Signer, new: Signer) -> list[str]:
        """Has all logs signed with another key from now on; the notes in which both keys say so.

        Both are handed over, or neither is. Raises Halted where a log is not what was signed.
        """
        with self.writing_all() as logs:
            return [self._handed_over(logged, kept, old, new) for logged, kept in logs]

    def _handed_over(self, logged: Logged, kept: KeptLog, old: Signer, new: Signer) -> str:
        there = _begun(kept)
        before, after = _own_key(old, there), new.key_of(there.origin)
        if before == after:
            raise StoreError("the log is signed with this key already")
        with _lost_tiles_halt(logged):
            root = self._root_to_sign(logged, kept, there.size)
        told = Checkpoint(there.origin, there.size, root).text
        text = f"yibao-handover-v1\n{before}\n{after}\n{told}"
        kept.hand_over(str(after), new.file)
        return str(Note.signed(text, [(before, old.sign), (after, new.sign)]))

    def published(self, logged: Logged, size: int, now: datetime) -> None:
        """Notes that the note of so many entries was published."""
        with self.writing(logged) as kept:
            kept.note_published(size, number_of(now))


@contextmanager
def _lost_tiles_halt(logged: Logged) -> Iterator[None]:
    """Has tiles that lack hashes, or do not go on from the last note, be told as Halted."""
    try:
        yield
    except NotProven as error:
        raise Halted(f"the log of {logged.name}: {error}") from error


def _begun(kept: KeptLog) -> Progress:
    there = kept.progress()
    if there is None:
        raise StoreError("the store has no log yet: `yibao evidence init` begins one")
    return there


def _own_key(signer: Signer, there: Progress) -> VerifierKey:
    """The signer's key; raises StoreError where it is not that of the log."""
    key = signer.key_of(there.origin)
    if str(key) != there.vkey:
        raise StoreError(f"the log {there.origin} is signed with another key than this")
    return key
