"""The confirmation window: provisional in the edition, fixed by recorded facts (R8)."""

import random
from typing import Any

import pytest
from given import Step, edition, fix_window, given, told

from yibao.domain.calendar import read_day
from yibao.domain.editions.citation import Parameter
from yibao.domain.facts.streams import current_facts
from yibao.domain.rules.window import Window, confirmation_window, fixes_that_count
from yibao.domain.vocabulary import Category

ALL = fix_window("2025-10-01 09:00", closes_on="2025-12-01")
CATEGORY = fix_window("2025-10-02 09:00", closes_on="2025-12-02", category="undergraduate")
SCHOOL = fix_window("2025-10-03 09:00", closes_on="2025-12-03", school="sjtu")
BOTH = fix_window(
    "2025-10-04 09:00", closes_on="2025-12-04", school="sjtu", category="undergraduate"
)


def window(
    *fixes: Step, policy: str = "shanghai-2025", registered_on: str = "2025-09-01"
) -> Window:
    """The window of an undergraduate of sjtu."""
    world = given(*fixes, policy=policy)
    return confirmation_window(
        edition(policy),
        current_facts(world.fixed),  # type: ignore[arg-type]
        "sjtu",
        Category.UNDERGRADUATE,
        read_day(registered_on),
    )


def test_the_window_of_2025_opens_provisionally_on_5_september() -> None:
    assert told(window().opens_at) == "2025-09-05 00:00"


def test_the_last_day_of_the_window_belongs_to_it() -> None:
    assert told(window().closed_from) == "2026-01-01 00:00"


def test_something_turns_where_it_opens_and_where_it_closes() -> None:
    assert sorted(map(told, window().turns)) == ["2025-09-05 00:00", "2026-01-01 00:00"]


def test_the_window_of_2024_opens_on_the_registration_day() -> None:
    found = window(policy="shanghai-2024", registered_on="2024-09-02")
    assert told(found.opens_at) == "2024-09-02 00:00"


def test_a_fixed_opening_day_replaces_the_registration_day() -> None:
    found = window(
        fix_window("2024-09-01 09:00", opens_on="2024-09-10"),
        policy="shanghai-2024",
        registered_on="2024-09-02",
    )
    assert told(found.opens_at) == "2024-09-10 00:00"


def test_a_day_of_opening_means_its_midnight() -> None:
    found = window(fix_window("2025-09-03 09:00", opens_on="2025-09-06"))
    assert told(found.opens_at) == "2025-09-06 00:00"


def test_an_instant_of_opening_is_taken_as_it_is() -> None:
    found = window(fix_window("2025-09-03 09:00", opens_at="2025-09-06 08:30"))
    assert told(found.opens_at) == "2025-09-06 08:30"


def test_each_end_is_fixed_separately() -> None:
    found = window(
        fix_window("2025-09-03 09:00", opens_on="2025-09-06"),
        fix_window("2025-11-03 09:00", closes_on="2025-12-20"),
    )
    assert (told(found.opens_at), told(found.closes_on)) == ("2025-09-06 00:00", "2025-12-20")


@pytest.mark.parametrize(
    ("fixes", "closes_on"),
    [
        ((), "2025-12-31"),
        ((ALL,), "2025-12-01"),
        ((CATEGORY, ALL), "2025-12-02"),
        ((SCHOOL, CATEGORY, ALL), "2025-12-03"),
        ((BOTH, SCHOOL, CATEGORY, ALL), "2025-12-04"),
        ((ALL, CATEGORY, SCHOOL, BOTH), "2025-12-04"),
    ],
    ids=["none", "all", "category", "school", "both", "both, recorded last"],
)
def test_the_narrowest_fix_decides(fixes: tuple[Step, ...], closes_on: str) -> None:
    assert told(window(*fixes).closes_on) == closes_on


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"school": "ecnu"},
        {"category": "postgraduate"},
        {"school": "sjtu", "category": "postgraduate"},
        {"school": "ecnu", "category": "undergraduate"},
    ],
    ids=["school", "category", "same school, other category", "other school, same category"],
)
def test_a_fix_for_others_changes_nothing(elsewhere: dict[str, str]) -> None:
    found = window(fix_window("2025-10-01 09:00", closes_on="2025-11-30", **elsewhere))
    assert told(found.closes_on) == "2025-12-31"


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "the later one first"])
def test_among_equally_narrow_fixes_the_later_one_counts(order: int) -> None:
    fixes = [
        fix_window("2025-10-01 09:00", closes_on="2025-11-30"),
        fix_window("2025-10-02 09:00", closes_on="2025-11-20"),
    ]
    assert told(window(*fixes[::order]).closes_on) == "2025-11-20"


def test_of_two_fixes_of_one_instant_the_later_in_the_stream_counts() -> None:
    found = window(
        fix_window("2025-10-01 09:00", closes_on="2025-11-30"),
        fix_window("2025-10-01 09:00", closes_on="2025-11-20"),
    )
    assert told(found.closes_on) == "2025-11-20"


def test_a_wider_fix_still_gives_the_end_a_narrower_one_leaves_open() -> None:
    found = window(
        fix_window("2025-09-03 09:00", opens_on="2025-09-06", school="sjtu"),
        fix_window("2025-11-03 09:00", closes_on="2025-12-20"),
    )
    assert told(found.closes_on) == "2025-12-20"


def test_a_provisional_end_rests_on_the_edition() -> None:
    assert isinstance(window().closed_by, Parameter)


def test_a_fixed_end_rests_on_the_fact() -> None:
    found = window(ALL)
    assert not isinstance(found.closed_by, Parameter)
    assert found.closed_by.event.name == "window-fixed"


def test_however_often_windows_are_fixed_those_that_count_give_the_same_windows() -> None:
    chance = random.Random(20260901)
    schools, categories = (None, "sjtu", "fudan"), (None, "undergraduate", "postgraduate")
    for _ in range(50):
        steps = []
        for _ in range(40):
            ends = {"opens_on": f"2025-09-{chance.randrange(10, 30)}",
                    "closes_on": f"2025-12-{chance.randrange(10, 30)}"}  # fmt: skip
            steps.append(
                fix_window(
                    f"2025-10-0{chance.randrange(1, 5)} 09:00",
                    school=chance.choice(schools),
                    category=chance.choice(categories),
                    **dict(chance.sample(sorted(ends.items()), chance.choice([1, 2]))),
                )
            )
        fixes: Any = current_facts(given(*steps).fixed)
        counting = fixes_that_count(fixes)
        assert len(counting) <= 2 * len(schools) * len(categories)
        for school in (*schools, "tongji"):
            for category in Category:
                whose = school, category, read_day("2025-09-01")
                every = confirmation_window(edition("shanghai-2025"), fixes, *whose)
                assert every == confirmation_window(edition("shanghai-2025"), counting, *whose)
