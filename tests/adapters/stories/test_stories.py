"""The stories under `scenarios/` are the specification: all hold, and together they say it all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from yibao.adapters.editions.files import Editions
from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.stories.models import Story
from yibao.adapters.stories.reading import read_story, story_files
from yibao.adapters.stories.replaying import Replay

SCENARIOS = Path(__file__).parents[3] / "scenarios"
FILES = story_files(SCENARIOS)
RULES = [f"R{number}" for number in range(1, 33)]

#: The table of worked examples: what each student's answer is once all is known. The last
#: column is the instant from which the state is `active`.
WORKED: dict[str, tuple[Any, ...]] = {
    "01": (
        None,
        "2025-09-06",
        "2025-09-07 09:00",
        ("2025-09-01", "2025-12-31"),
        "2025-09-07 09:00",
    ),
    "02": (
        ("2025-09-01", "2025-11-30"),
        "2025-12-01",
        "2025-12-01 09:00",
        ("2025-12-02", "2025-12-31"),
        "2025-12-02 00:00",
    ),
    "03": (
        ("2025-09-30", "2025-12-29"),
        "2025-12-30",
        "2025-12-30 09:00",
        ("2025-12-31", "2025-12-31"),
        "2025-12-31 00:00",
    ),
    "04": (("2025-10-01", "2025-12-31"), "2026-01-01", None, None, None),
    "05": (
        ("2025-09-01", "2025-11-30"),
        "2025-12-15",
        "2025-12-16 09:00",
        ("2025-12-16", "2025-12-31"),
        "2025-12-16 09:00",
    ),
    "06": (("2025-09-01", "2026-02-28"), "2026-03-01", None, None, None),
    "07": (
        None,
        "2025-10-10",
        "2025-10-11 09:00",
        ("2025-10-10", "2025-12-31"),
        "2025-10-11 09:00",
    ),
    "08": (None, "2025-09-06", None, ("2025-09-01", "2025-12-31"), "2025-09-06 10:30"),
    "09": (
        None,
        "2024-09-05",
        "2024-09-06 00:00",
        ("2024-09-02", "2024-12-31"),
        "2024-09-06 00:00",
    ),
    "10": (None, None, None, None, None),
    "11": (
        None,
        "2025-09-10",
        "2025-09-11 09:00",
        ("2025-09-01", "2025-12-31"),
        "2025-09-11 09:00",
    ),
    "12": (None, "2025-12-31", None, ("2025-09-01", "2025-12-31"), "2025-12-31 10:30"),
    "13": (
        None,
        "2025-09-06",
        "2025-09-07 09:00",
        ("2025-09-01", "2025-12-31"),
        "2025-09-20 12:00",
    ),
    "14": (
        ("2025-09-01", "2025-11-30"),
        "2025-12-10",
        "2025-12-11 09:00",
        ("2025-12-11", "2025-12-31"),
        "2025-12-11 09:00",
    ),
    "15": ("pending", "pending", None, "pending", None),
}


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
    assert named <= {f"R{number}" for number in range(1, 33)}
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
def test_each_worked_example_has_a_story_with_the_values_of_the_table(
    number: str, replayed: Callable[[Path], Replay]
) -> None:
    (file,) = (SCENARIOS / "worked-examples").glob(f"{number}-*.yaml")
    ran = replayed(file)
    answer = answer_json(ran.answer(next(iter(ran.story.students))))
    waiting, account, evoucher, coverage, active = WORKED[number]
    assert _span(answer["waiting"]) == waiting
    assert answer["account_built_on"] == account
    assert _instant(answer["evoucher_available_at"]) == evoucher
    assert _span(answer["coverage"]) == coverage
    reached = [
        _instant(change["at"]) for change in answer["timeline"] if change["state"] == "active"
    ]
    assert reached == ([active] if active else [])


def _span(value: Any) -> Any:
    return (value["from"], value["to"]) if isinstance(value, dict) else value


def _instant(value: Any) -> Any:
    return value.removesuffix(":00+08:00").replace("T", " ") if value else value
