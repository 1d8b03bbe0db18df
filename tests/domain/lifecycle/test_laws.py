"""What holds for any facts in any order."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from itertools import pairwise
from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]
from given import Given, edition, given, step
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from yibao.domain.calendar import day_after, day_before, last_day_of_months, midnight, read_instant
from yibao.domain.facts import commands, events
from yibao.domain.facts.commands import COMMAND_OF
from yibao.domain.facts.streams import EMPTY, current_facts, evolve, fold
from yibao.domain.lifecycle.table import STEPS, TIME_DRIVEN, UNREGISTERED
from yibao.domain.lifecycle.timelines import state_at, timeline, triggers
from yibao.domain.refusals import Refused
from yibao.domain.rules.case import Case
from yibao.domain.vocabulary import DayRange, EnrollmentId, WaitingPeriod, edition_stream
from yibao.projections.answer import Answer, answer
from yibao.projections.discrepancies import discrepancies
from yibao.projections.parts import PARTS
from yibao.projections.record import Cutoff, EditionRecord, Log, Record

ENROLLMENT = EnrollmentId("s1", 2025)
LEARNED = read_instant("2026-03-01 00:00")

#: The instants and days at which something turns, and their neighbors.
INSTANTS = [
    read_instant(text)
    for text in (
        "2025-08-20 09:00",
        "2025-08-31 23:59",
        "2025-09-01 00:00",
        "2025-09-01 09:00",
        "2025-09-04 23:59",
        "2025-09-05 00:00",
        "2025-09-06 10:00",
        "2025-09-06 10:30",
        "2025-09-07 00:00",
        "2025-09-07 09:00",
        "2025-09-30 23:45",
        "2025-10-15 10:00",
        "2025-11-30 23:45",
        "2025-12-01 00:00",
        "2025-12-01 09:00",
        "2025-12-02 00:00",
        "2025-12-30 23:59",
        "2025-12-31 00:00",
        "2025-12-31 10:00",
        "2025-12-31 23:59",
        "2026-01-01 00:00",
        "2026-01-15 12:00",
        "2026-02-28 23:59",
    )
]
DAYS = sorted({instant.date() for instant in INSTANTS})
SCHOOLS = ["sjtu", "ecnu"]

instants = st.sampled_from(INSTANTS)
days = st.sampled_from(DAYS)
schools = st.sampled_from(SCHOOLS)

#: What each kind of fact may say.
VALUES: dict[type[events.Fact], st.SearchStrategy[dict[str, Any]]] = {
    events.Registered: st.fixed_dictionaries(
        {
            "ref": st.just("s1"),
            "policy": st.just("shanghai-2025"),
            "on": days,
            "school": schools,
            "category": st.sampled_from(["undergraduate", "postgraduate", "foreign"]),
            "document": st.sampled_from(["resident_id_card", "passport"]),
        }
    ),
    events.RosterDeclared: st.just({}),
    events.SchoolChanged: st.fixed_dictionaries({"school": schools}),
    events.OtherCoverDeclared: st.fixed_dictionaries(
        {"kind": st.sampled_from(["shanghai_resident", "employee", "other_province"])}
    ),
    events.EmployeeCoverStopped: st.fixed_dictionaries({"on": days}),
    events.OtherCoverKept: st.just({}),
    events.Confirmed: st.fixed_dictionaries({"channel": st.sampled_from(["app", "proxy"])}),
    events.PriorCoverageVerified: st.one_of(
        st.fixed_dictionaries({"lapsed_years": st.integers(0, 2)}),
        st.fixed_dictionaries({"lapsed_years": st.just(1), "waiting_ends_on": days}),
    ),
    events.AccountBuilt: st.fixed_dictionaries({"on": days}),
    events.EvoucherActivated: st.just({"channel": "alipay"}),
    events.MedicalCardIssued: st.just({}),
    events.RemoteCareFiled: st.just({"province": "zhejiang"}),
    events.Withdrawn: st.fixed_dictionaries({"on": days}),
    events.PremiumPaid: st.fixed_dictionaries({"year": st.integers(2025, 2027)}),
}
AFTER_REGISTERING = [kind for kind in VALUES if kind is not events.Registered]
#: The facts that move states come more often than those that move none.
WEIGHTED: list[type[events.Fact]] = [
    *AFTER_REGISTERING,
    *(events.Confirmed, events.OtherCoverKept) * 3,
    *(events.PriorCoverageVerified, events.Withdrawn) * 2,
]


def happened(
    kind: type[events.Event],
    at: datetime,
    place: int,
    stream: UUID = ENROLLMENT.stream,
    /,
    **values: Any,
) -> Any:
    """An event as a store would give it back, learned one minute after the one before it."""
    return kind(
        originator_id=stream,
        originator_version=place,
        event_id=UUID(int=place),
        occurred_at=at,
        recorded_at=LEARNED + timedelta(minutes=place),
        by="tester",
        via="test",
        command_id=f"c{place}",
        command_digest=f"d{place}",
        **values,
    )


@st.composite
def told(
    draw: st.DrawFn, kinds: Sequence[type[events.Fact]] = tuple(WEIGHTED)
) -> tuple[type[events.Fact], datetime, dict[str, Any]]:
    """One fact: its kind, when it happened, and what it says."""
    kind = draw(st.sampled_from(kinds))
    return kind, draw(instants), draw(VALUES[kind])


Told = tuple[type[events.Fact], datetime, dict[str, Any]]
registrations = told([events.Registered])
facts = st.lists(told(), max_size=9)


def stream(told_facts: Sequence[Told]) -> list[events.Event]:
    """These facts, recorded in this order."""
    return [happened(kind, at, n, **values) for n, (kind, at, values) in enumerate(told_facts, 1)]


@st.composite
def anything(draw: st.DrawFn) -> list[events.Event]:
    """Facts of every kind in any order, registered or not, with corrections and voids between.

    A correction or void may name what is current, what is not, or nothing there is.
    """
    recorded: list[events.Event] = []
    for kind, at, values in draw(st.lists(told([*WEIGHTED, events.Registered]), max_size=9)):
        place = len(recorded) + 1
        recorded.append(happened(kind, at, place, **values))
        target = UUID(int=draw(st.integers(1, place + 1)))
        named = [event for event in recorded if event.event_id == target]
        match draw(st.sampled_from(["go on", "go on", "void", "correct"])):
            case "void":
                recorded.append(happened(events.Voided, at, place + 1, supersedes=target))
            case "correct":
                same = type(named[0]) if named else kind
                if not issubclass(same, events.Fact):
                    continue
                _, at, values = draw(told([same]))
                recorded.append(happened(same, at, place + 1, supersedes=target, **values))
    return recorded


@st.composite
def fixes(draw: st.DrawFn) -> list[events.Event]:
    """What was fixed of the window, for all or for some, each end within the year."""
    fixed: list[events.Event] = []
    for place in range(1, 1 + draw(st.integers(0, 2))):
        end = draw(st.sampled_from(["opens_on", "closes_on"]))
        values = {end: draw(days), "school": draw(st.sampled_from([None, *SCHOOLS]))}
        stream_id = edition_stream("shanghai-2025")
        fixed.append(happened(events.WindowFixed, draw(instants), place, stream_id, **values))
    return fixed


def case_of(recorded: Sequence[events.Event], fixed: Sequence[events.Event] = ()) -> Case:
    return Case(edition(), current_facts(recorded), current_facts(fixed))  # type: ignore[arg-type]


def asked(
    recorded: Sequence[events.Event],
    fixed: Sequence[events.Event],
    at: datetime,
    cutoff: Cutoff | None = None,
) -> Answer:
    """The answer as known by a cut-off; as known now, if there is none."""
    known_at = LEARNED + timedelta(days=1) if cutoff is None else cutoff
    record = Record(
        ENROLLMENT, Log(recorded), edition_of=lambda _: EditionRecord(edition(), Log(fixed))
    )
    return answer(record, at, known_at)


def said(found: Answer, *leaving_out: str) -> dict[str, Any]:
    """What an answer says, without what it is derived from."""
    return {name: PARTS[name].value(found) for name in PARTS if name not in leaving_out}


often = settings(max_examples=80, deadline=None)


@often
@forall(anything(), fixes(), instants)
def test_the_fold_is_total(
    recorded: list[events.Event], fixed: list[events.Event], at: datetime
) -> None:
    assert asked(recorded, fixed, at).version == len(recorded)


@often
@forall(anything(), fixes())
def test_the_timeline_strictly_increases_and_every_entry_changes_the_state(
    recorded: list[events.Event], fixed: list[events.Event]
) -> None:
    changes = timeline(case_of(recorded, fixed))
    assert all(a.at < b.at and a.state != b.state for a, b in pairwise(changes))


def reachable(state: str, names: Sequence[str]) -> set[str]:
    """The states the table leads to from one, by these triggers alone, each taken at most once."""
    found = set()
    for index, name in enumerate(names):
        following = STEPS.get((state, name))
        if following is not None:
            found |= {following} | reachable(following, [*names[:index], *names[index + 1 :]])
    return found


@often
@forall(registrations, facts, fixes())
def test_the_timeline_follows_the_table(
    registered: Told, others: list[Told], fixed: list[events.Event]
) -> None:
    case = case_of(stream([registered, *others]), fixed)
    changes = timeline(case)
    falling_due = list(triggers(case))
    before = UNREGISTERED
    for change in changes:
        names = Counter(trigger.name for trigger in falling_due if trigger.at == change.at)
        assert change.state in reachable(before, [*names, *[n for n in names if names[n] > 1]])
        before = change.state


PLACES = {name: place for place, name in enumerate(("register", "window_closes", "choice"))}
PLACES |= {"confirm": PLACES["choice"], "keep_other_cover": PLACES["choice"]}
PLACES |= {step.trigger: len(PLACES) + n for n, step in enumerate(TIME_DRIVEN[1:])}
PLACES["withdraw"] = max(PLACES.values()) + 1


@often
@forall(registrations, facts, fixes())
def test_the_steps_of_one_instant_are_taken_in_the_order_of_the_table(
    registered: Told, others: list[Told], fixed: list[events.Event]
) -> None:
    in_time = sorted(triggers(case_of(stream([registered, *others]), fixed)), key=lambda t: t.at)
    for before, after in pairwise(in_time):
        assert before.at < after.at or PLACES[before.name] <= PLACES[after.name]


@often
@forall(anything(), fixes(), instants)
def test_the_state_at_an_instant_is_the_last_entry_at_or_before_it(
    recorded: list[events.Event], fixed: list[events.Event], at: datetime
) -> None:
    changes = timeline(case_of(recorded, fixed))
    assert state_at(changes, at) == next((c for c in reversed(changes) if c.at <= at), None)


@often
@forall(registrations, facts, fixes())
def test_no_state_begins_before_the_registration_day(
    registered: Told, others: list[Told], fixed: list[events.Event]
) -> None:
    begins = midnight(registered[2]["on"])
    changes = timeline(case_of(stream([registered, *others]), fixed))
    assert changes[0].at == begins


@often
@forall(registrations, facts, fixes(), instants)
def test_no_value_begins_before_the_registration_day(
    registered: Told, others: list[Told], fixed: list[events.Event], at: datetime
) -> None:
    found = asked(stream([registered, *others]), fixed, at).values
    assert found is not None
    on = registered[2]["on"]
    waiting, coverage = found.waiting.value, found.coverage.value
    begin = [
        waiting.first if isinstance(waiting, WaitingPeriod) else on,
        coverage.first if isinstance(coverage, DayRange) else on,
        found.account_built_on.value if isinstance(found.account_built_on.value, date) else on,
    ]
    assert min(begin) >= on


@often
@forall(registrations, facts, fixes())
def test_every_confirmed_student_who_neither_left_nor_opted_out_expires(
    registered: Told, others: list[Told], fixed: list[events.Event]
) -> None:
    case = case_of(stream([registered, *others]), fixed)
    confirmed = any(isinstance(choice.event, events.Confirmed) for choice in case.facts.choices)
    kept = any(isinstance(choice.event, events.OtherCoverKept) for choice in case.facts.choices)
    expired = "expired" in {change.state for change in timeline(case)}
    assert expired is confirmed or kept or case.withdrawal is not None


@often
@forall(anything(), fixes(), instants, st.data())
def test_recording_more_never_changes_an_answer_for_an_earlier_version(
    recorded: list[events.Event], fixed: list[events.Event], at: datetime, data: st.DataObject
) -> None:
    version = data.draw(st.integers(0, len(recorded)))
    then = asked(recorded[:version], fixed, at, version)
    assert asked(recorded, fixed, at, version) == then


@often
@forall(anything(), fixes(), instants, st.data())
def test_recording_more_never_changes_an_answer_for_an_earlier_cut_off(
    recorded: list[events.Event], fixed: list[events.Event], at: datetime, data: st.DataObject
) -> None:
    version = data.draw(st.integers(0, len(recorded)))
    known_at = LEARNED + timedelta(minutes=version, seconds=30)
    fixed_by_then = [event for event in fixed if event.recorded_at <= known_at]
    then = asked(recorded[:version], fixed_by_then, at, known_at)
    assert asked(recorded, fixed, at, known_at) == then


@often
@forall(
    registrations,
    st.lists(told(), max_size=8, unique_by=lambda fact: fact[1]),
    fixes(),
    instants,
    st.data(),
)
def test_as_known_now_the_order_of_recording_does_not_matter(
    registered: Told,
    others: list[Told],
    fixed: list[events.Event],
    at: datetime,
    data: st.DataObject,
) -> None:
    kind, when, values = registered
    facts_in_order: list[Told] = [(kind, when - timedelta(seconds=1), values), *others]
    shuffled = data.draw(st.permutations(facts_in_order))
    one, other = (asked(stream(order), fixed, at) for order in (facts_in_order, shuffled))
    assert said(one, "discrepancies") == said(other, "discrepancies")
    assert Counter(found.code for found in one.discrepancies) == Counter(
        found.code for found in other.discrepancies
    )


@often
@forall(registrations, facts, fixes(), instants, st.data())
def test_correcting_a_fact_says_what_recording_it_right_at_once_would_have_said(
    registered: Told,
    others: list[Told],
    fixed: list[events.Event],
    at: datetime,
    data: st.DataObject,
) -> None:
    mistaken = [registered, *others]
    index = data.draw(st.integers(0, len(mistaken) - 1))
    right = data.draw(told([mistaken[index][0]]))
    kind, when, values = right
    corrected = [
        *stream(mistaken),
        happened(
            kind, when, len(mistaken) + 1, supersedes=UUID(int=index + 1), observed=True, **values
        ),
    ]
    at_once = stream([*mistaken[:index], right, *mistaken[index + 1 :]])
    assert said(asked(corrected, fixed, at)) == said(asked(at_once, fixed, at))


@often
@forall(registrations, facts, fixes(), instants, st.data())
def test_taking_a_fact_back_says_what_never_recording_it_would_have_said(
    registered: Told,
    others: list[Told],
    fixed: list[events.Event],
    at: datetime,
    data: st.DataObject,
) -> None:
    extra = data.draw(told())
    recorded = stream([registered, *others, extra])
    place = len(recorded)
    taken_back = happened(events.Voided, at, place + 1, supersedes=UUID(int=place))
    without = asked(recorded[:-1], fixed, at)
    assert said(asked([*recorded, taken_back], fixed, at)) == said(without)


@often
@forall(anything())
def test_the_current_facts_alone_are_those_of_the_fold(recorded: list[events.Event]) -> None:
    assert current_facts(recorded) == fold(recorded).facts


@often
@forall(anything())
def test_the_fold_is_what_one_event_after_the_other_makes(recorded: list[events.Event]) -> None:
    assert fold(recorded) == reduce(evolve, recorded, EMPTY)


@often
@forall(anything(), fixes())
def test_discrepancies_name_current_facts_in_the_order_of_the_stream(
    recorded: list[events.Event], fixed: list[events.Event]
) -> None:
    case = case_of(recorded, fixed)
    found = [one.version for one in discrepancies(case)]
    assert found == [fact.place for fact in case.known if fact.place in set(found)]


def world(registered: Told, others: list[Told]) -> tuple[Given, list[commands.Command]]:
    """A student whose facts were asked for as requests, and the commands that were accepted."""
    student = given()
    accepted: list[commands.Command] = []
    for kind, at, values in [registered, *others]:
        try:
            command = COMMAND_OF[kind](at=at, command_id=f"k{len(accepted)}", **values)
            student.record(command)
        except Refused:
            continue
        accepted.append(command)
    return student, accepted


REGISTERED: Told = (
    events.Registered,
    read_instant("2025-08-20 09:00"),
    {
        "ref": "s1",
        "policy": "shanghai-2025",
        "on": date(2025, 9, 1),
        "school": "sjtu",
        "category": "undergraduate",
        "document": "resident_id_card",
    },
)


@often
@forall(facts, st.data())
def test_a_repeated_command_changes_nothing(others: list[Told], data: st.DataObject) -> None:
    student, accepted = world(REGISTERED, others)
    repeated = data.draw(st.sampled_from(accepted))
    before = list(student.recorded)
    assert student.record(repeated) is None
    assert student.recorded == before


@often
@forall(facts)
def test_a_request_that_was_granted_is_no_discrepancy_while_it_is_the_last(
    others: list[Told],
) -> None:
    student, _ = world(REGISTERED, others)
    places = [found.version for found in discrepancies(student.case)]
    last = student.recorded[-1]
    assert isinstance(last, events.Fact)
    assert last.observed or len(student.recorded) not in places


@often
@forall(facts, told([*AFTER_REGISTERING]))
def test_a_report_is_recorded_whatever_has_happened(others: list[Told], report: Told) -> None:
    student, _ = world(REGISTERED, others)
    kind, at, values = report
    if values.get("waiting_ends_on", date.max) < date(2025, 9, 1):
        values = {"lapsed_years": 1}
    before = len(student.recorded)
    student.and_(step(COMMAND_OF[kind], at, observed=True, **values))  # type: ignore[arg-type]
    assert len(student.recorded) == before + 1


dates = st.dates(date(1900, 1, 1), date(2999, 12, 31))


@often
@forall(dates, st.integers(0, 300))
def test_a_period_that_leaves_its_first_day_out_ends_where_dateutil_says(
    first: date, months: int
) -> None:
    expected = first + relativedelta(months=months)
    assert last_day_of_months(first, months, counting_first_day=False) == expected


@often
@forall(dates, st.integers(0, 300))
def test_a_period_ends_the_day_before_dateutils_day_where_the_month_has_it(
    first: date, months: int
) -> None:
    corresponding = first + relativedelta(months=months)
    expected = day_before(corresponding) if corresponding.day == first.day else corresponding
    assert last_day_of_months(first, months) == expected


@often
@forall(dates, st.integers(0, 299))
def test_a_longer_period_ends_later(first: date, months: int) -> None:
    assert last_day_of_months(first, months) < last_day_of_months(first, months + 1)


@often
@forall(dates, st.integers(1, 300))
def test_a_period_ends_in_its_last_month_or_on_the_day_before(first: date, months: int) -> None:
    following = day_after(last_day_of_months(first, months))
    ahead = (following.year - first.year) * 12 + following.month - first.month
    assert ahead == months or (ahead == months + 1 and following.day == 1)
