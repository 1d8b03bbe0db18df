"""What is refused is kept: who tried what, when, and the code; never a bad value, never half.

An attempt is written by the transaction that refused, so whoever was told no finds it in the
store. Beyond a bound attempts are counted. All of it happens to real stores.
"""

import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from given import sheet
from golden.held import GOLDEN

import yibao
from yibao.adapters.following.trail.questions import Question
from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.facts import FactStore, StoreError
from yibao.adapters.store.migrations import HEAD
from yibao.adapters.store.tables.attempts import KeptAttempt
from yibao.adapters.store.urls import file_of, is_postgres
from yibao.domain.calendar import SHANGHAI, read_instant
from yibao.domain.facts.attempts import RefusedAttempt
from yibao.domain.facts.commands import Confirm, DeclareRoster, FileRemoteCare, Register, SettleCare
from yibao.domain.refusals import REASONS, BadValue, Refused, UnknownEdition
from yibao.domain.vocabulary import ConfirmationChannel, edition_stream

from ..helpers.autumn import ADA, BO, EDITIONS, POLICY, Clock
from ..helpers.stores import content, lasting, on_sqlite, with_trail
from ..helpers.writers import Nursery, Step, filing, registration, together
from ..store.sqlite.test_faults import pragma
from ..store.test_migrations import layout

SRC = Path(__file__).parents[3] / "src"
#: What nobody should find in a file: it looks like the number of an identity card.
IDENTITY = "110101199003074514"
HOW = {
    "by": "counter-2",
    "command_id": "try-1",
    "correlation_id": "visit-7",
    "causation_id": "form-3",
}

Attempting = Callable[..., Any]
TRIES = count()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(url: str, clock: Clock) -> Iterator[Service]:
    with opened(url, clock) as service:
        yield service


def opened(url: str, clock: Callable[[], datetime], **how: Any) -> Service:
    return open_service(url, policies=EDITIONS, via="web", clock=clock, **how)


def kept(service: Service) -> list[KeptAttempt]:
    return service._store.attempts_between(0, 2**62, 100_000)


def told(service: Service) -> list[RefusedAttempt]:
    return [each.attempt for each in kept(service)]


def events_of(service: Service) -> int:
    return service._store.reached().position


def refusal(act: Attempting, *values: Any, **named: Any) -> Refused:
    """What comes of something that is refused."""
    with pytest.raises(Refused) as caught:
        act(*values, **named)
    return caught.value


