"""The second reading of the rules comes to the answers of all worked examples."""

from datetime import date, datetime, time
from typing import Any

import pytest
from tools.reading import PENDING, answers

FAILING = ("passport", "taiwan_travel_permit", "hk_macao_travel_permit")
SHANGHAI_2025: dict[str, Any] = {
    "documents_without_evoucher": FAILING,
    "window_opens": date(2025, 9, 5),
    "window_closes_on": date(2025, 12, 31),
    "waiting_months_per_lapsed_year": 3,
    "waiting_counts_from": date(2025, 9, 1),
    "result_visible_after": 30,
    "proxy_result_visible_after": 1,
    "evoucher_counts_from": "confirmation",
    "evoucher_opens_after": 1,
    "evoucher_hour": time(9),
    "benefit_from": date(2025, 9, 1),
    "benefit_to": date(2025, 12, 31),
    "cover_after_account": 1,
}
SHANGHAI_2024 = SHANGHAI_2025 | {
    "window_opens": "registration_day",
    "window_closes_on": date(2024, 12, 31),
    "waiting_months_per_lapsed_year": 0,
    "waiting_counts_from": date(2024, 9, 1),
    "evoucher_counts_from": "account",
    "evoucher_hour": time(0),
    "benefit_from": date(2024, 9, 1),
    "benefit_to": date(2024, 12, 31),
}
CONTINUING_2026 = SHANGHAI_2025 | {
    "enrolled_by": "payment",
    "concentrated_period": {
        "opens": date(2025, 11, 14),
        "closes": date(2025, 12, 31),
        "cover_from": "benefit_from",
    },
    "late_period": {
        "opens": date(2026, 1, 1),
        "closes": date(2026, 12, 31),
        "cover_from": "enrollment_day",
        "fixed_waiting_months": 3,
    },
    "waiting_months_per_lapsed_year": 1,
    "waiting_counts_from": "enrollment",
    "benefit_from": date(2026, 1, 1),
    "benefit_to": date(2026, 12, 31),
}
GUANGZHOU_2025 = SHANGHAI_2025 | {
    "enrolled_by": "payment",
    "concentrated_period": {
        "opens": date(2024, 9, 1),
        "closes": date(2024, 12, 31),
        "cover_from": "benefit_from",
    },
    "late_period": {
        "opens": date(2025, 1, 1),
        "closes": date(2025, 12, 31),
        "cover_from": "first_of_next_month",
    },
    "waiting_months_per_lapsed_year": 0,
    "benefit_from": date(2024, 9, 1),
    "benefit_to": date(2025, 12, 31),
}
GUANGZHOU_CONTINUING_2025 = GUANGZHOU_2025 | {"benefit_from": date(2025, 1, 1)}
Facts = list[dict[str, Any]]
Story = dict[str, Any]


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def did(what: str, at: str, **values: Any) -> dict[str, Any]:
    return {"do": what, "at": when(at), **values}


def registered(on: str, document: str = "resident_id_card") -> dict[str, Any]:
    person = {"school": "sjtu", "category": "undergraduate", "document": document}
    return did("register", f"{on} 08:00", on=date.fromisoformat(on), **person)


def confirmed(at: str, channel: str = "app") -> dict[str, Any]:
    return did("confirm", at, channel=channel)


def checked(at: str, lapsed_years: int, **more: Any) -> dict[str, Any]:
    return did("verify_prior_coverage", at, lapsed_years=lapsed_years, **more)


def paid(at: str, year: int) -> dict[str, Any]:
    return did("pay_premium", at, year=year)


def of(year: int, edition: dict[str, Any], *facts: dict[str, Any]) -> Story:
    return {"year": year, "edition": edition, "facts": facts, "fixes": ()}


def told(answer: dict[str, Any]) -> tuple[str, ...]:
    """Waiting, account, e-voucher and cover, as the tables print them."""
    return tuple(
        " to ".join(str(day) for day in value[:2]) if isinstance(value, tuple) else str(value)[:16]
        for name, value in answer.items()
        if name not in ("state", "timeline")
    )


