"""Everybody at once, through the service: what asking one by one gives."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import yibao
from yibao.adapters.following.cohort import Stood
from yibao.adapters.following.derived import number_of
from yibao.adapters.service import cohorts
from yibao.adapters.service.arrow import export
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.shapes import SPANS
from yibao.domain.calendar import end_of, read_instant
from yibao.projections.answer import Answer

from ..helpers.autumn import ADA, EDITIONS, Clock, an_autumn

NAIVE = datetime(2025, 12, 1)  # noqa: DTZ001 - that is what is refused
FIRST = read_instant("2025-08-20 00:00")
MINUTES = (read_instant("2027-01-31 00:00") - FIRST) // timedelta(minutes=1)
INSTANTS = st.integers(0, MINUTES).map(lambda after: FIRST + timedelta(minutes=after))
DAYS = st.dates(date(2025, 8, 30), date(2026, 1, 4))
KNOWN = st.one_of(st.none(), INSTANTS)

HARD = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def service(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Service]:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    with open_service(url, policies=EDITIONS, clock=clock) as it:
        an_autumn(it, clock)
        yield it


def one_by_one(service: Service, at: datetime, known_at: datetime | None) -> list[Answer]:
    """The answer for each enrollment of which something was known, asked of the service."""
    known = [each.enrollment for each in service.everyone(at, known_at=known_at) if each.version]
    return [service.at(each, at, known_at=known_at) for each in sorted(known)]


def ordered(answers: Iterator[Answer]) -> list[Answer]:
    return sorted(answers, key=lambda each: each.enrollment)


def test_counts_answers_and_values_are_those_of_everybody_asked_one_by_one(
    service: Service,
) -> None:
    @HARD
    @given(at=INSTANTS, known_at=KNOWN)
    def holds(at: datetime, known_at: datetime | None) -> None:
        cohort, expected = service.cohort(at, known_at=known_at), one_by_one(service, at, known_at)
        counts = cohort.count()
        assert counts.counts == Counter(str(each.state or "none") for each in expected)
        assert counts.total == len(expected)
        assert ordered(cohort.answers()) == expected
        assert cohort.values().to_pylist() == [as_row(each) for each in expected]

    holds()


def as_row(answer: Answer) -> dict[str, Any]:
    """What the table is to tell of an answer."""
    values = answer.values
    assert values is not None

    def told(value: Any, part: str | None = None) -> Any:
        if value is None or value is yibao.PENDING:
            return None
        return getattr(value, part) if part else value

    return {
        "ref": answer.enrollment.ref,
        "year": answer.enrollment.year,
        "school": answer.school,
        "state": answer.state,
        "waiting_from": told(values.waiting.value, "first"),
        "waiting_to": told(values.waiting.value, "last"),
        "account_built_on": told(values.account_built_on.value),
        "evoucher_available_at": told(values.evoucher_available_at.value),
        "coverage_from": told(values.coverage.value, "first"),
        "coverage_to": told(values.coverage.value, "last"),
        "waiting_pending": values.waiting.value is yibao.PENDING,
        "account_built_on_pending": values.account_built_on.value is yibao.PENDING,
        "evoucher_available_at_pending": values.evoucher_available_at.value is yibao.PENDING,
        "coverage_pending": values.coverage.value is yibao.PENDING,
    }


def test_the_columns_of_the_values_have_the_types_that_are_promised(service: Service) -> None:
    days = ("waiting_from", "waiting_to", "account_built_on", "coverage_from", "coverage_to")
    pending = ("waiting", "account_built_on", "evoucher_available_at", "coverage")
    expected = {
        "ref": pa.string(),
        "year": pa.int32(),
        "school": pa.string(),
        "state": pa.string(),
        **dict.fromkeys(days, pa.date32()),
        "evoucher_available_at": pa.timestamp("us", "Asia/Shanghai"),
        **{f"{each}_pending": pa.bool_() for each in pending},
    }
    for table in (service.cohort().values(), service.cohort(school="nowhere").values()):
        assert {each.name: each.type for each in table.schema} == expected
    assert service.cohort(school="nowhere").values().num_rows == 0


def test_whoever_is_among_those_asked_for_is_in_every_answer(service: Service) -> None:
    at = read_instant("2025-12-01 10:00")
    everybody = one_by_one(service, at, None)
    for each in everybody:
        named: tuple[dict[str, Any], ...] = (
            {"school": each.school},
            {"category": each.category},
            {"policy": each.edition},
            {"year": each.enrollment.year},
            {"school": each.school, "category": each.category, "year": 1999},
        )
        for among in named:
            fits = [
                other.enrollment
                for other in everybody
                if all(_of(other, name) == value for name, value in among.items())
            ]
            cohort = service.cohort(at, **among)
            assert [one.enrollment for one in ordered(cohort.answers())] == fits
            assert [one.enrollment for one in cohort.page().entries] == fits
            assert cohort.count(by="year").total == len(fits)


def _of(answer: Answer, name: str) -> Any:
    own = {"policy": answer.edition, "year": answer.enrollment.year}
    return own[name] if name in own else getattr(answer, name)


def test_pages_follow_one_another_until_there_are_no_more(service: Service) -> None:
    cohort = service.cohort("2025-12-01 10:00")
    found, after = [], None
    while True:
        page = cohort.page(after=after, limit=1)
        found += [each.enrollment for each in page.entries]
        if not (after := page.following):
            break
    assert found == sorted(each.enrollment for each in cohort.answers())


def test_everybody_is_there_before_and_after_everything(service: Service) -> None:
    known = service.cohort().count().total
    assert known
    for at in ("1990-01-01 00:00", "2199-01-01 00:00"):
        assert service.cohort(at).count().total == known
    assert service.cohort(known_at="1990-01-01 00:00").count().counts == {}


def test_what_is_recorded_next_is_in_the_next_question(service: Service) -> None:
    cohort = service.cohort("2026-03-01 10:00")
    before = cohort.count()
    service.register(
        "s-next",
        policy=next(each.edition for each in cohort.answers() if each.edition),
        on="2025-09-10",
        school="next",
        category="undergraduate",
        document="resident_id_card",
    )
    after = cohort.count()
    assert after.total == before.total + 1
    assert after.as_of > before.as_of
    assert {each.enrollment.ref for each in service.cohort(school="next").answers()} == {"s-next"}


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"at": NAIVE}, "at"),
        ({"known_at": "2025-12-01T10:00:00Z?"}, "known_at"),
        ({"known_at": NAIVE}, "known_at"),
        ({"school": 3}, "school"),
        ({"year": "2025"}, "year"),
        ({"year": True}, "year"),
    ],
)
def test_what_can_be_nobodys_is_refused_by_name(asked: dict[str, Any], where: str) -> None:
    with yibao.open("memory:") as service, pytest.raises(yibao.BadValue) as refused:
        service.cohort(**asked)
    assert refused.value.details["where"] == where


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": -1}, "limit"),
        ({"limit": 1.5}, "limit"),
        ({"after": "s-1"}, "after"),
        ({"after": ("s-1", 2025)}, "after"),
        ({"days_left_below": "7"}, "days_left_below"),
        ({"state": 1}, "state"),
        ({"state": "in_waiting"}, "state"),
        ({"next_step": "wait"}, "next_step"),
    ],
)
def test_a_page_that_there_can_never_be_is_refused_by_name(
    asked: dict[str, Any], where: str
) -> None:
    with yibao.open("memory:") as service, pytest.raises(yibao.BadValue) as refused:
        service.cohort().page(**asked)
    assert refused.value.details["where"] == where


def test_counting_by_what_there_is_none_of_names_what_there_is() -> None:
    by: Any = "hair"
    with yibao.open("memory:") as service, pytest.raises(yibao.BadValue, match="discrepancy"):
        service.cohort().count(by=by)


def test_without_the_extra_counts_are_told_and_values_name_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cohorts, "find_spec", lambda _: None)
    assert service.cohort().count().total
    assert service.cohort().page().entries
    with pytest.raises(yibao.NotWritten, match=r"yibao\[analysis\]"):
        service.cohort().values()


def test_an_export_has_values_spans_and_facts_and_nobody_who_told_them(
    service: Service, tmp_path: Path
) -> None:
    at = read_instant("2025-12-01 10:00")
    cohort = service.cohort(at)
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    export(cohort, whole)
    export(cohort, parted, by_school=True)
    assert sorted(each.name for each in whole.iterdir()) == [
        "facts.parquet",
        "spans.parquet",
        "values.parquet",
        "windows.parquet",
    ]
    answers = ordered(cohort.answers())
    values = pq.read_table(whole / "values.parquet")
    assert values.sort_by([("ref", "ascending"), ("year", "ascending")]) == cohort.values()
    facts = pq.read_table(whole / "facts.parquet")
    assert not {"by", "via", "note", "command_id"} & {*facts.column_names}
    assert facts.num_rows == sum(each.version + each.care_version for each in answers)
    for name in ("values", "spans", "facts"):
        together = pq.read_table(parted / name)
        assert together.num_rows == pq.read_table(whole / f"{name}.parquet").num_rows
    assert {each.name for each in (parted / "values").iterdir()} == {
        f"school={each.school}" for each in answers
    }
    windows = pq.read_table(parted / "windows.parquet")
    assert windows.column("fact").to_pylist() == [
        "edition-adopted",
        "window-fixed",
        "benefits-adopted",
        "window-fixed",
        "voided",
    ]
    with pytest.raises(yibao.NotWritten, match="there already"):
        export(cohort, whole)


def test_spans_of_both_times_tell_what_everybody_was_told_at_any_instant(
    service: Service, tmp_path: Path
) -> None:
    export(service.cohort(), tmp_path / "whole")
    export(service.cohort(), tmp_path / "parted", by_school=True)
    cutoff = read_instant("2025-10-05 12:00")
    export(service.cohort(known_at=cutoff), tmp_path / "then")

    @HARD
    @given(at=INSTANTS, known_at=KNOWN)
    def holds(at: datetime, known_at: datetime | None) -> None:
        expected = [briefly(each) for each in one_by_one(service, at, known_at)]
        assert told_by(tmp_path / "whole/spans.parquet", at, known_at) == expected
        assert told_by(tmp_path / "parted/spans", at, known_at) == expected
        earlier = cutoff if known_at is None else min(known_at, cutoff)
        then = [briefly(each) for each in one_by_one(service, at, earlier)]
        assert told_by(tmp_path / "then/spans.parquet", at, known_at) == then

    holds()
    now = pq.read_table(tmp_path / "whole/spans.parquet").to_pylist()
    assert {*SPANS} == {*now[0]}
    assert any(row["known_until"] for row in now), "nothing was ever known otherwise"


def told_by(spans: Path, at: datetime, known_at: datetime | None) -> list[tuple[Any, ...]]:
    """What an export tells of everybody at an instant, as known by another, in DuckDB's SQL."""
    files = spans / "**" / "*.parquet" if spans.is_dir() else spans
    with duckdb.connect() as asked:
        told = asked.execute(
            """
            SELECT ref, year, school, category, policy, state, next_step, epoch_us(step_until)
            FROM read_parquet($1)
            WHERE (begins_at IS NULL OR begins_at <= $2) AND (ends_at IS NULL OR ends_at > $2)
              AND CASE WHEN $3 IS NULL THEN known_until IS NULL
                  ELSE known_from <= $3 AND (known_until IS NULL OR known_until > $3) END
            ORDER BY ref, year
            """,
            [str(files), at, known_at],
        )
        return told.fetchall()