class World:
    """Ada's autumn: what it takes until something is refused."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self.service = service
        self.clock = clock
        self.student = ADA

    def registered(self, at: str = "2025-09-01 08:30", **values: Any) -> Attempting:
        given: dict[str, Any] = sheet(at=self.clock.at(at), on=at[:10])
        return partial(self.service.register, "ada", **(given | values))

    def asked(self, method: str, at: str, *given: Any, **values: Any) -> Attempting:
        act = getattr(self.service, method)
        return partial(act, self.student, *given, at=self.clock.at(at), **values)

    def did(self, method: str, at: str, *given: Any, **values: Any) -> UUID:
        receipt: yibao.Receipt = self.asked(method, at, *given, **values)()
        return receipt.event_id

    def begin(self, at: str = "2025-09-01 08:30", **values: Any) -> UUID:
        receipt: yibao.Receipt = self.registered(at, **values)()
        return receipt.event_id

    def confirmed(self, lapsed_years: int | None = 0) -> None:
        self.begin()
        self.did("confirm", "2025-09-06 14:20", channel="app", observed=True)
        if lapsed_years is not None:
            self.did("verify_prior_coverage", "2025-09-06 14:50", lapsed_years=lapsed_years)

    def care(self, at: str, **values: Any) -> UUID:
        given = {"on": at[:10], "setting": "campus_clinic", "cost": "100.00"} | values
        return self.did("receive_care", at, **given)

    def settling(self, at: str, **values: Any) -> Attempting:
        return self.asked("settle_care", "2026-02-01 09:00", self.care(at, **values))


def _confirming(at: str) -> Callable[[World], Attempting]:
    def attempt(world: World) -> Attempting:
        world.begin()
        return world.asked("confirm", at, channel="app")

    return attempt


def _withdrawn(world: World) -> Attempting:
    world.begin()
    world.did("withdraw", "2025-09-02 09:00", on="2025-09-02")
    return world.asked("confirm", "2025-09-06 09:00", channel="app")


def _enrolled_by_payment(world: World) -> Attempting:
    world.begin("2025-11-15 08:30", policy="shanghai-2026-continuing", on="2025-09-01")
    world.student = ADA._replace(year=2026)
    return world.asked("confirm", "2025-11-20 09:00", channel="app")


def _already_confirmed(world: World) -> Attempting:
    world.confirmed()
    return world.asked("confirm", "2025-09-07 09:00", channel="wechat")


def _before_registration(world: World) -> Attempting:
    world.begin(on="2025-09-10")
    return world.asked("confirm", "2025-09-06 09:00", channel="app")


def _window_closed(world: World) -> Attempting:
    world.begin()
    world.service.fix_window(POLICY, at=world.clock.at("2025-09-03 09:00"), closes_on="2025-09-20")
    return world.asked("confirm", "2025-09-25 09:00", channel="app")


def _no_other_cover(world: World) -> Attempting:
    world.begin()
    return world.asked("keep_other_cover", "2025-09-06 09:00")


def _not_confirmed(world: World) -> Attempting:
    world.begin()
    return world.asked("activate_evoucher", "2025-09-06 09:00", channel="app")


def _opted_out(world: World) -> Attempting:
    world.confirmed()
    world.did("declare_other_cover", "2025-09-07 09:00", kind="other_province")
    world.did("keep_other_cover", "2025-09-08 09:00", observed=True)
    return world.asked("activate_evoucher", "2025-09-09 09:00", channel="app")


def _activating(at: str, lapsed_years: int) -> Callable[[World], Attempting]:
    def attempt(world: World) -> Attempting:
        world.confirmed(lapsed_years)
        return world.asked("activate_evoucher", at, channel="app")

    return attempt


def _before_window(world: World) -> Attempting:
    world.confirmed(lapsed_years=1)
    care = world.care("2025-12-02 09:00")
    world.did("build_account", "2025-12-05 09:00", on="2025-12-05")
    return world.asked("settle_care", "2026-02-01 09:00", care)


def _settling(
    at: str, lapsed_years: int | None = 0, **values: Any
) -> Callable[[World], Attempting]:
    def attempt(world: World) -> Attempting:
        world.confirmed(lapsed_years)
        return world.settling(at, **values)

    return attempt


def _not_enrolled(world: World) -> Attempting:
    world.begin()  # and never confirms: by February that has lapsed
    return world.settling("2025-10-05 09:00")


def _already_settled(world: World) -> Attempting:
    world.confirmed()
    care = world.care("2025-09-10 09:00")
    world.did("settle_care", "2025-09-11 09:00", care)
    return world.asked("settle_care", "2025-09-12 09:00", care)


def _not_settled(world: World) -> Attempting:
    world.confirmed()
    return world.asked("reverse_care", "2025-09-11 09:00", world.care("2025-09-10 09:00"))


def _no_such_fact(world: World) -> Attempting:
    world.begin()
    return world.asked("void", "2025-09-02 09:00", uuid4(), reason="mistake")


def _superseded(world: World) -> Attempting:
    fact = world.begin()
    world.did("void", "2025-09-02 09:00", fact, reason="mistake")
    return world.asked("correct", "2025-09-03 09:00", fact, reason="mistake")


def _command_id_reused(world: World) -> Attempting:
    world.begin()
    world.did("declare_roster", "2025-09-02 09:00", command_id="try-1")
    return world.asked("issue_medical_card", "2025-09-03 09:00")


def _version_conflict(world: World) -> Attempting:
    world.begin()
    return world.asked("declare_roster", "2025-09-02 09:00", expected_version=7)


def _not_allowed(world: World) -> Attempting:
    world.begin()
    allowed = {"allowed": lambda answer, record: "other-school"}
    return world.asked("declare_roster", "2025-09-02 09:00", **allowed)


def _bad_value(world: World) -> Attempting:
    world.begin()
    return world.asked("declare_roster", "2025-09-02 09:00", reason="Not A Word")


def _unregistered(world: World) -> Attempting:
    return world.asked("confirm", "2025-09-06 09:00", channel="app")


def _registered_twice(world: World) -> Attempting:
    world.begin()
    return world.registered("2025-09-02 08:30")


#: For each code what leads there: it returns what will be refused.
LEADS_TO: dict[str, Callable[[World], Attempting]] = {
    "not_registered": _unregistered,
    "already_registered": _registered_twice,
    "not_a_new_student": lambda world: world.registered(category="foreign"),
    "withdrawn": _withdrawn,
    "enrolled_by_payment": _enrolled_by_payment,
    "already_confirmed": _already_confirmed,
    "before_registration": _before_registration,
    "window_not_open": _confirming("2025-09-03 09:00"),
    "window_closed": _window_closed,
    "roster_not_declared": _confirming("2025-09-06 09:00"),
    "no_other_cover": _no_other_cover,
    "not_confirmed": _not_confirmed,
    "opted_out": _opted_out,
    "account_not_built": _activating("2025-09-08 09:00", 1),
    "evoucher_not_available": _activating("2026-01-05 09:00", 0),
    "evoucher_not_yet_available": _activating("2025-09-06 16:00", 0),
    "before_window": _before_window,
    "in_waiting_period": _settling("2025-10-01 09:00", 1),
    "not_enrolled": _not_enrolled,
    "outside_benefit_year": _settling("2026-01-02 09:00"),
    "remote_care_not_filed": _settling(
        "2025-10-01 09:00", setting="inpatient", level="third", province="zhejiang"
    ),
    "cover_pending": _settling("2025-09-10 09:00", None),
    "already_settled": _already_settled,
    "not_settled": _not_settled,
    "no_such_fact": _no_such_fact,
    "superseded": _superseded,
    "command_id_reused": _command_id_reused,
    "version_conflict": _version_conflict,
    "not_allowed": _not_allowed,
    "bad_value": _bad_value,
}


@pytest.mark.parametrize("code", REASONS)
def test_every_refusal_leaves_one_attempt_and_nothing_in_any_stream(
    code: str, service: Service, clock: Clock
) -> None:
    world = World(service, clock)
    attempt, student = LEADS_TO[code](world), world.student
    assert told(service) == []
    before, facts = events_of(service), service.facts(student)
    came = refusal(attempt, **HOW)
    assert came.code == code
    assert str(came).startswith(f"{code}: {REASONS[code]}")
    assert came.__cause__ is None
    assert events_of(service) == before
    assert service.facts(student) == facts
    (found,) = kept(service)
    named: Any = attempt
    assert found.position == before
    expected = {
        "schema": 1,
        "command": named.func.__name__,
        "code": code,
        "tried_at": clock().isoformat(),
        "occurred_at": read_instant(named.keywords["at"]).isoformat(),
        "via": "web",
        "observed": False,
        "ref": "ada",
        "year": student.year,
        "version": len(facts),
        **HOW,
    }
    stored = found.attempt.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert {key: stored.get(key) for key in expected} == expected
    school = "sjtu" if facts else named.keywords.get("school")
    if code != "superseded":  # then the registration itself was taken back
        assert stored.get("school") == school
    assert stored.get("where") == came.details.get("where")
    if code == "bad_value":
        assert stored["values"] == {}
    elif stored["command"] in ("confirm", "activate_evoucher"):
        assert stored["values"] == {"channel": named.keywords["channel"]}
    assert service.refused_attempts(student) == [found]


def test_the_same_attempt_made_again_is_counted_under_whatever_id(
    service: Service, clock: Clock
) -> None:
    attempt = LEADS_TO["window_not_open"](World(service, clock))
    for again in ("try-1", "try-1", "try-2"):
        came = refusal(attempt, **{**HOW, "command_id": again})
        assert came.code == "window_not_open"
    assert [each.command_id for each in told(service)] == ["try-1"]
    hour = "2025-09-03T09:00+0800"
    assert counted(service) == {("counter-2", hour, "confirm", "window_not_open"): 2}
    # It may be tried again under its id, and succeeds once it is in time.
    world = World(service, clock)
    world.did("declare_roster", "2025-09-05 09:00")
    world.did("confirm", "2025-09-06 09:00", channel="app", command_id="try-1")
    assert len(told(service)) == 1


@pytest.mark.parametrize(
    ("other", "kept_as_well"),
    [
        ({"by": "counter-3"}, True),
        ({"at": "2025-09-03 09:00:01"}, True),
        ({"channel": "alipay"}, True),
        ({"reason": "in-a-hurry"}, True),
        ({"note": "she was in tears"}, False),
        ({"correlation_id": "visit-8", "causation_id": "form-4"}, False),
    ],
)
def test_an_attempt_is_another_where_its_content_is(
    other: dict[str, Any], kept_as_well: bool, service: Service, clock: Clock
) -> None:
    attempt = LEADS_TO["window_not_open"](World(service, clock))
    refusal(attempt, **HOW)
    clock.at("2025-09-03 12:00")
    assert refusal(attempt, **{**HOW, **other}).code == "window_not_open"
    assert len(told(service)) == 1 + kept_as_well
    assert sum(counted(service).values()) == 1 - kept_as_well


def test_an_attempt_about_somebody_else_or_with_another_code_is_another(
    service: Service, clock: Clock
) -> None:
    world = World(service, clock)
    roster = world.asked("confirm", "2025-09-06 09:00", channel="app")
    refusal(roster)
    refusal(service.confirm, BO, at="2025-09-06 09:00", channel="app")
    world.begin("2025-09-06 10:00", on="2025-09-01")
    refusal(roster)
    assert [(each.ref, each.code) for each in told(service)] == [
        ("ada", "not_registered"),
        ("bo", "not_registered"),
        ("ada", "roster_not_declared"),
    ]
    assert counted(service) == {}


def test_a_time_left_out_is_no_content_of_an_attempt(service: Service, clock: Clock) -> None:
    world = World(service, clock)
    world.begin()
    for day in ("2025-09-02", "2025-09-03"):
        clock.at(f"{day} 09:00")
        assert refusal(service.confirm, ADA, channel="app").code == "window_not_open"
    assert [each.occurred_at for each in told(service)] == [None]
    assert sum(counted(service).values()) == 1


def test_what_is_equal_is_known_by_whoever_opens_the_store_next(url: str, clock: Clock) -> None:
    with opened(url, clock) as service:
        attempt = LEADS_TO["window_not_open"](World(service, clock))
        refusal(attempt)
        by_x = told(service)[0].model_copy(update={"by": "x"})
        # What was kept by a transaction that came to nothing is not.
        with suppress(LookupError), service._store.transaction([ADA.stream]) as inside:
            inside.keep_attempt(ADA.stream, by_x, 10)
            inside.keep_attempt(ADA.stream, by_x, 10)
            raise LookupError
        refusal(attempt, by="x")
        refusal(attempt, by="x")
        assert [each.by for each in told(service)] == ["unnamed", "x"]
        if url != "memory:":
            with opened(url, clock) as another:
                refusal(partial(another.confirm, ADA, **attempt.keywords))  # type: ignore[attr-defined]
            assert len(told(service)) == 2


def test_what_is_accepted_or_repeated_leaves_no_attempt(service: Service, clock: Clock) -> None:
    world = World(service, clock)
    for _ in range(2):
        world.begin(command_id="one")
        world.did("declare_roster", "2025-09-02 17:00", command_id="two")
        service.fix_window(
            POLICY,
            at=clock.at("2025-09-03 09:00"),
            closes_on="2025-12-20",
            command_id="three",
        )
        world.did("confirm", "2025-09-06 14:20", channel="app", command_id="four")
        # A report that no guard would let pass is recorded, and refused nothing.
        world.did("confirm", "2025-09-07 14:20", channel="app", observed=True, command_id="five")
        world.did(
            "receive_care",
            "2025-09-08 09:00",
            on="2025-09-08",
            setting="campus_clinic",
            cost="60.00",
            command_id="six",
        )
    assert len(service.facts(ADA)) == 4
    assert len(service.care_facts(ADA)) == 1
    assert told(service) == []
    assert service._store.attempts_counted() == []


def test_a_quote_that_is_refused_was_no_attempt_to_record(service: Service) -> None:
    came = refusal(service.quote, ADA, on="2025-09-10", setting="campus_clinic", cost="60.00")
    assert came.code == "not_registered"
    assert told(service) == []


MARKED = "Bad-Value-7731"
#: The number of an identity card as it passes for a word, a key or the name of an edition.
NUMBER = "310101-19900101-1234"
_AT = "2025-09-03 10:00"
#: A method, what it is given instead of what is right, and the place that is kept.
BAD: list[tuple[str, dict[str, Any], str | None]] = [
    ("confirm", {"at": _AT, "channel": MARKED}, "channel"),
    ("confirm", {"at": _AT, "channel": [MARKED]}, "channel"),
    ("confirm", {"at": MARKED, "channel": "app"}, "at"),
    (
        "confirm",
        {"at": read_instant("2025-09-03 07:31:13").replace(tzinfo=None), "channel": "app"},
        "at",
    ),
    ("confirm", {"at": 77_317_731, "channel": "app"}, "at"),
    ("confirm", {"at": "2025-09-31 07:31", "channel": "app"}, "at"),
    ("confirm", {"at": "2031-07-31 07:31", "channel": "app"}, "at"),
    ("confirm", {"at": _AT, "channel": "app", "by": IDENTITY}, "by"),
    ("confirm", {"at": _AT, "channel": "app", "by": "13777317731"}, "by"),
    ("confirm", {"at": _AT, "channel": "app", "by": "desk:138-7731-7731"}, "by"),
    ("confirm", {"at": _AT, "channel": "app", "by": "ada@sjtu.edu.cn"}, "by"),
    ("confirm", {"at": _AT, "channel": "app", "reason": "138-7731-7731"}, "reason"),
    ("confirm", {"at": _AT, "channel": "app", "command_id": "id:310101900101123"}, "command_id"),
    ("confirm", {"at": _AT, "channel": "app", "causation_id": NUMBER}, "causation_id"),
    ("confirm", {"at": _AT, "channel": "app", "correlation_id": NUMBER}, "correlation_id"),
    (
        "confirm",
        {"at": _AT, "channel": NUMBER, "reason": NUMBER, "command_id": NUMBER},
        "command_id",
    ),
    ("change_school", {"at": _AT, "school": NUMBER, "reason": NUMBER}, "reason"),
    ("change_school", {"at": _AT, "school": "李雷３１０１０１９００１０１１２３"}, "school"),
    ("file_remote_care", {"at": _AT, "province": NUMBER}, "province"),
    ("void", {"fact": uuid4(), "at": _AT, "reason": NUMBER}, "reason"),
    ("confirm", {"at": _AT, "channel": "app", "by": f"{MARKED} !"}, "by"),
    ("confirm", {"at": _AT, "channel": "app", "by": 77_317_731}, "by"),
    ("confirm", {"at": _AT, "channel": "app", "command_id": f"{MARKED} !"}, "command_id"),
    ("confirm", {"at": _AT, "channel": "app", "causation_id": f"{MARKED} !"}, "causation_id"),
    ("confirm", {"at": _AT, "channel": "app", "correlation_id": MARKED * 9}, "correlation_id"),
    ("confirm", {"at": _AT, "channel": "app", "expected_version": -77_317_731}, "expected_version"),
    ("confirm", {"at": _AT, "channel": "app", "reason": MARKED}, "reason"),
    ("confirm", {"at": _AT, "channel": "app", "observed": MARKED}, "observed"),
    ("confirm", {"at": _AT, "channel": "app", "note": MARKED * 400}, "note"),
    ("confirm", {"at": _AT, "channel": "app", "note": b"\xff" + MARKED.encode()}, "note"),
    ("confirm", {"at": _AT, "channel": "app", IDENTITY: MARKED}, None),
    ("declare_roster", {"at": f"{_AT} {MARKED}"}, "at"),
    ("change_school", {"at": _AT, "school": f"{MARKED}\n"}, "school"),
    ("change_school", {"at": _AT, "school": {MARKED: MARKED}}, "school"),
    ("declare_other_cover", {"at": _AT, "kind": MARKED}, "kind"),
    ("stop_employee_cover", {"at": _AT, "on": "2025-02-30"}, "on"),
    ("stop_employee_cover", {"at": _AT, "on": date(1773, 1, 31)}, "on"),
    ("keep_other_cover", {"at": _AT, "note": ""}, "note"),
    ("verify_prior_coverage", {"at": _AT, "lapsed_years": 77_317_731}, "lapsed_years"),
    ("verify_prior_coverage", {"at": _AT, "lapsed_years": 7731.7731}, "lapsed_years"),
    (
        "verify_prior_coverage",
        {"at": _AT, "lapsed_years": 1, "waiting_ends_on": "2025-08-17"},
        "waiting_ends_on",
    ),
    ("build_account", {"at": _AT, "on": "2025-13-17"}, "on"),
    ("activate_evoucher", {"at": _AT, "channel": "proxy"}, "channel"),
    ("issue_medical_card", {"at": _AT, "reason": f"{MARKED} of"}, "reason"),
    ("file_remote_care", {"at": _AT, "province": MARKED * 9}, "province"),
    ("withdraw", {"at": _AT, "on": 7731.7731}, "on"),
    ("pay_premium", {"at": _AT, "year": "7731"}, "year"),
    (
        "receive_care",
        {"at": _AT, "on": "2025-09-02", "setting": "campus_clinic", "cost": "77.31773"},
        "cost",
    ),
    (
        "receive_care",
        {"at": _AT, "on": "2025-09-02", "setting": MARKED, "cost": "60.00"},
        "setting",
    ),
    (
        "receive_care",
        {
            "at": _AT,
            "on": "2025-09-02",
            "setting": "campus_clinic",
            "cost": Decimal("7731.00"),
            "total_cost": "7730.99",
        },
        "total_cost",
    ),
    ("settle_care", {"care": MARKED, "at": _AT}, "care"),
    ("settle_care", {"care": uuid4(), "at": _AT, "paid": -77_317_731}, "paid"),
    ("reverse_care", {"care": IDENTITY, "at": _AT}, "care"),
    ("void", {"fact": MARKED, "at": _AT, "reason": "mistake"}, "fact_id"),
    ("void", {"fact": uuid4(), "at": _AT, "reason": f"{MARKED}?"}, "reason"),
    ("correct", {"fact": MARKED, "at": _AT, "reason": "mistake"}, "fact_id"),
    (
        "correct",
        {"fact": uuid4(), "at": _AT, "reason": "mistake", "changes": [MARKED]},
        "changes",
    ),
    (
        "correct",
        {"fact": uuid4(), "at": _AT, "reason": "mistake", "occurred_at": "2031-07-31 07:31"},
        "occurred_at",
    ),
]


def _texts(given: Any) -> Iterator[str]:
    """The texts of a value that must not be in a file."""
    if isinstance(given, dict):
        for pair in given.items():
            for each in pair:
                yield from _texts(each)
    elif isinstance(given, list):
        yield from (text for each in given for text in _texts(each))
    elif isinstance(given, bytes):
        yield given.decode(errors="ignore")
    elif isinstance(given, datetime):
        yield f"{given:%H:%M:%S}"
    elif given not in ("", 0):
        yield from (text for text in {str(given), str(given).removeprefix("-")})


def _misplaced(named: dict[str, Any], where: str | None) -> Any:
    """What stood in the place that is kept, or under a name that is no place."""
    if where is None:
        return {key: value for key, value in named.items() if key in (IDENTITY, "waiting_ends_on")}
    return named["fact" if where == "fact_id" else where]


@lasting
@pytest.mark.parametrize(("method", "named", "where"), BAD)
def test_of_a_bad_value_only_its_place_is_kept(
    method: str,
    named: dict[str, Any],
    where: str | None,
    service: Service,
    clock: Clock,
    url: str,
) -> None:
    World(service, clock).begin()
    clock.at("2025-09-03 12:00")
    before = events_of(service)
    came = refusal(getattr(service, method), ADA, **named)
    assert isinstance(came, BadValue)
    (found,) = told(service)
    assert (found.command, found.code, found.where) == (method, "bad_value", where)
    assert (found.ref, found.year, found.school, found.version) == ("ada", 2025, "sjtu", 1)
    assert found.by == "unnamed"
    assert events_of(service) == before
    if where == "at" and "2031" not in str(named["at"]):
        assert found.occurred_at is None
    if "2031" in str(named):  # it reads well, and lies in the future
        return
    texts = list(_texts(_misplaced(named, where)))
    for _ in range(2):  # in the write-ahead log, and in the file it is written to when it closes
        found_there = content(url)
        assert b"bad_value" in found_there
        for text in texts:
            assert text.encode() not in found_there, text
        service.close()


REGISTRATION: dict[str, Any] = sheet(ref="ada")


@lasting
@pytest.mark.parametrize(
    ("where", "value", "is_about_ada"),
    [
        ("ref", IDENTITY, False),
        ("ref", NUMBER, False),
        ("ref", "310101900101123", False),
        ("ref", f"id:{IDENTITY}", False),
        ("ref", "ada@sjtu.edu.cn", False),
        ("policy", NUMBER, False),
        ("school", NUMBER, True),
        ("ref", f"{MARKED} !", False),
        ("ref", 77_317_731, False),
        ("policy", f"{MARKED} !", False),
        ("policy", [MARKED], False),
        ("at", MARKED, True),
        ("on", "2025-09-31", True),
        ("school", f" {MARKED}", True),
        ("category", MARKED, True),
        ("document", IDENTITY, True),
        ("by", IDENTITY, True),
    ],
)
def test_a_registration_that_cannot_be_read_is_kept_with_what_can_be(
    where: str, value: Any, is_about_ada: bool, service: Service, clock: Clock, url: str
) -> None:
    clock.at("2025-09-03 12:00")
    came = refusal(service.register, **(REGISTRATION | {where: value}))
    assert (came.code, came.details["where"]) == ("bad_value", where)
    (found,) = told(service)
    assert (found.command, found.code, found.where) == ("register", "bad_value", where)
    if is_about_ada:
        assert (found.ref, found.year, found.policy) == ("ada", 2025, POLICY)
        assert service.refused_attempts(ADA) == kept(service)
    else:
        assert found.year is None
        assert found.ref == (None if where == "ref" else "ada")
        assert service.refused_attempts(ADA) == []
    service.close()
    for text in _texts(value):
        assert text.encode() not in content(url)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda service: service.register(**(REGISTRATION | {"policy": "shanghai-1999"})),
        lambda service: service.fix_window(
            "shanghai-1999", at="2025-09-01 08:30", closes_on="2025-12-20"
        ),
    ],
    ids=["register", "fix_window"],
)
def test_an_edition_that_is_not_at_hand_leaves_an_attempt_as_any_bad_value_does(
    attempt: Callable[[Service], Any], service: Service, clock: Clock
) -> None:
    clock.at("2025-09-03 12:00")
    with pytest.raises((Refused, UnknownEdition)):
        attempt(service)
    (found,) = told(service)
    assert found.code == "bad_value"


@lasting
def test_a_student_given_where_an_edition_belongs_is_a_bad_value_and_not_kept(
    service: Service, clock: Clock, url: str
) -> None:
    clock.at("2025-09-03 12:00")
    target: Any = IDENTITY
    came = refusal(service.confirm, target, at=_AT, channel="app")
    assert (came.code, came.details["where"]) == ("bad_value", "target")
    (found,) = told(service)
    assert found.where == "target"
    service.close()
    assert IDENTITY.encode() not in content(url)


@lasting
def test_a_number_in_the_place_of_an_edition_or_of_somebody_unknown_is_kept_nowhere(
    service: Service, clock: Clock, url: str
) -> None:
    clock.at("2025-09-03 12:00")
    came = refusal(service.fix_window, NUMBER, at=_AT, closes_on="2025-12-20")
    assert (came.details["where"], NUMBER in str(came)) == ("target", False)
    assert refusal(service.confirm, yibao.EnrollmentId(NUMBER, 2025), at=_AT, channel="app")
    assert [(found.code, found.ref) for found in told(service)] == [
        ("bad_value", None),
        ("not_registered", None),
    ]
    service.close()
    assert NUMBER.encode() not in content(url)


@pytest.mark.parametrize("value", [object(), "\ud800"], ids=["object", "lone surrogate"])
def test_a_correction_with_a_value_that_cannot_be_written_is_a_bad_value_and_kept(
    value: Any, service: Service, clock: Clock
) -> None:
    fact = World(service, clock).begin()
    clock.at("2025-09-03 12:00")
    came = refusal(service.correct, ADA, fact, at=_AT, reason="misread", changes={"school": value})
    assert came.code == "bad_value"
    assert [each.command for each in told(service)] == ["correct"]


def test_an_attempt_to_change_school_is_kept_with_the_school_as_then_known(
    service: Service, clock: Clock
) -> None:
    world = World(service, clock)
    world.begin()
    world.did("withdraw", "2025-09-02 09:00", on="2025-09-02")
    refusal(world.asked("change_school", "2025-09-03 09:00", school="fudan"))
    (found,) = told(service)
    assert (found.code, found.school) == ("withdrawn", "sjtu")


def test_a_second_registration_is_kept_with_the_school_as_then_known(
    service: Service, clock: Clock
) -> None:
    world = World(service, clock)
    world.begin()
    refusal(world.registered("2025-09-02 09:00", school="tongji"))
    (found,) = told(service)
    assert (found.code, found.school) == ("already_registered", "sjtu")


def test_the_school_kept_is_the_latest_known_by_then(service: Service, clock: Clock) -> None:
    world = World(service, clock)
    world.begin()
    refusal(world.asked("confirm", "2025-09-02 08:00", channel="app"))
    world.did("change_school", "2025-09-02 09:00", school="fudan")
    refusal(world.asked("confirm", "2025-09-02 10:00", channel="app"))
    assert [each.school for each in told(service)] == ["sjtu", "fudan"]


def test_a_registration_told_of_somebody_else_is_filed_under_one_student(
    service: Service, clock: Clock
) -> None:
    World(service, clock).begin()
    command = Register.model_validate(REGISTRATION | {"ref": "bo"})
    came = refusal(service.record, ADA, command)
    assert (came.code, came.details["where"]) == ("bad_value", "target")
    found = {who.ref: service.refused_attempts(who) for who in (ADA, BO)}
    assert sum(map(len, found.values())) == 1
    for ref, attempts in found.items():
        assert [each.attempt.ref for each in attempts] == [ref] * len(attempts)


def test_of_commands_recorded_together_all_or_none_and_the_refused_one_is_named(
    service: Service, clock: Clock
) -> None:
    world = World(service, clock)
    world.begin()
    clock.at("2025-09-03 12:00")
    at = read_instant(_AT)
    asked: list[Any] = [
        FileRemoteCare(at=at, province="zhejiang", note="by phone"),
        DeclareRoster(at=at),
        Confirm(at=at, channel=ConfirmationChannel.APP, command_id="third"),
        DeclareRoster(at=at, expected_version=99),
    ]
    before = events_of(service)
    assert refusal(service.record_together, ADA, asked).code == "window_not_open"
    assert events_of(service) == before
    (found,) = told(service)
    assert (found.command, found.command_id, found.version) == ("confirm", "third", 1)
    assert len(service.record_together(ADA, asked[:2])) == 2
    assert len(told(service)) == 1


def test_a_registration_taken_along_by_a_refusal_leaves_neither_edition_nor_student(
    service: Service, clock: Clock
) -> None:
    clock.at("2025-09-03 12:00")
    asked: list[Any] = [
        Register.model_validate(REGISTRATION),
        Confirm.model_validate({"at": _AT, "channel": "app"}),
    ]
    assert refusal(service.record_together, ADA, asked).code == "window_not_open"
    assert events_of(service) == 0
    (found,) = told(service)
    assert (found.command, found.ref, found.version) == ("confirm", "ada", 0)


def test_care_and_enrollment_asked_for_together_leave_one_attempt(
    service: Service, clock: Clock
) -> None:
    world = World(service, clock)
    world.confirmed()
    care = world.care("2025-09-10 09:00")
    asked = [
        DeclareRoster(at=read_instant(_AT)),
        SettleCare(at=read_instant("2025-09-10 09:00"), care=care),
    ]
    assert refusal(service.record_together, ADA, asked).details["where"] == "asked"
    (found,) = told(service)
    assert (found.command, found.code) == ("settle_care", "bad_value")


def test_an_attempt_is_stamped_as_a_fact_is_when_the_clock_has_gone_back(
    service: Service, clock: Clock
) -> None:
    world = World(service, clock)
    world.begin("2025-09-02 08:30")
    refusal(world.asked("confirm", "2025-09-01 07:00", channel="app"))
    refusal(world.asked("confirm", "2025-09-01 07:00", channel="fax"))
    assert {each.tried_at for each in told(service)} == {read_instant("2025-09-02 08:30")}


def test_attempts_about_an_edition_and_about_nobody_can_be_read(
    url: str, service: Service, clock: Clock
) -> None:
    with_trail(url)
    clock.at("2025-09-01 08:30")
    refusal(service.fix_window, POLICY, at="2025-09-01 08:00", closes_on="2026-01-01", by="bureau")
    service.fix_window(POLICY, at="2025-09-01 08:00", closes_on="2025-12-20", by="bureau")
    refusal(service.fix_window, POLICY, at="2025-09-01 08:05", closes_on="2025-09-01", by="bureau")
    clock.at("2025-09-01 08:31")
    refusal(service.register, **(REGISTRATION | {"ref": IDENTITY, "by": "counter-2"}))
    on_edition = [each.attempt for each in service._store.attempts_on(edition_stream(POLICY))]
    assert [(each.policy, each.where, each.version) for each in on_edition] == [
        (POLICY, "closes_on", 0),
        (POLICY, "closes_on", 2),
    ]
    assert {(each.ref, each.year, each.by) for each in on_edition} == {(None, None, "bureau")}
    with service.audit_trail() as trail:
        entries = list(trail.all(Question(kind="refused")))
        assert [(each.row.actor, each.row.policy, each.row.ref) for each in entries] == [
            ("bureau", POLICY, None),
            ("bureau", POLICY, None),
            ("counter-2", POLICY, None),
        ]
        assert [trail.as_of(each) for each in entries] == [None] * 3


@lasting
def test_the_note_of_what_was_refused_is_kept_nowhere(
    service: Service, clock: Clock, url: str
) -> None:
    attempt = LEADS_TO["window_not_open"](World(service, clock))
    refusal(attempt, note=f"{MARKED} on the phone")
    assert MARKED.encode() not in content(url)
    service.close()
    assert MARKED.encode() not in content(url)


@pytest.mark.parametrize("year", [2**63, -(10**20)])
def test_an_attempt_about_a_year_there_is_not_leaves_the_trail_readable(
    year: int, url: str, service: Service, clock: Clock
) -> None:
    with_trail(url)
    came = refusal(
        service.confirm, yibao.EnrollmentId("ada", year), at="2025-09-01 08:00", channel="app"
    )
    assert came.code in ("not_registered", "bad_value")
    assert len(told(service)) == 1
    with service.audit_trail() as trail:
        assert trail.count(Question(kind="refused")) == 1


@pytest.mark.parametrize("ref", ["\ud800", "a\0b", "", "two words", "x" * 300])
def test_a_reference_that_nobody_can_have_is_one_that_nobody_has(
    ref: str, url: str, service: Service
) -> None:
    with_trail(url)
    nobody = yibao.EnrollmentId(ref, 2025)
    assert service.at(nobody, "2025-09-02 00:00").state is None
    assert service.facts(nobody) == []
    came = refusal(service.confirm, nobody, at="2025-09-01 08:00", channel="app")
    assert came.code == "not_registered"
    # Among many it is told by itself, and the others are recorded.
    confirmed = Confirm(at=read_instant("2025-09-01 07:00"), channel=ConfirmationChannel.APP)
    registered = Register(**{**registration("ada", "r")[1], "at": "2025-09-01 08:00"})
    refused, recorded = service.record_each([(nobody, confirmed), (ADA, registered)])
    assert isinstance(refused, Refused)
    assert refused.code == "not_registered"
    assert isinstance(recorded, Receipt)
    kept = service.refused_attempts(nobody)
    assert [each.attempt.code for each in kept] == ["not_registered"] * 2
    with service.audit_trail() as trail:
        assert trail.count(Question(kind="refused")) == 2


@on_sqlite
def test_a_store_restored_from_a_backup_has_its_own_refusals_in_its_trail(
    url: str, clock: Clock, tmp_path: Path
) -> None:
    def tried(by: str) -> list[tuple[str, str | None]]:
        """Each refusal in the trail: whose it is filed under, and whose it is."""
        with opened(url, clock) as service:
            refusal(service.confirm, ADA, at="2025-09-01 08:00", channel="app", by=by)
            with service.audit_trail() as trail:
                found = list(trail.all(Question(kind="refused")))
        return [(each.row.actor, each.attempt.by if each.attempt else None) for each in found]

    opened(url, clock).close()
    path = file_of(url)
    backup = shutil.copy(path, tmp_path / "backup.db")
    assert tried("one") == [("one", "one")]
    shutil.copy(backup, path)
    assert tried("two") == [("two", "two")]


# Beyond the bound


def _try(service: Service, by: str, method: str = "confirm") -> None:
    """Something that was never tried before."""
    values: dict[str, Any] = {"confirm": {"channel": "app"}, "withdraw": {"on": "2025-09-02"}}
    at = read_instant("2025-09-01 08:00") + timedelta(seconds=next(TRIES))
    refusal(getattr(service, method), ADA, at=at, by=by, **values[method])


def counted(service: Service) -> dict[tuple[str, str, str, str], int]:
    return {
        (each.actor, each.hour, each.command, each.code): each.attempts
        for each in service._store.attempts_counted()
    }


def test_beyond_the_bound_attempts_are_counted_by_actor_hour_command_and_code(
    url: str, clock: Clock
) -> None:
    with opened(url, clock, attempts_kept=3) as service:
        tried = 0
        for by in ("one", "two"):
            for hour in ("2025-09-01 23:59", "2025-09-02 00:00", "2025-09-02 00:59"):
                clock.at(hour)
                for _ in range(5):
                    _try(service, by)
                    _try(service, by, "withdraw")
                refusal(service.confirm, ADA, at=MARKED, channel="app", by=by)
                tried += 11
        assert Counter((each.by, f"{each.tried_at:%H}") for each in told(service)) == {
            ("one", "23"): 3,
            ("one", "00"): 3,
            ("two", "23"): 3,
            ("two", "00"): 3,
        }
        late, early = "2025-09-01T23:00+0800", "2025-09-02T00:00+0800"
        assert counted(service) == {
            (by, hour, command, code): number
            for by in ("one", "two")
            for hour, command, code, number in (
                (late, "confirm", "not_registered", 3),
                (late, "withdraw", "not_registered", 4),
                (late, "confirm", "bad_value", 1),
                (early, "confirm", "not_registered", 8),
                (early, "withdraw", "not_registered", 9),
                (early, "confirm", "bad_value", 2),
            )
        }
        assert len(told(service)) + sum(counted(service).values()) == tried


def test_a_clock_that_goes_back_counts_in_the_hour_it_went_back_to(url: str, clock: Clock) -> None:
    with opened(url, clock, attempts_kept=2) as service:
        for hour in ("2025-09-02 00:30", "2025-09-01 23:30", "2025-09-02 00:10"):
            clock.at(hour)
            for _ in range(3):
                _try(service, "one")
        assert {hour: number for (_, hour, _, _), number in counted(service).items()} == {
            "2025-09-02T00:00+0800": 4,
            "2025-09-01T23:00+0800": 1,
        }


def test_with_no_room_for_any_attempt_each_is_counted(url: str, clock: Clock) -> None:
    with opened(url, clock, attempts_kept=0) as service:
        for _ in range(4):
            _try(service, "one")
        assert told(service) == []
        assert sum(counted(service).values()) == 4


@lasting
def test_the_hours_are_those_of_shanghai_whatever_zone_the_clock_tells(
    url: str, clock: Clock
) -> None:
    clock.at("2025-09-02 00:30")
    for zone in (SHANGHAI, UTC):
        with opened(url, lambda zone=zone: clock().astimezone(zone), attempts_kept=2) as service:
            for _ in range(4):
                _try(service, "one")
    with opened(url, clock) as service:
        assert {hour for _, hour, _, _ in counted(service)} == {"2025-09-02T00:00+0800"}
        assert len(told(service)) == 2


_COUNTING = """
import os, sys
from datetime import timedelta
from yibao.adapters.service.service import open_service
from yibao.domain.calendar import read_instant
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import EnrollmentId
now = read_instant("2025-09-01 08:00")
with open_service(sys.argv[1], clock=lambda: now, attempts_kept=30) as service:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(40):
        try:
            earlier = timedelta(seconds=number, microseconds=os.getpid()) * int(sys.argv[2])
            service.confirm(EnrollmentId("ada", 2025), at=now - earlier, channel="app", by="one")
        except Refused as refused:
            assert refused.code == "not_registered"
        else:
            raise SystemExit("not refused")
