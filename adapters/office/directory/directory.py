"""The door of the directory: found by school and number, read by reference, forgotten for good.

An entry is in two files, and SQLite commits to one at a time. So the key comes first and goes
first, and is noted as unsettled until the other file agrees and the facts do: an entry without a
key cannot be read, one without a fact is nobody's, and the next import removes either.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple, NoReturn

from pydantic import TypeAdapter, ValidationError

from yibao.adapters.office.directory.accesses import Accesses
from yibao.adapters.office.directory.keys import Keys
from yibao.adapters.office.directory.people import People, Sealed, WaitingProxy, is_there
from yibao.adapters.office.directory.sealing import (
    Entry,
    keyed,
    lookup,
    new_key,
    new_ref,
    opened,
    sealed,
)
from yibao.adapters.office.directory.settings import DirectorySettings, read_key
from yibao.adapters.store import StoreError
from yibao.adapters.store.files import claim
from yibao.domain.refusals import BadValue
from yibao.domain.refusals import reason as why
from yibao.domain.vocabulary import GivenKey, GivenReason, revealing

Clock = Callable[[], datetime]

#: What became of a wish to forget: it was done; a second person has to agree; there is nobody.
Forgotten = Literal["forgotten", "second_person_needed", "nobody"]


class Person(NamedTuple):
    """Somebody of the directory, or about to be: her reference, and who she is."""

    ref: str
    entry: Entry


class Directory:
    """People, opened with the key of the settings. Every look-up is noted, with who asked."""

    def __init__(self, settings: DirectorySettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._keys = Keys(settings.keys, settings.key())
        try:
            mark = keyed(self._keys.secrets["lookup"], "the directory of these keys")
            self._people = People(settings.url, mark)
        except BaseException:
            self._keys.close()
            raise

    @property
    def accesses(self) -> Accesses:
        """Who looked at whom."""
        return self._people.accesses

    def find(self, school: str, number: str, *, by: str, reason: str | None = None) -> str | None:
        """The reference behind a student number of a school; None where nobody has it.

        Raises BadValue for who asks, and where a reason is asked for, and StoreError.
        """
        by, reason = self._who(by, reason)
        told = self._lookup(school, number)
        found = self._people.by_lookup([told]).get(told)
        ref = found.ref if found and found.ref in self._keys.of([found.ref]) else None
        self._people.accessed("find", by, self._clock(), ref, reason)
        return ref

    def person(self, ref: str, *, by: str, reason: str | None = None) -> Entry | None:
        """Who somebody is; None where she is not known, or is forgotten. Raises as `find`."""
        by, reason = self._who(by, reason)
        found = next(iter(self._opened([*self._people.by_ref([ref]).values()])), None)
        self._people.accessed("person", by, self._clock(), found and found.ref, reason)
        return found and found.entry

    def of_school(
        self, school: str, refs: Iterable[str], *, by: str, reason: str | None = None
    ) -> dict[str, Entry]:
        """Who those of some references are whom a school has entered; the others are left out.

        Noted is each who is told. Raises as `find`.
        """
        by, reason = self._who(by, reason)
        known = self._opened([*self._people.by_ref(refs).values()])
        found = {each.ref: each.entry for each in known if each.entry.school == school}
        self._people.all_accessed("list", by, self._clock(), found, reason)
        return found

    def fitting(self, school: str, refs: Iterable[str], fits: Callable[[Entry], bool]) -> set[str]:
        """Those of some references whose entries fit, of whom a school has entered.

        Nothing is noted: who is told of them is. Raises StoreError.
        """
        known = self._opened([*self._people.by_ref(refs).values()])
        return {each.ref for each in known if each.entry.school == school and fits(each.entry)}

    def forget(self, ref: str, *, by: str, reason: str) -> Forgotten:
        """Destroys key, entry and look-up of somebody; what is recorded of her stands.

        Where the settings ask for two persons, the second who wants it does it. Raises BadValue
        for who asks and why, and StoreError.
        """
        by, told = self._who(by, reason, needs_reason=True)
        is_known = ref in self._people.by_ref([ref]) or ref in self._keys.of([ref])
        if not is_known:
            return "nobody"
        if self._settings.directory_two_persons and self._people.ask_to_forget(ref, by) == by:
            self._people.accessed("forget-asked", by, self._clock(), ref, told)
            return "second_person_needed"
        self._people.accessed("forget", by, self._clock(), ref, told)
        self._remove([ref])
        return "forgotten"

    def to_forget(self) -> list[tuple[str, str]]:
        """The references of whom somebody wants forgotten, and who that is: one more has to."""
        return self._people.to_forget()

    def rekey(self, new_key_file: Path) -> int:
        """Wraps every key under that of another file; the version of it. Raises StoreError."""
        version = self._keys.rewrap(read_key(new_key_file))
        self._people.wrapped_anew(version)
        return version

    def keyed(self, *parts: str) -> str:
        """A word of 32 digits, the same for the same parts, of which nothing can be read."""
        return keyed(self._keys.secrets["commands"], *parts)

    def known(self, whom: Sequence[tuple[str, str]]) -> list[Person | None]:
        """Who has each of some numbers, by school and number; nothing is noted."""
        lookups = [self._lookup(*each) for each in whom]
        people = self._people.by_lookup(lookups)
        found = {each.ref: each for each in self._opened(list(people.values()))}
        refs = [people[each].ref if each in people else "" for each in lookups]
        return [found.get(ref) for ref in refs]

    def waiting_proxies(self, school: str) -> list[WaitingProxy]:
        """Of whom a school has a proxy that is not entered yet, the oldest first.

        They are no facts: who has confirmed otherwise since stands here all the same, until the
        next import that names her. Raises StoreError.
        """
        found = self._people.proxies(school)
        held = self._keys.of(each.ref for each in found)  # a copy from before brings nobody back
        return [each for each in found if each.ref in held]

    @contextmanager
    def importing(self, is_recorded: Callable[[str], bool]) -> Iterator["Importing"]:
        """A turn to write entries, with nobody in between, after what a kill left is removed.

        `is_recorded` tells whether anything is recorded of a reference. Raises StoreError where
        somebody else imports.
        """
        with _lock(f"{self._settings.keys}.lock"):
            self._settle(is_recorded)
            yield Importing(self)

    def _settle(self, is_recorded: Callable[[str], bool]) -> None:
        self._people.wrapped_anew(self._keys.version)  # where a kill came between
        unsettled = self._keys.unsettled()
        if not unsettled:
            return
        whole = self._keys.of(unsettled).keys() & self._people.by_ref(unsettled).keys()
        stay = [ref for ref in unsettled if ref in whole and is_recorded(ref)]
        self._keys.settle(stay)
        if gone := [*{*unsettled} - {*stay}]:
            self._remove(gone)

    def _add(self, drawn: Sequence[Person]) -> None:
        keys = {each.ref: new_key() for each in drawn}
        self._keys.add(keys)
        self._people.add([self._sealed(each, keys[each.ref]) for each in drawn])

    def _replace(self, known: Sequence[Person]) -> None:
        keys = self._keys.of([each.ref for each in known])
        self._people.replace([self._sealed(each, keys[each.ref]) for each in known])

    def _sealed(self, whom: Person, key: bytes) -> Sealed:
        ref, entry = whom
        told = self._lookup(entry.school, entry.number)
        return Sealed(ref, told, sealed(entry, key, ref), self._keys.version)

    def _remove(self, refs: Sequence[str]) -> None:
        self._keys.destroy(refs)
        self._people.remove(refs)
        self._people.leave_no_trace()
        self._keys.leave_no_trace()
        self._keys.settle(refs)

    def _opened(self, found: Sequence[Sealed]) -> list[Person]:
        keys = self._keys.of(each.ref for each in found)
        return [
            Person(each.ref, opened(each.sealed, keys[each.ref], each.ref))
            for each in found
            if each.ref in keys
        ]

    def _lookup(self, school: str, number: str) -> bytes:
        return lookup(self._keys.secrets["lookup"], school, number)

    def _who(
        self, by: str, reason: str | None, *, needs_reason: bool = False
    ) -> tuple[str, str | None]:
        """Who asks and why, read; raises BadValue."""
        if reason is None and (needs_reason or self._settings.directory_reasons):
            raise BadValue("reason", "is asked for here: a word that says why")
        return _read(_KEY, "by", by), reason and _read(_REASON, "reason", reason)

    def __repr__(self) -> str:
        return "<Directory>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a directory is its process's own: open it again where it is needed")

    def close(self) -> None:
        self._people.close()
        self._keys.close()

    def __enter__(self) -> "Directory":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Importing:
    """Entries written for what is recorded, and removed again for what is not."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def add(self, drawn: Sequence[Person]) -> None:
        """Writes entries; each has to be kept or removed once it is known what is recorded."""
        if drawn:
            self._directory._add(drawn)

    def replace(self, known: Sequence[Person]) -> None:
        """Writes what is known of people now."""
        if known:
            self._directory._replace(known)

    def proxies_wait(self, school: str, proxies: Sequence[WaitingProxy]) -> None:
        """The school has these proxies, and has not entered them yet."""
        if proxies:
            self._directory._people.keep_proxies(school, proxies)

    def proxies_ended(self, refs: Sequence[str]) -> None:
        """Of these people no proxy waits any longer."""
        if refs:
            self._directory._people.drop_proxies(refs)

    def keep(self, refs: Iterable[str]) -> None:
        """Of these something is recorded."""
        self._directory._keys.settle(refs)

    def remove(self, refs: Sequence[str]) -> None:
        """Of these nothing is recorded."""
        if refs:
            self._directory._remove(refs)


