"""Very many students, made up by a seed: as a city has them, and as no city would."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from uuid import UUID

from yibao.domain.calendar import SHANGHAI, read_instant
from yibao.domain.editions.policy import Policy
from yibao.domain.facts import events
from yibao.domain.money import Fen
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.record import EditionRecord, Log, Record

from .editions import edition, edition_with
from .years import continuing

SCHOOLS = ("sjtu", "ecnu", "tongji")
CATEGORIES = ("undergraduate", "postgraduate", "foreign")
DOCUMENTS = ("resident_id_card", "passport", "hmt_residence_permit")
#: When all of it is known.
LEARNED = read_instant("2031-01-01 00:00")


@cache
def editions() -> dict[str, Policy]:
    """Two of a year for entrants, and those of three years for continuing students."""
    revised = edition_with(window_closes_on="2025-11-30")
    said: dict[str, Any] = {
        "for_students": ("students", ["entrants", "continuing"]),
        "waiting_repaired_per_year": ("months", 1),
        "waiting_floor": ("months", {"lapsed_years": 2, "months": 2}),
        "cover_after_leaving": ("kinds of leaving", {"graduated": "until_benefit_to"}),
    }
    found = [
        edition(),
        revised.model_copy(update={"edition": "shanghai-2025-revised"}),
        *(continuing(year, **said) for year in range(2026, 2029)),
    ]
    return {policy.edition: policy for policy in found}


class _Telling:
    """Makes up the facts of one stream after the other, as a store would give them back."""

    def __init__(self, random: Random, shape: Random) -> None:
        self.random, self.shape = random, shape
        self.recorded: list[events.Event] = []

    def event(self, kind: type[events.Event], stream: UUID, at: datetime, /, **values: Any) -> Any:
        version = 1 + sum(each.originator_id == stream for each in self.recorded)
        random = self.shape if kind is events.WindowFixed else self.random
        event = kind(
            originator_id=stream,
            originator_version=version,
            event_id=UUID(int=random.getrandbits(128)),
            occurred_at=at,
            recorded_at=LEARNED - timedelta(days=100) + timedelta(minutes=len(self.recorded)),
            by="tester",
            via="test",
            command_id=f"c{len(self.recorded)}",
            command_digest="d",
            **values,
        )
        self.recorded.append(event)
        return event


def anybody(seed: int, like: int | None = None, most: int = 3, ref: str = "s1") -> Sequence[Record]:
    """The records of up to so many years of somebody of whom anything may have been told.

    Facts of every kind in any order, corrected and taken back, windows fixed, care, and now and
    then a day long ago. Of all who are `like` one another the same kinds of facts are told.
    """
    told = _Telling(Random(seed), Random(seed if like is None else like))
    shape = told.shape
    years = range(2025, 2025 + shape.choice((1, 1, 1, *range(1, most + 1))))
    for year in years:
        _tell_year(told, EnrollmentId(ref, year))
    for name in editions():
        for _ in range(shape.choice((0, 0, 0, 1, 2))):
            _fix(told, name)
    return [_record(told, EnrollmentId(ref, year), years) for year in years]


def _record(told: _Telling, whose: EnrollmentId, years: range) -> Record:
    def log(stream: UUID) -> Log:
        placed = enumerate(told.recorded, 1)
        own = [(n, event) for n, event in placed if event.originator_id == stream]
        return Log([event for _, event in own], [n for n, _ in own])

    logs = {}
    for year in years:
        each = EnrollmentId(whose.ref, year)
        logs[year] = log(each.stream), log(each.care_stream)
    fixed = {
        name: EditionRecord(policy, log(edition_stream(name)))
        for name, policy in editions().items()
    }
    return Record.of(whose, logs, fixed.__getitem__, LEARNED)


def _tell_year(told: _Telling, whose: EnrollmentId) -> None:
    stream, year, shape = whose.stream, whose.year, told.shape
    kinds = [*_KINDS, *(events.Confirmed, events.PremiumPaid, events.PriorCoverageVerified) * 2]
    telling = [shape.choice(kinds) for _ in range(shape.randrange(8))]
    if shape.random() < 0.95:
        telling.insert(0, events.Registered)
    if shape.random() < 0.05:
        telling.append(events.Registered)
    for kind in telling:
        told.event(kind, stream, _instant(year, told.random), **_said(kind, whose, told))
        while shape.random() < 0.15:
            _take_back(told, whose)
    if shape.random() < 0.05:
        _tell_care(told, whose)


def _take_back(told: _Telling, whose: EnrollmentId) -> None:
    """A correction or a void of any fact of a stream."""
    stream, year = whose.stream, whose.year
    own = [event for event in told.recorded if event.originator_id == stream]
    event = told.shape.choice([each for each in own if isinstance(each, events.Fact)])
    if told.shape.random() < 0.5:
        told.event(events.Voided, stream, event.occurred_at, supersedes=event.event_id)
        return
    kind, at = type(event), _instant(year, told.random)
    told.event(kind, stream, at, supersedes=event.event_id, **_said(kind, whose, told))


def _fix(told: _Telling, name: str) -> None:
    """One end of a window, the same for all who are like one another."""
    year, shape = editions()[name].year, told.shape
    told.event(
        events.WindowFixed,
        edition_stream(name),
        _instant(year, shape),
        school=shape.choice((None, *SCHOOLS)),
        category=shape.choice((None, *CATEGORIES)),
        **{shape.choice(("opens_on", "closes_on")): _day(year, shape)},
    )


def _tell_care(told: _Telling, whose: EnrollmentId) -> None:
    for _ in range(told.shape.randrange(1, 3)):
        told.event(
            events.CareReceived,
            whose.care_stream,
            _instant(whose.year, told.random),
            on=_day(whose.year, told.random),
            setting="outpatient",
            level="third",
            cost=Fen.of("500.00"),
            province=told.random.choice((None, "zhejiang")),
        )


def _instant(year: int, random: Random) -> datetime:
    """An instant near one at which something turns, or anywhere in the season."""
    if random.random() < 0.5:
        return read_instant(random.choice(_NEAR).format(before=year - 1, year=year, after=year + 1))
    begins = datetime(year, 8, 1, tzinfo=SHANGHAI)
    return begins + timedelta(minutes=random.randrange(200 * 1440))


def _day(year: int, random: Random) -> date:
    if random.random() < 0.003:
        return date(1991, 4, 14)
    return _instant(year, random).date()


_NEAR = (
    "{before}-11-14 00:00",
    "{before}-12-31 23:45",
    "{year}-08-31 23:59",
    "{year}-09-01 00:00",
    "{year}-09-05 00:00",
    "{year}-09-06 10:00",
    "{year}-09-06 10:30",
    "{year}-09-07 09:00",
    "{year}-11-30 23:45",
    "{year}-12-01 00:00",
    "{year}-12-31 23:45",
    "{after}-01-01 00:00",
    "{after}-01-02 09:00",
)

_KINDS: tuple[type[events.Fact], ...] = (
    events.RosterDeclared,
    events.SchoolChanged,
    events.OtherCoverDeclared,
    events.EmployeeCoverStopped,
    events.OtherCoverKept,
    events.Confirmed,
    events.PriorCoverageVerified,
    events.AccountBuilt,
    events.EvoucherActivated,
    events.MedicalCardIssued,
    events.RemoteCareFiled,
    events.Withdrawn,
    events.PremiumPaid,
)


def _said(kind: type[events.Event], whose: EnrollmentId, told: _Telling) -> dict[str, Any]:
    """What a fact of a kind may say."""
    year = whose.year
    random, shape, pick = told.random, told.shape, told.random.choice
    match kind.__name__:
        case "Registered":
            return {
                "ref": whose.ref,
                "policy": shape.choice([n for n, each in editions().items() if each.year == year]),
                "on": _day(year, random),
                "school": pick(SCHOOLS),
                "category": pick(CATEGORIES),
                "document": pick(DOCUMENTS),
            }
        case "SchoolChanged":
            return {"school": pick(SCHOOLS)}
        case "OtherCoverDeclared":
            return {"kind": pick(("shanghai_resident", "employee", "other_province"))}
        case "EmployeeCoverStopped" | "AccountBuilt":
            return {"on": _day(year, random)}
        case "Confirmed":
            return {"channel": pick(("app", "proxy"))}
        case "PriorCoverageVerified":
            return {
                "lapsed_years": random.randrange(4),
                "waiting_ends_on": _day(year, random) if shape.random() < 0.3 else None,
                "years_repaid": pick((None, 0, 1, 2)),
            }
        case "EvoucherActivated":
            return {"channel": "alipay"}
        case "RemoteCareFiled":
            return {"province": "zhejiang"}
        case "Withdrawn":
            return {"on": _day(year, random), "kind": pick((None, "graduated", "suspended"))}
        case "PremiumPaid":
            return {"year": pick((year, year, year + 1))}
    return {}


def everybody(size: int, seed: int = 1) -> Iterator[list[events.Event]]:
    """What is told of each student of a city in an autumn: six facts mostly, in their order."""
    random = Random(seed)
    for number in range(size):
        yield _ordinary(random, number)


def _ordinary(random: Random, number: int) -> list[events.Event]:
    told = _Telling(random, random)
    stream = EnrollmentId(f"s{number}", 2025).stream
    begins = datetime(2025, 9, 1, tzinfo=SHANGHAI)

    def tell(kind: type[events.Event], first: int, last: int, **values: Any) -> None:
        at = begins + timedelta(minutes=random.randrange(first * 1440, last * 1440))
        told.event(kind, stream, at, **values)

    tell(
        events.Registered,
        -10,
        20,
        ref=f"s{number}",
        policy="shanghai-2025",
        on=date(2025, 8, 20) + timedelta(days=random.randrange(30)),
        school=f"u{random.randrange(60)}",
        category=random.choice(CATEGORIES),
        document=random.choices(DOCUMENTS, (20, 1, 1))[0],
    )
    tell(events.RosterDeclared, 0, 10)
    tell(events.Confirmed, 3, 40, channel=random.choice(("app", "proxy")))
    tell(events.PriorCoverageVerified, 4, 45, lapsed_years=random.choice((0, 0, 0, 0, 1, 2)))
    if random.random() < 0.7:
        on = date(2025, 9, 20) + timedelta(days=random.randrange(30))
        tell(events.AccountBuilt, 30, 60, on=on)
        tell(events.EvoucherActivated, 30, 90, channel="alipay")
    return told.recorded