"""


@lasting
@pytest.mark.parametrize(("differing", "kept_there"), [(1, 30), (0, 1)])
def test_two_processes_that_count_at_once_miss_none(
    differing: int, kept_there: int, url: str, clock: Clock
) -> None:
    opened(url, clock).close()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _COUNTING, url, str(differing)],
            env={"PYTHONPATH": str(SRC)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    said = [process.communicate("go\n")[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    with opened(url, clock) as service:
        assert len(told(service)) == kept_there
        assert list(counted(service).values()) == [80 - kept_there]


# In one transaction with the judgment


def test_of_eight_who_confirm_at_once_one_is_accepted_and_seven_are_kept(
    service: Service, clock: Clock
) -> None:
    world = World(service, clock)
    world.begin()
    world.did("declare_roster", "2025-09-02 17:00")
    clock.at("2025-09-06 14:20")

    def confirm(by: str) -> str | None:
        try:
            service.confirm(ADA, at="2025-09-06 14:20", channel="app", by=by)
        except Refused as refused:
            return f"{by} {refused.code}"
        return None

    actors = [f"counter-{number}" for number in range(8)]
    came = together([partial(confirm, by) for by in actors])
    assert came.count(None) == 1
    found = told(service)
    assert sorted(f"{each.by} {each.code}" for each in found) == sorted(filter(None, came))
    assert {each.code for each in found} == {"already_confirmed"}
    # Whoever was told so was judged on the confirmation: it was in the stream by then.
    assert {each.version for each in found} == {3}
    assert {each.position for each in kept(service)} == {events_of(service)}


@lasting
def test_a_refusal_that_was_told_is_kept_whenever_the_process_is_killed(
    url: str, tmp_path: Path
) -> None:
    chance = random.Random(20250903)
    begun: set[str] = set()
    refused: set[str] = set()
    killed = 0
    with Nursery(tmp_path, preload=["yibao.adapters.store.postgres.recorder"]) as nursery:
        for life in range(14):
            steps: list[Step] = [Step("ada", [registration("ada", "first")])]
            for number in range(40):
                command_id = f"refused-{life}-{number}"
                steps.append(Step("ada", [registration("ada", command_id, reason=command_id)]))
                steps.append(Step("ada", [filing(f"accepted-{life}-{number}")]))
                begun.add(command_id)
            writer = nursery.bear(url, steps)
            writer.wait_for(chance.choice((0, 1, 3, 12, 25)))
            time.sleep(0.01 * chance.random())
            writer.kill()
            killed += nursery.end_of(writer) == -9
            for answer in writer.told():
                assert not answer.failed, answer
                if answer.refused:
                    assert answer.refused == "already_registered"
                    refused.update(answer.ids)
            with open_service(url, policies=EDITIONS) as service:
                found = Counter(str(each.attempt.command_id) for each in kept(service))
                assert set(found.values()) <= {1}
                assert refused <= set(found), "told, and lost"
                assert set(found) <= begun
                # At most the one attempt that it died over was kept and not told.
                assert len(found) <= len(refused) + life + 1
                assert all(e.command_id not in begun for e in service.facts(ADA))
                assert service._store.attempts_counted() == []
    assert killed > 7
    assert len(refused) > 20


# Stores that fail


def _outcome(attempt: Attempting) -> str:
    """How an attempt that must be refused ends; anything but these two fails the test."""
    try:
        attempt()
    except Refused as refused:
        return refused.code
    except StoreError:
        return "failed"
    raise AssertionError("it was accepted")


@on_sqlite
def test_in_a_full_store_a_refusal_is_kept_or_fails_and_goes_on_once_there_is_room(
    service: Service, clock: Clock
) -> None:
    world = World(service, clock)
    world.begin()
    tries: list[Attempting] = [
        world.asked("confirm", f"2025-09-03 09:00:{second:02}", channel=channel)
        for second in range(60)
        for channel in ("app", "fax")
    ]
    pragma(service, f"max_page_count={pragma(service, 'page_count') + 2}")
    came = list(map(_outcome, tries))
    assert came[0] == "window_not_open"
    assert came[-2:] == ["failed", "failed"]
    assert [each.code for each in told(service)] == [code for code in came if code != "failed"]
    pragma(service, "max_page_count=1000000")
    assert list(map(_outcome, tries[-2:])) == ["window_not_open", "bad_value"]
    assert len(told(service)) == len(came) - came.count("failed") + 2


@lasting
def test_a_store_opened_for_reading_alone_refuses_clearly_and_keeps_nothing(
    url: str, clock: Clock
) -> None:
    with opened(url, clock) as service:
        World(service, clock).begin()
    with Service(FactStore(_for_reading(url)), EDITIONS, clock=clock) as service:
        world = World(service, clock)
        for channel in ("app", "fax"):
            assert _outcome(world.asked("confirm", "2025-09-03 09:00", channel=channel)) == "failed"
        assert told(service) == []
    with opened(url, clock) as service:
        assert told(service) == []


def _for_reading(url: str) -> str:
    if is_postgres(url):
        return f"{url}&options=-c%20default_transaction_read_only%3Don"
    return f"file:{file_of(url)}?mode=ro"


def test_a_process_whose_files_may_not_grow_keeps_just_what_it_was_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'small.db'}"
    with open_service(url, policies=EDITIONS) as service:
        service.register(**REGISTRATION)
    again = [f"again-{number}" for number in range(150)]
    steps = [Step("ada", [registration("ada", each, reason=each)]) for each in again]
    with Nursery(tmp_path) as nursery:
        writer = nursery.bear(url, steps, file_size=300_000)
        assert nursery.end_of(writer) == 0
    answers = writer.told()
    refused = [command_id for each in answers if each.refused for command_id in each.ids]
    failed = [str(each.failed) for each in answers if each.failed]
    assert refused
    assert failed
    assert len(refused) + len(failed) == len(steps)
    assert all(each.startswith("StoreError: ") for each in failed)
    with open_service(url, policies=EDITIONS) as service:
        assert [each.command_id for each in told(service)] == refused


@pytest.mark.parametrize("release", ["v0.1.0", "v0.2.0"])
def test_a_store_of_an_older_release_is_brought_up_and_keeps_attempts(
    release: str, tmp_path: Path
) -> None:
    path = tmp_path / "facts.db"
    shutil.copy(GOLDEN / f"{release}.db", path)
    before = layout(path)
    with open_service(f"sqlite:///{path}", policies=EDITIONS, by="counter-2") as service:
        facts, there = service.facts(ADA), events_of(service)
        assert facts
        assert told(service) == []
        refusal(service.register, **REGISTRATION)
        refusal(service.confirm, ADA, at=MARKED, channel="app")
        refusal(service.void, ADA, uuid4(), at="2025-12-01 09:00", reason="mistake")
        assert [each.code for each in told(service)] == [
            "already_registered",
            "bad_value",
            "no_such_fact",
        ]
        assert {each.version for each in told(service)} == {len(facts)}
        assert {each.position for each in kept(service)} == {there}
        assert (service.facts(ADA), events_of(service)) == (facts, there)
    assert before != layout(path) == HEAD
    with open_service(f"sqlite:///{path}", policies=EDITIONS) as service:
        assert len(service.refused_attempts(ADA)) == 3
        with service.audit_trail() as trail:
            assert trail.count(Question(kind="refused", ref="ada", by="counter-2")) == 3
            assert trail.count(Question()) == there + 3