def briefly(answer: Answer) -> tuple[Any, ...]:
    step = answer.next_step
    return (
        *answer.enrollment,
        answer.school,
        answer.category,
        answer.edition,
        answer.state,
        step and step.code,
        number_of(step.until) if step and step.until else None,
    )


def test_an_export_of_a_school_has_what_was_told_of_it_then(
    service: Service, tmp_path: Path
) -> None:
    """One who moved was counted at her school before, as known then, and is no more."""
    export(service.cohort(school="sjtu"), tmp_path / "sjtu")
    at = read_instant("2025-11-01 10:00")
    for known_at in (read_instant("2025-09-30 10:00"), None):
        found = told_by(tmp_path / "sjtu/spans.parquet", at, known_at)
        expected = service.cohort(at, known_at=known_at, school="sjtu").page().entries
        assert [row[:2] for row in found] == [tuple(each.enrollment) for each in expected]


def test_nothing_that_was_told_beside_the_facts_is_in_an_export(tmp_path: Path) -> None:
    named = "by", "command_id", "correlation_id"
    told: dict[str, Any] = {name: f"secret-{name}" for name in named}
    with yibao.open("memory:", via="secret-via") as service:
        service.register(
            "s-1",
            policy="shanghai-2025",
            on="2025-09-01",
            school="sjtu",
            category="undergraduate",
            document="resident_id_card",
            note="secret-note",
            **told,
        )
        export(service.cohort(), tmp_path / "whole")
    for file in (tmp_path / "whole").iterdir():
        table = pq.read_table(file)
        assert "secret" not in str(table.to_pylist())
        assert "secret" not in str(table.schema.metadata)


