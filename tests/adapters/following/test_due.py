"""What falls due is noticed once, listed until it is acknowledged, and told where it moves."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

import yibao
from yibao.adapters.following.due import DueEntry, following
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.urls import file_of, is_postgres
from yibao.adapters.upkeep.creating import migrate

from ..helpers import outbox
from ..helpers.autumn import ADA, BO, EDITIONS, POLICY, Clock, an_autumn, register, roster
from ..helpers.outbox import Told, due_now
from ..helpers.stores import lasting, on_sqlite, rows

EVERY = 1 if "YIBAO_TORTURE" in os.environ else 13
REFS = ["ada", "bo", "cy"]
SOURCES = Path(__file__).parents[3] / "src"

BEGINS = ("cover_begins", "due", "2025-09-01 00:00")
OPENS = ("evoucher_opens", "due", "2025-09-07 09:00")


@pytest.fixture
def clock() -> Clock:
    return Clock("2025-09-02 17:00")


@pytest.fixture
def ready(url: str) -> str:
    """An empty store with all that an outbox needs."""
    if is_postgres(url):
        migrate(url)
    return url


@pytest.fixture
def service(ready: str, clock: Clock) -> Iterator[Service]:
    with open_service(ready, policies=EDITIONS, clock=clock) as service:
        yield service


def covered(service: Service, clock: Clock) -> yibao.Receipt:
    """A student without a lapsed year, covered from 1 September; her check."""
    register(service, at=clock.at("2025-09-01 08:30"))
    clock.at("2025-09-06 10:30")
    roster(service)
    service.confirm(ADA, at="2025-09-06 10:00", channel="app")
    return service.verify_prior_coverage(ADA, lapsed_years=0)


def lapsed(service: Service, check: yibao.Receipt, years: int) -> yibao.Receipt:
    """It turns out that she has lapsed for so many years."""
    return service.correct(ADA, check.event_id, reason="misread", changes={"lapsed_years": years})


def told(entries: tuple[DueEntry, ...]) -> list[tuple[str, str, str | None]]:
    return [(each.kind, each.what, each.due and f"{each.due:%Y-%m-%d %H:%M}") for each in entries]


def listed(service: Service, until: str | None = None) -> list[tuple[str, str, str | None]]:
    return told(service.due(until=until).entries)


def acknowledge_all(service: Service) -> None:
    service.deliver(lambda entry: None)


def test_what_has_come_is_listed_until_it_is_acknowledged(service: Service, clock: Clock) -> None:
    covered(service, clock)

    assert listed(service, "2025-09-07 08:59") == [BEGINS]
    assert listed(service, "2025-09-07 09:00") == [BEGINS, OPENS]
    assert listed(service, "2025-09-08 09:00") == [BEGINS, OPENS]
    first, second = service.due().entries
    service.acknowledge(first.id)
    service.acknowledge(first.id)
    assert listed(service, "2025-09-08 09:00") == [OPENS]
    service.acknowledge(str(second.id))
    assert listed(service, "2025-09-09 09:00") == []


def test_after_days_of_standstill_everything_that_came_is_noticed_once(
    service: Service, clock: Clock
) -> None:
    covered(service, clock)
    clock.at("2026-02-01 09:00")

    page = service.due()

    assert told(page.entries) == [BEGINS, OPENS, ("cover_ends", "due", "2026-01-01 00:00")]
    assert {each.noticed for each in page.entries} == {clock.now}
    assert service.due().entries == page.entries


def test_a_correction_withdraws_what_was_not_acknowledged_and_retracts_what_was(
    service: Service, clock: Clock
) -> None:
    check = covered(service, clock)
    begins, _ = service.due(until="2025-09-08 09:00").entries
    service.acknowledge(begins.id)

    lapsed(service, check, 1)

    assert listed(service) == [("cover_begins", "retracted", None)]
    acknowledge_all(service)
    assert listed(service, "2025-12-02 00:00") == [
        ("waiting_over", "due", "2025-12-01 00:00"),
        ("evoucher_opens", "due", "2025-12-01 09:00"),
        ("cover_begins", "due", "2025-12-02 00:00"),
    ]


def test_a_correction_tells_the_change_of_what_has_come_all_the_same(
    service: Service, clock: Clock
) -> None:
    check = covered(service, clock)
    clock.at("2025-12-20 09:00")
    acknowledge_all(service)

    lapsed(service, check, 1)

    assert listed(service) == [
        ("waiting_over", "due", "2025-12-01 00:00"),
        ("evoucher_opens", "changed", "2025-12-01 09:00"),
        ("cover_begins", "changed", "2025-12-02 00:00"),
    ]


def test_what_goes_there_and_back_between_two_polls_is_not_told(
    service: Service, clock: Clock
) -> None:
    check = covered(service, clock)
    before = service.due(until=clock.at("2025-09-08 09:00")).entries

    lapsed(service, lapsed(service, check, 1), 0)

    assert service.due().entries == before


@pytest.mark.parametrize("undelivered", [set(), {1}, {1, 2}, {0, 3, 4}], ids=repr)
def test_there_and_back_over_several_polls_is_right_each_time(
    service: Service, clock: Clock, undelivered: set[int]
) -> None:
    check, hears = covered(service, clock), Told()
    clock.at("2025-12-20 09:00")
    for number, years in enumerate((0, 1, 0, 2, 1, 0)):
        check = lapsed(service, check, years)
        if number in undelivered:
            service.due()
        else:
            service.deliver(hears)
            assert hears.held == due_now(service, REFS, clock.now)
    assert len({each.id for each in hears.entries}) == len(hears.entries)


def test_who_had_passed_on_what_was_withdrawn_meanwhile_is_told_what_became_of_it(
    service: Service, clock: Clock
) -> None:
    check = covered(service, clock)
    _, opens = service.due(until="2025-09-08 09:00").entries

    lapsed(service, check, 1)
    assert listed(service) == []
    service.acknowledge(opens.id)

    assert listed(service) == [("evoucher_opens", "retracted", None)]


def test_a_confirmation_takes_back_the_reminder_that_the_window_closes(
    service: Service, clock: Clock
) -> None:
    register(service)
    roster(service)
    clock.at("2025-12-29 00:00")
    assert listed(service) == [("window_closes", "due", "2025-12-29 00:00")]

    service.confirm(ADA, channel="app")

    assert listed(service) == []


def test_a_window_fixed_for_a_school_moves_what_was_told_to_its_students_alone(
    service: Service, clock: Clock
) -> None:
    register(service)
    register(service, BO, school="tongji")
    clock.at("2025-12-30 09:00")
    acknowledge_all(service)

    service.fix_window(POLICY, at="2025-12-01 09:00", school="sjtu", closes_on="2025-12-30")
    (entry,) = service.due().entries

    assert (entry.enrollment, entry.what) == (ADA, "changed")
    service.void(POLICY, service.window_facts(POLICY)[-1].event_id, reason="mistake")
    assert listed(service) == []


def test_so_many_days_before_the_window_closes_as_was_set_for_all_who_poll(
    service: Service, clock: Clock
) -> None:
    register(service)
    clock.at("2025-12-20 09:00")

    assert listed(service) == []
    assert told(service.due(days_before=14).entries) == [
        ("window_closes", "due", "2025-12-18 00:00")
    ]
    assert listed(service) == [("window_closes", "due", "2025-12-18 00:00")]
    assert service.due(days_before=3).entries == ()


def test_a_page_ends_with_the_cursor_after_which_the_next_begins(
    service: Service, clock: Clock
) -> None:
    an_autumn(service, clock)
    clock.at("2026-02-01 09:00")
    everything = service.due().entries

    found, after = [], None
    while True:
        page = service.due(after=after, limit=2)
        found += page.entries
        if page.following is None:
            break
        after = page.following

    assert tuple(found) == everything
    assert len(everything) == 4
    assert repr(service.due(limit=2)) == "<DuePage of 2 entries, more follow>"


def test_those_of_some_schools_alone_are_listed(service: Service, clock: Clock) -> None:
    for number, school in enumerate(("sjtu", "fdu", "sjtu", "ecnu")):
        whose = yibao.EnrollmentId(f"s-{number}", 2025)
        register(service, whose, school=school)
    clock.at("2025-12-29 10:00")
    everything = service.due().entries

    def of(*schools: str) -> list[str]:
        listed = service.due(schools=schools, limit=500)
        assert listed.following is None
        return list(dict.fromkeys(each.enrollment.ref for each in listed.entries))

    assert of("sjtu") == ["s-0", "s-2"]
    assert of("fdu", "ecnu") == ["s-1", "s-3"]
    assert of() == of("nowhere") == of("\0") == []
    each = [service.due(schools=[school]).entries for school in ("sjtu", "fdu", "ecnu")]
    assert len(everything) == sum(map(len, each))
    first = service.due(schools=["sjtu"], limit=1)
    assert len(first.entries) == 1
    assert first.following == first.entries[0].id


def test_what_a_callable_raises_leaves_its_entry_and_all_after_it_listed(
    service: Service, clock: Clock
) -> None:
    covered(service, clock)
    clock.at("2025-09-08 09:00")
    heard = list[str]()

    def fails_at_the_second(entry: DueEntry) -> None:
        if heard:
            raise ConnectionError("the gateway is down")
        heard.append(entry.kind)

    with pytest.raises(ConnectionError):
        service.deliver(fails_at_the_second)

    assert heard == ["cover_begins"]
    assert listed(service) == [OPENS]
    assert service.deliver(lambda entry: heard.append(entry.kind)) == 1
    assert heard == ["cover_begins", "evoucher_opens"]


def test_what_may_have_been_passed_on_before_a_failure_is_never_withdrawn_in_silence(
    service: Service, clock: Clock
) -> None:
    check, hears = covered(service, clock), Told()
    clock.at("2025-09-08 09:00")

    def passes_on_and_dies(entry: DueEntry) -> None:
        hears(entry)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.deliver(passes_on_and_dies)
    lapsed(service, check, 1)
    service.deliver(hears)

    assert hears.held == due_now(service, REFS, clock.now) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"after": "tomorrow"},
        {"after": -1},
        {"limit": 0},
        {"until": "tomorrow"},
        {"days_before": -1},
        {"days_before": 1.5},
    ],
    ids=repr,
)
def test_what_cannot_be_right_is_told_by_its_name(service: Service, wrong: dict[str, int]) -> None:
    with pytest.raises(yibao.BadValue) as error:
        service.due(**wrong)  # type: ignore[arg-type]
    assert next(iter(wrong)) in str(error.value)


def test_an_id_of_no_entry_cannot_be_acknowledged(service: Service) -> None:
    for wrong in (1, "1", "one", None, 2**80):
        with pytest.raises(yibao.BadValue, match="id"):
            service.acknowledge(wrong)  # type: ignore[arg-type]
    with pytest.raises(yibao.BadValue, match="tell"):
        service.deliver("a webhook")  # type: ignore[arg-type]


# What is kept


@lasting
def test_what_was_acknowledged_stays_so_for_whoever_opens_the_store_again_and_for_a_new_version(
    service: Service, ready: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    covered(service, clock)
    clock.at("2025-09-08 09:00")
    first, second = service.due().entries
    service.acknowledge(first.id)
    service.close()

    monkeypatch.setattr(yibao, "__version__", "99.0.0")
    with open_service(ready, policies=EDITIONS, clock=clock) as again:
        assert again.due().entries == (second,)
        later = again.due(until="2026-01-01 00:00").entries
        assert later[-1].id > second.id


@on_sqlite
def test_of_a_store_put_back_to_an_earlier_moment_what_was_told_since_is_retracted(
    ready: str, clock: Clock, tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier.db"
    with open_service(ready, policies=EDITIONS, clock=clock) as service:
        register(service)
    shutil.copy(file_of(ready), earlier)
    with open_service(ready, policies=EDITIONS, clock=clock) as service:
        roster(service)
        register(service, BO)
        service.fix_window(POLICY, closes_on="2025-10-01")
        clock.at("2025-10-01 09:00")
        acknowledge_all(service)
    for path in tmp_path.glob("facts.db*"):
        if not path.name.endswith(".due"):
            path.unlink()
    shutil.copy(earlier, file_of(ready))

    with open_service(ready, policies=EDITIONS, clock=clock) as service:
        assert sorted((each.enrollment.ref, each.what) for each in service.due().entries) == [
            ("ada", "retracted"),
            ("bo", "retracted"),
        ]


@lasting
def test_a_student_whose_facts_cannot_be_read_keeps_nobody_else_from_being_told(
    service: Service, ready: str, clock: Clock
) -> None:
    an_autumn(service, clock)
    broken = BO.stream
    key = str(broken) if is_postgres(ready) else broken.hex
    rows(
        ready,
        "UPDATE stored_events SET topic = 'unheard-of' "
        "WHERE originator_id = ? AND originator_version = 2",
        key,
    )
    clock.at("2026-02-01 09:00")

    told_of = {each.enrollment.ref for each in service.due().entries}

    assert "ada" in told_of
    assert "bo" not in told_of
    (parked,) = service.due().parked
    assert (parked.ref, parked.year) == ("bo", 2025)


@on_sqlite
def test_a_file_of_something_else_is_not_taken_for_an_outbox(service: Service, ready: str) -> None:
    rows(f"{ready}.due", "CREATE TABLE letters (text TEXT)")

    with pytest.raises(yibao.StoreError, match="'letters'"):
        service.due()


# Two at once, killed anywhere


@lasting
def test_two_who_poll_at_once_notice_nothing_twice(
    service: Service, ready: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "BATCH", 3)
    monkeypatch.setattr(following, "LOOKED_AT", 1)
    an_autumn(service, clock)
    clock.at("2026-02-01 09:00")

    def polled(number: int) -> list[tuple[object, ...]]:
        with open_service(ready, policies=EDITIONS, clock=clock) as another:
            return [(*each.enrollment, each.kind, each.what) for each in another.due().entries]

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(polled, range(4)))

    assert all(each == found[0] for each in found)
    assert len(set(found[0])) == len(found[0]) == 4


@lasting
def test_killed_at_any_statement_it_goes_on_as_if_nothing_had_been(
    service: Service, ready: str, clock: Clock, tmp_path: Path
) -> None:
    an_autumn(service, clock)
    service.close()
    if not is_postgres(ready):
        shutil.copy(file_of(ready), tmp_path / "before.db")
    done = subprocess.run(
        [sys.executable, outbox.__file__, ready, str(EVERY), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    digests = done.stdout.split()
    assert len(digests) * EVERY > 100
    assert len(set(digests)) == 1
    print(f"\n{len(digests)} killed at one of {len(digests) * EVERY} statements")


# The law

_ABOUT = st.sampled_from([ADA, BO])
_DAYS = st.integers(0, 20)
_ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("confirm"), _ABOUT),
        st.tuples(st.just("proxy"), _ABOUT),
        st.tuples(st.just("keep"), _ABOUT),
        st.tuples(st.just("check"), _ABOUT, st.integers(0, 3)),
        st.tuples(st.just("correct"), _ABOUT, st.integers(0, 3)),
        st.tuples(st.just("void"), _ABOUT),
        st.tuples(st.just("leave"), _ABOUT),
        st.tuples(st.just("fix"), st.integers(1, 28)),
        st.tuples(st.just("wait"), _DAYS),
        st.tuples(st.just("poll")),
        st.tuples(st.just("read")),
        st.tuples(st.just("acknowledge"), st.integers(0, 30)),
        st.tuples(st.just("deliver")),
    ),
    max_size=25,
)


def act(service: Service, clock: Clock, what: str, *about: object) -> None:
    """Records something, if it can be."""
    about_whom, *rest = about or (None,)
    known = service.facts(about_whom) if isinstance(about_whom, yibao.EnrollmentId) else []
    match what, about_whom, rest:
        case "confirm" | "proxy", yibao.EnrollmentId() as whom, _:
            channel = "proxy" if what == "proxy" else "app"
            service.confirm(whom, channel=channel, observed=True)
        case "keep", yibao.EnrollmentId() as whom, _:
            service.declare_other_cover(whom, kind="other_province")
            service.keep_other_cover(whom, observed=True)
        case "check", yibao.EnrollmentId() as whom, [int(years)]:
            service.verify_prior_coverage(whom, lapsed_years=years)
        case "correct", yibao.EnrollmentId() as whom, [int(years)]:
            checks = [each for each in known if each.name == "prior-coverage-verified"]
            service.correct(
                whom, checks[-1].event_id, reason="misread", changes={"lapsed_years": years}
            )
        case "void", yibao.EnrollmentId() as whom, _:
            service.void(whom, known[-1].event_id, reason="mistake")
        case "leave", yibao.EnrollmentId() as whom, _:
            service.withdraw(whom, on=clock.now.date(), observed=True)
        case "fix", int(day), _:
            service.fix_window(POLICY, closes_on=f"2025-11-{day:02d}")


@settings(deadline=None, max_examples=60)
@forall(_ACTIONS)
def test_whoever_keeps_the_last_word_holds_what_is_due_as_known_now(
    actions: list[tuple[object, ...]],
) -> None:
    clock, hears, read = Clock("2025-09-06 10:00"), Told(), list[DueEntry]()
    with open_service("memory:", policies=EDITIONS, clock=clock) as service:
        for whom in (ADA, BO):
            register(service, whom)
            roster(service, whom)
        for what, *about in [*actions, ("acknowledge", 30), ("deliver",)]:
            if what == "wait":
                assert isinstance(about[0], int)
                clock.now += about[0] * timedelta(days=1)
            elif what == "poll":
                service.due()
            elif what == "read":  # passed on, and acknowledged some time later
                fresh = [each for each in service.due().entries if each not in hears.entries]
                for entry in fresh:
                    hears(entry)
                read += fresh
            elif what == "acknowledge":
                assert isinstance(about[0], int)
                for entry in read[: about[0]]:
                    service.acknowledge(entry.id)
                del read[: about[0]]
            elif what == "deliver":
                service.deliver(lambda e: hears(e) if e not in hears.entries else None)
                if not read:
                    assert hears.held == due_now(service, REFS, clock.now)
            else:
                with suppress(yibao.Refused, IndexError):
                    act(service, clock, str(what), *about)
