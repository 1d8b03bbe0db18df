"""Who stands behind a reference, for whom that is."""

from contextlib import suppress

from yibao.adapters.http.rights import Who, may
from yibao.adapters.office.directory import Directory, Entry
from yibao.domain.refusals import BadValue


def entry_of(people: Directory | None, who: Who, ref: str, school: str | None) -> Entry | None:
    """Who a student is, where that is somebody's to know: her own, or of a school of theirs.

    None also where a reason is asked for, which a page does not give. Who looked is noted.
    """
    grants = may(who, "person")
    with suppress(BadValue):
        if people is not None and any(each.reach == "own" for each in grants) and who.ref == ref:
            return people.person(ref, by=who.actor)
        is_theirs = any(each.reach == "school" for each in grants) and school in who.schools
        if people is not None and is_theirs and school is not None:
            return people.of_school(school, [ref], by=who.actor).get(ref)
    return None
