"""The stories under `scenarios/` are the specification: all hold, and together they say it all."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from given import told

from yibao.adapters.editions.files import Editions
from yibao.adapters.stories.models import Story
from yibao.adapters.stories.reading import read_story, story_files
from yibao.adapters.stories.replaying import Replay

SCENARIOS = Path(__file__).parents[3] / "scenarios"
FILES = story_files(SCENARIOS)
RULES = [f"R{number}" for number in range(1, 39)]

#: The table of worked examples: waiting period, account day, e-voucher and benefit window once all
#: is known, and the states from the instant of each.
WORKED: dict[str, tuple[tuple[str, str, str, str], list[str]]] = {
    "01": (
        ("none", "2025-09-06", "2025-09-07 09:00", "2025-09-01 to 2025-12-31"),
        [
            "2025-08-30 00:00 registered",
            "2025-09-06 14:20 confirmed",
            "2025-09-06 14:50 account_built",
            "2025-09-07 09:00 active",
            "2026-01-01 00:00 expired",
        ],
    ),
    "02": (
        ("2025-09-01 to 2025-11-30", "2025-12-01", "2025-12-01 09:00", "2025-12-02 to 2025-12-31"),
        [
            "2025-09-01 00:00 registered",
            "2025-09-06 14:20 confirmed",
            "2025-09-06 14:50 in_waiting_period",
            "2025-12-01 00:00 account_built",
            "2025-12-01 09:00 evoucher_eligible",
            "2025-12-02 00:00 active",
            "2026-01-01 00:00 expired",
        ],
    ),
    "03": (
        ("2025-09-30 to 2025-12-29", "2025-12-30", "2025-12-30 09:00", "2025-12-31 to 2025-12-31"),
        [
            "2025-09-30 00:00 registered",
            "2025-10-06 14:20 confirmed",
            "2025-10-06 14:50 in_waiting_period",
            "2025-12-30 00:00 account_built",
            "2025-12-30 09:00 evoucher_eligible",
            "2025-12-31 00:00 active",
            "2026-01-01 00:00 expired",
        ],
    ),
    "04": (
        ("2025-10-01 to 2025-12-31", "2026-01-01", "none", "none"),
        [
            "2025-10-01 00:00 registered",
            "2025-10-06 14:20 confirmed",
            "2025-10-06 14:50 in_waiting_period",
            "2026-01-01 00:00 expired",
        ],
    ),
    "05": (
        ("2025-09-01 to 2025-11-30", "2025-12-15", "2025-12-16 09:00", "2025-12-16 to 2025-12-31"),
        [
            "2025-09-01 00:00 registered",
            "2025-12-15 23:45 confirmed",
            "2025-12-16 00:15 account_built",
            "2025-12-16 09:00 active",
            "2026-01-01 00:00 expired",
        ],
    ),
    "06": (
        ("2025-09-01 to 2026-02-28", "2026-03-01", "none", "none"),
        [
            "2025-09-01 00:00 registered",
            "2025-09-06 10:00 confirmed",
            "2025-09-06 10:30 in_waiting_period",
            "2026-01-01 00:00 expired",
        ],
    ),
    "07": (
        ("none", "2025-10-10", "2025-10-11 09:00", "2025-10-10 to 2025-12-31"),
        [
            "2025-09-01 00:00 registered",
            "2025-09-06 10:00 confirmed",
            "2025-10-10 00:00 account_built",
            "2025-10-11 09:00 active",
            "2026-01-01 00:00 expired",
        ],
    ),
    "08": (
        ("none", "2025-09-06", "none", "2025-09-01 to 2025-12-31"),
        [
            "2025-09-01 00:00 registered",
            "2025-09-06 10:00 confirmed",
            "2025-09-06 10:30 active",
            "2026-01-01 00:00 expired",
        ],
    ),
    "09": (
        ("none", "2024-09-05", "2024-09-06 00:00", "2024-09-02 to 2024-12-31"),
        [
            "2024-09-02 00:00 registered",
            "2024-09-05 10:30 confirmed",
            "2024-09-05 11:00 account_built",
            "2024-09-06 00:00 active",
            "2025-01-01 00:00 expired",
        ],
    ),
    "10": (
        ("none", "none", "none", "none"),
        [
            "2025-09-01 00:00 registered",
            "2026-01-01 00:00 lapsed",
        ],
    ),
    "11": (
        ("none", "2025-09-10", "2025-09-11 09:00", "2025-09-01 to 2025-12-31"),
        [
            "2025-09-01 00:00 registered",
            "2025-09-10 16:00 confirmed",
            "2025-09-11 00:00 account_built",
            "2025-09-11 09:00 active",
            "2026-01-01 00:00 expired",
        ],
    ),
    "12": (
        ("none", "2025-12-31", "none", "2025-09-01 to 2025-12-31"),
        [
            "2025-09-01 00:00 registered",
            "2025-12-31 10:00 confirmed",
            "2025-12-31 10:30 active",
            "2026-01-01 00:00 expired",
        ],
    ),
    "13": (
        ("none", "2025-09-06", "2025-09-07 09:00", "2025-09-01 to 2025-12-31"),
        [
            "2025-09-01 00:00 registered",
            "2025-09-06 10:00 confirmed",
            "2025-09-20 12:00 active",
            "2026-01-01 00:00 expired",
        ],
    ),
    "14": (
        ("2025-09-01 to 2025-11-30", "2025-12-10", "2025-12-11 09:00", "2025-12-11 to 2025-12-31"),
        [
            "2025-09-01 00:00 registered",
            "2025-09-06 10:00 confirmed",
            "2025-09-06 10:30 in_waiting_period",
            "2025-12-10 00:00 account_built",
            "2025-12-11 09:00 active",
            "2026-01-01 00:00 expired",
        ],
    ),
    "15": (
        ("pending", "pending", "none", "pending"),
        [
            "2025-09-01 00:00 registered",
            "2025-09-06 10:00 confirmed",
            "2026-01-01 00:00 expired",
        ],
    ),
    "21": (
        ("none", "2025-09-06", "2025-09-07 09:00", "2026-01-01 to 2026-12-31"),
        [
            "2025-08-30 00:00 registered",
            "2025-11-20 10:00 confirmed",
            "2025-11-20 10:30 evoucher_eligible",
            "2026-01-01 00:00 active",
            "2027-01-01 00:00 expired",
        ],
    ),
    "22": (
        ("2026-03-02 to 2026-06-01", "2026-06-02", "2026-06-02 09:00", "2026-06-03 to 2026-12-31"),
        [
            "2024-09-02 00:00 registered",
            "2026-01-01 00:00 lapsed",
            "2026-03-02 10:00 confirmed",
            "2026-03-02 10:30 in_waiting_period",
            "2026-06-02 00:00 account_built",
            "2026-06-02 09:00 evoucher_eligible",
            "2026-06-03 00:00 active",
            "2027-01-01 00:00 expired",
        ],
    ),
    "23": (
        ("2025-09-01 to 2026-02-28", "2026-03-01", "2026-03-01 09:00", "2026-03-02 to 2026-12-31"),
        [
            "2025-09-01 00:00 registered",
            "2025-11-20 10:00 confirmed",
            "2025-11-20 10:30 in_waiting_period",
            "2026-03-01 00:00 account_built",
            "2026-03-01 09:00 evoucher_eligible",
            "2026-03-02 00:00 active",
            "2027-01-01 00:00 expired",
        ],
    ),
    "24": (
        ("none", "2026-01-01", "2026-01-01 09:00", "2026-01-02 to 2026-12-31"),
        [
            "2025-10-01 00:00 registered",
            "2025-11-20 10:00 confirmed",
            "2026-01-01 00:00 account_built",
            "2026-01-01 09:00 evoucher_eligible",
            "2026-01-02 00:00 active",
            "2027-01-01 00:00 expired",
        ],
    ),
}


@cache
def _stories() -> list[Story]:
    editions = Editions()
    return [read_story(file, editions) for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_every_story_holds(file: Path, replayed: Callable[[Path], Replay]) -> None:
    assert replayed(file).failures == []


def test_there_are_at_least_thirty_stories() -> None:
    assert len(FILES) >= 30


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_shown_by_a_story(rule: str) -> None:
    assert any(rule in story.rules for story in _stories()), f"no story names {rule}"


def test_stories_name_only_rules_that_exist() -> None:
    named = {rule for story in _stories() for rule in story.rules}
    assert named <= set(RULES)
    assert all(story.rules for story in _stories())


def test_every_title_is_a_sentence_of_its_own() -> None:
    titles = [story.title for story in _stories()]
    assert len({title.casefold() for title in titles}) == len(titles)
    for title in titles:
        assert title[0].isupper() or title[0].isdigit(), title
        assert len(title.split()) >= 3, title
        assert not title.endswith("."), title


def test_every_story_asserts_something() -> None:
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        assert "expect:" in text or "refused:" in text, file


def test_no_two_stories_are_about_the_same_student() -> None:
    refs = [student.ref for story in _stories() for student in story.students.values()]
    assert len(set(refs)) == len(refs)


@pytest.mark.parametrize("number", WORKED)
def test_a_worked_example_has_the_values_and_runs_through_the_states_of_its_row(
    number: str, replayed: Callable[[Path], Replay]
) -> None:
    (file,) = SCENARIOS.glob(f"*/{number}-*.yaml")
    *_, (_, answer) = replayed(file).answers()
    assert answer.values is not None
    values = tuple(told(each.value) for each in answer.values)
    states = [f"{told(change.at)} {told(change.state)}" for change in answer.timeline]
    assert (values, states, answer.discrepancies) == (*WORKED[number], ())
