"""The directory of people, where there is one: opened when somebody is looked up."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

from yibao.adapters.http.rights import Who, may
from yibao.adapters.office.directory import Directory, Entry, directory_settings, open_directory
from yibao.adapters.service import shanghai_now
from yibao.adapters.store import StoreError
from yibao.domain.refusals import BadValue


@contextmanager
def directory(*, make: bool = False) -> Iterator[Directory | None]:
    """The directory of the environment; None where it names none, or there is none yet.

    Where one is to be made and the environment names none, raises StoreError.
    """
    try:
        settings = directory_settings()
    except StoreError:
        if make:
            raise
        yield None
        return
    opened = open_directory(settings, shanghai_now, make=make)
    with opened or nullcontext():
        yield opened


def entry_of(who: Who, ref: str, school: str | None) -> Entry | None:
    """Who a student is, where that is somebody's to know: her own, or of a school of theirs.

    None also where a reason is asked for, which a page does not give. Who looked is noted.
    """
    grants = may(who, "person")
    with directory() as people, suppress(BadValue):
        if people is not None and any(each.reach == "own" for each in grants) and who.ref == ref:
            return people.person(ref, by=who.actor)
        is_theirs = any(each.reach == "school" for each in grants) and school in who.schools
        if people is not None and is_theirs and school is not None:
            return people.of_school(school, [ref], by=who.actor).get(ref)
    return None