def first_active(answer: dict[str, Any]) -> str:
    found = [at for at, state in answer["timeline"] if state == "active"]
    return str(found[0])[:16] if found else "never"


AUTUMN = "2025-09-01 to 2025-12-31"
THREE_MONTHS = "2025-09-01 to 2025-11-30"
EMPLOYED = did("declare_other_cover", "2025-09-02 10:00", kind="employee")


def stopped(on: str) -> dict[str, Any]:
    return did("stop_employee_cover", f"{on} 11:00", on=date.fromisoformat(on))


def entrant(on: str, at: str, lapsed_years: int, *more: dict[str, Any]) -> Facts:
    return [registered(on), confirmed(at), checked(at, lapsed_years), *more]


FIRST_YEARS: dict[int, tuple[Facts, tuple[str, ...], str]] = {
    1: (
        entrant("2025-08-30", "2025-09-06 14:20", 0),
        ("None", "2025-09-06", "2025-09-07 09:00", AUTUMN),
        "2025-09-07 09:00",
    ),
    2: (
        entrant("2025-09-01", "2025-09-06 14:20", 1),
        (THREE_MONTHS, "2025-12-01", "2025-12-01 09:00", "2025-12-02 to 2025-12-31"),
        "2025-12-02 00:00",
    ),
    3: (
        entrant("2025-09-30", "2025-10-06 14:20", 1),
        (
            "2025-09-30 to 2025-12-29",
            "2025-12-30",
            "2025-12-30 09:00",
            "2025-12-31 to 2025-12-31",
        ),
        "2025-12-31 00:00",
    ),
    4: (
        entrant("2025-10-01", "2025-10-06 14:20", 1),
        ("2025-10-01 to 2025-12-31", "2026-01-01", "None", "None"),
        "never",
    ),
    5: (
        entrant("2025-09-01", "2025-12-15 23:45", 1),
        (THREE_MONTHS, "2025-12-15", "2025-12-16 09:00", "2025-12-16 to 2025-12-31"),
        "2025-12-16 09:00",
    ),
    6: (
        entrant("2025-09-01", "2025-09-06 10:00", 2),
        ("2025-09-01 to 2026-02-28", "2026-03-01", "None", "None"),
        "never",
    ),
    7: (
        entrant("2025-09-01", "2025-09-06 10:00", 0, EMPLOYED, stopped("2025-10-10")),
        ("None", "2025-10-10", "2025-10-11 09:00", "2025-10-10 to 2025-12-31"),
        "2025-10-11 09:00",
    ),
    8: (
        [
            registered("2025-09-01", "passport"),
            confirmed("2025-09-06 10:00"),
            checked("2025-09-06 10:00", 0),
        ],
        ("None", "2025-09-06", "None", AUTUMN),
        "2025-09-06 10:30",
    ),
    10: (
        [registered("2025-09-01"), checked("2025-09-06 10:00", 0)],
        ("None", "None", "None", "None"),
        "never",
    ),
    11: (
        [
            registered("2025-09-01"),
            confirmed("2025-09-10 16:00", "proxy"),
            checked("2025-09-10 16:00", 0),
        ],
        ("None", "2025-09-10", "2025-09-11 09:00", AUTUMN),
        "2025-09-11 09:00",
    ),
    12: (
        entrant("2025-09-01", "2025-12-31 10:00", 0),
        ("None", "2025-12-31", "None", AUTUMN),
        "2025-12-31 10:30",
    ),
    13: (
        [
            registered("2025-09-01"),
            confirmed("2025-09-06 10:00"),
            checked("2025-09-20 12:00", 0),
        ],
        ("None", "2025-09-06", "2025-09-07 09:00", AUTUMN),
        "2025-09-20 12:00",
    ),
    14: (
        entrant("2025-09-01", "2025-09-06 10:00", 1, EMPLOYED, stopped("2025-12-10")),
        (THREE_MONTHS, "2025-12-10", "2025-12-11 09:00", "2025-12-11 to 2025-12-31"),
        "2025-12-11 09:00",
    ),
    15: (
        [registered("2025-09-01", "passport"), confirmed("2025-09-06 10:00")],
        (PENDING, PENDING, "None", PENDING),
        "never",
    ),
}


