"""Shanghai days and instants, and the months of a waiting period (R15)."""

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

import pytest

from yibao.domain.calendar import (
    SHANGHAI,
    at_hour,
    day_after,
    day_before,
    in_shanghai,
    last_day_of_months,
    midnight,
    read_day,
    read_instant,
)

#: First day, months, last day: the days on which calendars disagree.
GOLDEN = [
    ("2025-09-01", 3, "2025-11-30"),
    ("2025-11-30", 3, "2026-02-28"),
    ("2027-11-30", 3, "2028-02-29"),
    ("2025-11-30", 9, "2026-08-29"),
    ("2025-11-29", 3, "2026-02-28"),
    ("2027-11-29", 3, "2028-02-28"),
    ("2027-12-01", 3, "2028-02-29"),
    ("2025-12-01", 3, "2026-02-28"),
    ("2025-11-28", 3, "2026-02-27"),
    ("2025-08-31", 3, "2025-11-30"),
    ("2025-10-31", 3, "2026-01-30"),
    ("2025-12-31", 3, "2026-03-30"),
    ("2025-12-31", 6, "2026-06-30"),
    ("2025-12-31", 12, "2026-12-30"),
    ("2025-10-01", 3, "2025-12-31"),
    ("2025-09-30", 3, "2025-12-29"),
    ("2025-09-30", 6, "2026-03-29"),
    ("2025-09-01", 6, "2026-02-28"),
    ("2025-09-01", 12, "2026-08-31"),
    ("2024-02-29", 12, "2025-02-28"),
    ("2024-02-29", 48, "2028-02-28"),
    ("2025-12-15", 1, "2026-01-14"),
    ("2025-09-01", 300, "2050-08-31"),
    ("2025-09-01", 0, "2025-08-31"),
]


@pytest.mark.parametrize(("first", "months", "last"), GOLDEN)
def test_a_period_of_months_ends_the_day_before_the_corresponding_day(
    first: str, months: int, last: str
) -> None:
    assert last_day_of_months(date.fromisoformat(first), months).isoformat() == last


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        ("2025-09-01", 3, "2025-12-01"),
        ("2025-11-30", 3, "2026-02-28"),
        ("2027-11-30", 3, "2028-02-29"),
        ("2025-11-30", 9, "2026-08-30"),
        ("2025-12-31", 3, "2026-03-31"),
        ("2024-02-29", 12, "2025-02-28"),
    ],
)
def test_a_first_day_that_does_not_count_moves_the_end_to_the_corresponding_day(
    first: str, months: int, last: str
) -> None:
    found = last_day_of_months(date.fromisoformat(first), months, counting_first_day=False)
    assert found.isoformat() == last


def test_three_months_three_times_are_not_nine_months() -> None:
    day = date(2025, 11, 30)
    once = last_day_of_months(day, 9)
    for _ in range(3):
        day = day_after(last_day_of_months(day, 3))
    assert day_before(day) != once


def test_a_day_starts_at_midnight_in_shanghai() -> None:
    assert midnight(date(2025, 9, 1)).isoformat() == "2025-09-01T00:00:00+08:00"


def test_an_hour_of_a_day_is_told_in_shanghai() -> None:
    assert at_hour(date(2025, 9, 7), time(9)).isoformat() == "2025-09-07T09:00:00+08:00"


def test_the_day_after_the_last_of_the_year_is_new_years_day() -> None:
    assert day_after(date(2025, 12, 31)) == date(2026, 1, 1)


def test_the_day_before_the_first_of_march_may_be_a_leap_day() -> None:
    assert day_before(date(2028, 3, 1)) == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-09-06 14:20", "2025-09-06T14:20:00+08:00"),
        ("2025-09-06T14:20", "2025-09-06T14:20:00+08:00"),
        ("2025-09-06 14:20:05", "2025-09-06T14:20:05+08:00"),
        ("2025-09-06 14:20:05.25", "2025-09-06T14:20:05.250000+08:00"),
        ("2025-09-06 14:20Z", "2025-09-06T22:20:00+08:00"),
        ("2025-09-06 14:20 +09:00", "2025-09-06T13:20:00+08:00"),
        ("2025-09-06T14:20 +09:00", "2025-09-06T13:20:00+08:00"),
        ("2025-09-06 23:20-01:00", "2025-09-07T08:20:00+08:00"),
        ("2025-09-06 14:20-00:00", "2025-09-06T22:20:00+08:00"),
        ("2025-09-06 14:20+23:59", "2025-09-05T22:21:00+08:00"),
    ],
)
def test_an_instant_is_read_as_shanghai_time_unless_it_names_an_offset(
    text: str, instant: str
) -> None:
    assert read_instant(text).isoformat() == instant


@pytest.mark.parametrize(
    "text",
    [
        "2025-09-06",
        "2025-09-06 14",
        "2025-09-06 24:20",
        "2025-02-29 10:00",
        "2025-9-6 14:20",
        "06.09.2025 14:20",
        " 2025-09-06 14:20",
        "2025-09-06 14:20 CST",
        "2025-09-06 24:00",
        "2025-09-06 14:60",
        "2025-09-06 14:20:60",
        "2025-09-06 14:20:05.1234567",
        "2025-09-06 14:20+08:60",
        "2025-09-06 14:20+08:99",
        "2025-09-06 14:20 -00:60",
        "2025-09-06 14:20+24:00",
        "2025-09-06 14:20+25:00",
        "2025-09-06 14:20+08:00:61",
        "2025-09-06 14:20+08",
        "2025-09-06 14:20+0800",
        "2025-09-06T14:20T+08:00",
        "2025-09-06 14:20  +08:00",
        "٢025-09-06 14:20",
        "",
    ],
)
def test_an_instant_in_any_other_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_instant(text)


def test_a_day_is_read_as_it_is_printed() -> None:
    assert read_day("2025-09-06") == date(2025, 9, 6)


@pytest.mark.parametrize("text", ["2025-9-6", "20250906", "2025-09-06 00:00", "2025-09-31", ""])
def test_a_day_in_any_other_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_day(text)


def test_an_instant_told_elsewhere_becomes_one_of_shanghai() -> None:
    assert in_shanghai(datetime(2025, 8, 31, 16, tzinfo=UTC)) == midnight(date(2025, 9, 1))


def test_every_instant_inside_the_core_shares_one_zone() -> None:
    told = datetime(2025, 9, 1, tzinfo=timezone(timedelta(hours=8)))
    assert in_shanghai(told).tzinfo is SHANGHAI


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        in_shanghai(datetime(2025, 9, 1))  # noqa: DTZ001


class _Silent(tzinfo):
    """A zone that does not tell how far it is from Greenwich."""

    def utcoffset(self, instant: datetime | None) -> None:
        return None


def test_an_instant_with_a_zone_that_tells_no_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        in_shanghai(datetime(2025, 9, 1, tzinfo=_Silent()))


@pytest.mark.parametrize("year", [1899, 3000])
def test_an_instant_outside_the_known_years_is_refused(year: int) -> None:
    with pytest.raises(ValueError, match="1900 and 2999"):
        in_shanghai(datetime(year, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("year", [1900, 2999])
def test_the_first_and_the_last_known_year_are_known(year: int) -> None:
    assert in_shanghai(datetime(year, 6, 1, tzinfo=SHANGHAI)).year == year


@pytest.mark.parametrize("text", ["2999-12-31 23:59-01:00", "1900-01-01 00:00+09:00"])
def test_an_instant_outside_the_known_years_in_shanghai_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the year must lie between"):
        read_instant(text)