def test_an_export_does_not_have_what_is_recorded_while_it_is_written(
    service: Service, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values and facts are read before spans: all of them are of the moment of the first."""
    at = read_instant("2025-12-01 10:00")
    cohort, then = service.cohort(at), one_by_one(service, at, None)
    spans = cohort.spans

    def recorded_meanwhile(known_at: datetime) -> Any:
        service.withdraw(ADA, at=clock.at("2025-10-17 10:00"), on="2025-10-18")
        return spans(known_at)

    monkeypatch.setattr(cohort, "spans", recorded_meanwhile)
    export(cohort, tmp_path / "whole")
    told = told_by(tmp_path / "whole/spans.parquet", at, None)
    assert told == [briefly(each) for each in then]
    assert one_by_one(service, at, None) != then


def test_days_count_who_is_in_which_state_at_the_end_of_each_and_who_is_covered(
    service: Service,
) -> None:
    @HARD
    @given(day=DAYS, known_at=KNOWN)
    def holds(day: date, known_at: datetime | None) -> None:
        last = day + timedelta(days=2)
        at = end_of(day)
        cohort = service.cohort(at, known_at=known_at)
        states = cohort.days("states", day, last)
        assert states.days == (day, day + timedelta(days=1), last)
        for number, each in enumerate(states.days):
            told = service.cohort(end_of(each), known_at=known_at).count().counts
            there = {state: counts[number] for state, counts in states.counts.items()}
            assert {state: count for state, count in there.items() if count} == told
        found = [answer.values for answer in one_by_one(service, at, known_at)]
        windows = [values.coverage.value for values in found if values]
        covered = cohort.days("covered", day, last).counts.get("covered", (0, 0, 0))
        assert list(covered) == [
            sum(isinstance(w, yibao.DayRange) and w.first <= each <= w.last for w in windows)
            for each in states.days
        ]

    holds()


def test_where_no_days_are_named_they_go_from_the_first_change_to_the_last(
    service: Service,
) -> None:
    states = service.cohort().days()
    assert (states.days[0], states.days[-1]) == (date(2025, 9, 1), date(2026, 1, 1))
    assert states.counts["registered"][0] > 0
    covered = service.cohort().days("covered")
    assert covered.counts["covered"][0] > covered.counts["covered"][-1] == 0
    nobody = service.cohort(school="nowhere")
    assert (nobody.days().days, nobody.days("covered").counts) == ((), {})
    assert nobody.days(first="2025-09-01").days == (date(2025, 9, 1),)
    assert nobody.days(last="2025-09-01").days == (date(2025, 9, 1),)


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"first": "yesterday"}, "first"),
        ({"first": NAIVE}, "first"),
        ({"last": 3}, "last"),
        ({"first": "2025-09-02", "last": "2025-09-01"}, "last"),
        ({"first": "2025-09-02", "last": "2045-09-01"}, "last"),
        ({"counted": "hair"}, "counted"),
    ],
)
def test_days_that_there_can_never_be_are_refused_by_name(
    asked: dict[str, Any], where: str
) -> None:
    with yibao.open("memory:") as service, pytest.raises(yibao.BadValue) as refused:
        service.cohort().days(**asked)
    assert refused.value.details["where"] == where


def test_enrollments_are_read_some_at_a_time(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_at = read_instant("2026-01-01 00:00")
    at_once = list(service.cohort().spans(known_at))
    monkeypatch.setattr("yibao.adapters.following.cohort.cohort.AT_A_TIME", 1)
    assert list(service.cohort().spans(known_at)) == at_once
    assert len({span[:2] for span in at_once}) > 2
    assert Stood._fields == tuple(SPANS)