def draw(entries: Iterable[Entry], new: Callable[[], str] = new_ref) -> list[Person]:
    """A new reference for each, which is none that a command would refuse, nor another's here."""
    drawn: dict[str, Entry] = {}
    for entry in entries:
        while revealing(ref := new()) or ref in drawn:
            pass
        drawn[ref] = entry
    return [Person(ref, entry) for ref, entry in drawn.items()]


def open_directory(settings: DirectorySettings, clock: Clock, *, make: bool) -> Directory | None:
    """The directory; None where there is none and none is to be made. Raises StoreError."""
    has_people, has_keys = is_there(settings.url), os.path.exists(settings.keys)
    if has_people and not has_keys:
        raise StoreError(f"the directory's keys {settings.keys!r} are not there")
    if not (has_people or make):
        return None
    return Directory(settings, clock)


@contextmanager
def _lock(path: str) -> Iterator[None]:
    """Holds a file that one process has at a time; it is given back whatever becomes of that."""
    claim(path)
    try:
        held = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"{path!r} cannot be written: {error.strerror}") from None
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError("somebody else imports at this moment: try again later") from None
        yield
    finally:
        os.close(held)


def _read(kind: TypeAdapter[str], where: str, given: str) -> str:
    try:
        return kind.validate_python(given)
    except ValidationError as error:
        raise BadValue(where, why(error)) from None


_KEY: Final[TypeAdapter[str]] = TypeAdapter(GivenKey)
_REASON: Final[TypeAdapter[str]] = TypeAdapter(GivenReason)