@pytest.mark.parametrize("number", FIRST_YEARS)
def test_a_first_year_is_read_as_its_worked_example_says(number: int) -> None:
    facts, values, active = FIRST_YEARS[number]
    (answer,) = answers([of(2025, SHANGHAI_2025, *facts)], when("2026-02-01 10:00"))
    assert told(answer) == values
    assert first_active(answer) == active


def test_worked_example_9_knows_no_check() -> None:
    facts = registered("2024-09-02"), confirmed("2024-09-05 10:30")
    (answer,) = answers([of(2024, SHANGHAI_2024, *facts)], when("2025-02-01 10:00"))
    assert told(answer) == ("None", "2024-09-05", "2024-09-06 00:00", "2024-09-02 to 2024-12-31")
    assert first_active(answer) == "2024-09-06 00:00"


def test_the_timelines_of_worked_examples_10_14_and_15() -> None:
    def road(number: int) -> list[str]:
        facts, *_ = FIRST_YEARS[number]
        (answer,) = answers([of(2025, SHANGHAI_2025, *facts)], when("2026-02-01 10:00"))
        return [f"{at:%m-%d %H:%M} {state}" for at, state in answer["timeline"]]

    assert road(10) == ["09-01 00:00 registered", "01-01 00:00 lapsed"]
    assert road(14) == [
        "09-01 00:00 registered",
        "09-06 10:00 confirmed",
        "09-06 10:30 in_waiting_period",
        "12-10 00:00 account_built",
        "12-11 09:00 active",
        "01-01 00:00 expired",
    ]
    assert road(15) == [
        "09-01 00:00 registered",
        "09-06 10:00 confirmed",
        "01-01 00:00 expired",
    ]


GRADUATED = did("withdraw", "2025-06-20 10:00", on=date(2025, 7, 1), kind="graduated")
KEEPS = {"cover_after_leaving": {"graduated": "until_benefit_to"}}
WUHAN = SHANGHAI_2025 | {
    "enrolled_by": "payment",
    "concentrated_period": {
        "opens": date(2025, 9, 1),
        "closes": date(2025, 12, 31),
        "cover_from": "benefit_from",
    },
    "waiting_months_per_lapsed_year": 0,
}
XIAN = WUHAN | {
    "concentrated_period": WUHAN["concentrated_period"]
    | {"opens": date(2023, 9, 1), "closes": date(2023, 12, 31)},
    "benefit_from": date(2023, 9, 1),
    "benefit_to": date(2024, 12, 31),
}
BY_PAYMENT: dict[str, tuple[Story, str]] = {
    "16": (
        of(2025, GUANGZHOU_2025, registered("2024-08-30"), paid("2024-10-20 10:00", 2025)),
        "2024-09-01 to 2025-12-31",
    ),
    "17": (
        of(
            2025,
            GUANGZHOU_CONTINUING_2025,
            registered("2023-09-01"),
            paid("2024-10-20 10:00", 2025),
        ),
        "2025-01-01 to 2025-12-31",
    ),
    "18": (
        of(
            2025,
            GUANGZHOU_CONTINUING_2025,
            registered("2023-09-01"),
            paid("2025-10-10 10:00", 2025),
        ),
        "2025-11-01 to 2025-12-31",
    ),
    "19": (
        of(
            2025,
            GUANGZHOU_CONTINUING_2025 | KEEPS,
            registered("2023-09-01"),
            paid("2024-10-20 10:00", 2025),
            GRADUATED,
        ),
        "2025-01-01 to 2025-12-31",
    ),
    "19, where graduates do not keep it": (
        of(
            2025,
            GUANGZHOU_CONTINUING_2025,
            registered("2023-09-01"),
            paid("2024-10-20 10:00", 2025),
            GRADUATED,
        ),
        "2025-01-01 to 2025-06-30",
    ),
    "20": (
        of(2025, WUHAN, registered("2025-09-05"), paid("2025-09-20 10:00", 2025)),
        AUTUMN,
    ),
    "26": (
        of(2024, XIAN, registered("2023-09-10"), paid("2023-10-12 10:00", 2024)),
        "2023-09-01 to 2024-12-31",
    ),
}


