"""The morning page: how many are on each list; and a list, with who they are."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from yibao.adapters.office.directory import Directory, Entry, WaitingProxy
from yibao.adapters.office.season.lists import LISTS, PROXIES, Due, noon, urgency
from yibao.adapters.office.season.standing import judged, standing
from yibao.adapters.service import Service
from yibao.adapters.shapes import plain
from yibao.domain.refusals import BadValue, UnreadableEvent
from yibao.domain.vocabulary import EnrollmentId, State

#: In which states a proxy may be entered, or should have been.
_NOT_JOINED: Final = (None, State.REGISTERED, State.LAPSED, State.OPTED_OUT)


class HowMany(NamedTuple):
    """A list, and how many are on it."""

    name: str
    number: int


class Morning(NamedTuple):
    """What is to be done at a school on a day; asked is about the instant `at`.

    Who is `parked` is on no list, since her facts cannot be read; of whatever school she is.
    """

    school: str
    on: date
    at: datetime
    lists: tuple[HowMany, ...]
    parked: int = 0


class Entered(NamedTuple):
    """Who is on a list: her reference, and who she is where her school has entered her."""

    due: Due
    person: Entry | None

    def __repr__(self) -> str:
        return f"<Entered {self.due}>"  # nothing of her stands in a log


class Listed(NamedTuple):
    """Who is on a list of a school, by student number; the others come behind."""

    name: str
    school: str
    at: datetime
    entries: tuple[Entered, ...]
    parked: int = 0

    def __repr__(self) -> str:
        return f"<Listed {self.name} of {self.school!r} at {self.at}: {len(self.entries)}>"


def this_morning(service: Service, directory: Directory | None, school: str, on: date) -> Morning:
    """How many are on each list of a school at 12:00 of a day, by all that is known.

    Raises what `service.cohort` does, and UnreadableEvent.
    """
    at = noon(on)
    found = standing(service, school, at)
    counts = {**found.counts, PROXIES: len(_proxies(service, directory, school, at))}
    lists = tuple(HowMany(name, counts.get(name, 0)) for name in LISTS)
    return Morning(school, on, at, lists, found.parked)


def listed(
    service: Service,
    directory: Directory | None,
    name: str,
    school: str,
    on: date,
    *,
    by: str,
    reason: str | None = None,
) -> Listed:
    """Who is on a list of a school at 12:00 of a day, by all that is known.

    Names and numbers are told of whom the school itself has entered, and noted in the directory's
    accesses. Raises BadValue for a list that there is not, and as `Directory.find`; else as
    `this_morning`.
    """
    found, parked = on_list(service, directory, name, school, on)
    entries = entered(directory, school, found, by=by, reason=reason)
    return Listed(name, school, noon(on), entries, parked)


def on_list(
    service: Service, directory: Directory | None, name: str, school: str, on: date
) -> tuple[Sequence[Due], int]:
    """Who is on a list, by reference, whose day comes first before all others; and who is parked.

    Nobody is told who they are. Raises BadValue for a list that there is not; else as
    `this_morning`.
    """
    if name not in LISTS:
        raise BadValue("name", f"is no list; there are {', '.join(LISTS)}")
    if name == PROXIES:
        return sorted(_proxies(service, directory, school, noon(on)), key=urgency), 0
    found = standing(service, school, noon(on), name)
    return found.due, found.parked


def entered(
    directory: Directory | None,
    school: str,
    some: Iterable[Due],
    *,
    by: str,
    reason: str | None = None,
) -> tuple[Entered, ...]:
    """The same with who they are where the school has entered them, by student number.

    Noted is each who is told. Raises as `Directory.find`.
    """
    some = list(some)
    refs = [each.enrollment.ref for each in some]
    people = directory.of_school(school, refs, by=by, reason=reason) if directory else {}
    found = [Entered(each, people.get(each.enrollment.ref)) for each in some]
    return tuple(sorted(found, key=_place))


def _proxies(service: Service, directory: Directory | None, school: str, at: datetime) -> list[Due]:
    """Who signed on paper, where nobody has entered it yet; the year is hers on that day.

    Left out is who has joined otherwise since, has left, or is at another school.
    """

    def judge(proxy: WaitingProxy) -> Due | None:
        years = [year for year in service.enrollments(proxy.ref) if year <= proxy.day.year]
        whose = EnrollmentId(proxy.ref, max(years, default=proxy.day.year))
        return Due(PROXIES, whose) if _is_to_enter(service, whose, school, at) else None

    waiting = directory.waiting_proxies(school) if directory else []
    return judged(service, school, at, waiting, judge) if waiting else []


def _is_to_enter(service: Service, whose: EnrollmentId, school: str, at: datetime) -> bool:
    try:
        answer = service.at(whose, at)
    except UnreadableEvent:
        return True
    return answer.school in (None, school) and answer.state in _NOT_JOINED


def _place(entered: Entered) -> tuple[bool, str, EnrollmentId]:
    number = entered.person.number if entered.person else ""
    return not number, number, entered.due.enrollment


def today_json(morning: Morning) -> dict[str, Any]:
    """The morning page as plain JSON values."""
    return {
        "school": morning.school,
        "on": plain(morning.on),
        "at": plain(morning.at),
        "lists": [{"name": name, "count": number} for name, number in morning.lists],
    }


def listed_json(listed: Listed) -> dict[str, Any]:
    """A list as plain JSON values; names are null of whom the school has not entered."""
    return {
        "name": listed.name,
        "school": listed.school,
        "at": plain(listed.at),
        "count": len(listed.entries),
        "entries": [_entry_json(each) for each in listed.entries],
    }


def _entry_json(entered: Entered) -> dict[str, Any]:
    due, person = entered
    told = {"days_left": due.days_left, "ends_on": plain(due.ends_on)}
    return {
        "ref": due.enrollment.ref,
        "year": due.enrollment.year,
        "student_name": person and person.name,
        "student_number": person and person.number,
        **{key: value for key, value in told.items() if value is not None},
    }