@pytest.mark.parametrize("example", BY_PAYMENT)
def test_who_paid_is_covered_as_the_worked_example_says(example: str) -> None:
    year, cover = BY_PAYMENT[example]
    (answer,) = answers([year], when("2026-02-01 10:00"))
    assert told(answer)[0] == "None"
    assert told(answer)[3] == cover


def test_a_graduate_who_keeps_the_year_is_withdrawn_all_the_same() -> None:
    year, _ = BY_PAYMENT["19"]
    (answer,) = answers([year], when("2025-08-01 10:00"))
    assert answer["state"] == "withdrawn"


def then(facts: Facts, *more: dict[str, Any]) -> tuple[str, ...]:
    """What 2026 is, after an autumn of 2025 with these facts."""
    years = [
        of(2025, SHANGHAI_2025, *facts),
        of(2026, CONTINUING_2026, registered(str(facts[0]["on"])), *more),
    ]
    return told(answers(years, when("2026-12-01 10:00"))[1])


def test_worked_example_21_needs_no_check() -> None:
    values = then(FIRST_YEARS[1][0], paid("2025-11-20 10:00", 2026))
    assert values == (
        "None",
        "2025-09-06",
        "2025-09-07 09:00",
        "2026-01-01 to 2026-12-31",
    )


def test_worked_example_22_waits_three_months_for_being_late() -> None:
    year = of(
        2026,
        CONTINUING_2026,
        registered("2024-09-01"),
        checked("2026-03-02 12:00", 0),
        paid("2026-03-02 10:00", 2026),
    )
    (answer,) = answers([year], when("2026-12-01 10:00"))
    assert told(answer)[0] == "2026-03-02 to 2026-06-01"
    assert told(answer)[3] == "2026-06-03 to 2026-12-31"


def test_worked_example_23_goes_on_waiting() -> None:
    assert then(FIRST_YEARS[6][0], paid("2025-11-20 10:00", 2026)) == (
        "2025-09-01 to 2026-02-28",
        "2026-03-01",
        "2026-03-01 09:00",
        "2026-03-02 to 2026-12-31",
    )


def test_worked_example_24_has_waited() -> None:
    assert then(FIRST_YEARS[4][0], paid("2025-11-20 10:00", 2026)) == (
        "None",
        "2026-01-01",
        "2026-01-01 09:00",
        "2026-01-02 to 2026-12-31",
    )


def test_worked_example_27_is_in_no_period() -> None:
    closing = {"opens": date(2025, 11, 14), "closes": when("2025-12-05 15:00")}
    edition = CONTINUING_2026 | {"concentrated_period": closing, "late_period": None}
    year = of(
        2026,
        edition,
        registered("2024-09-01"),
        checked("2025-12-06 12:00", 0),
        paid("2025-12-05 16:00", 2026),
    )
    (answer,) = answers([year], when("2026-12-01 10:00"))
    assert told(answer) == ("None", PENDING, PENDING, PENDING)
    assert [state for _, state in answer["timeline"]] == [
        "registered",
        "lapsed",
        "confirmed",
        "expired",
    ]


def test_an_opt_out_is_its_own_year_s_though_one_of_the_year_before_is_like_it() -> None:
    kept = did("keep_other_cover", "2025-09-10 10:00")
    years = [
        of(2025, SHANGHAI_2025, registered("2025-09-01"), kept),
        of(2026, CONTINUING_2026, registered("2025-09-01"), dict(kept)),
    ]
    (_, second) = answers(years, when("2026-01-04 00:00"))
    assert second["state"] == "opted_out"
