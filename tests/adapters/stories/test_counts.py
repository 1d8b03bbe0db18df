"""How many of a story's students are expected to be so."""

import json
from collections.abc import Callable
from textwrap import dedent, indent

import pytest

from yibao.adapters.editions.files import Editions
from yibao.adapters.editions.yaml_source import SourceError
from yibao.adapters.stories.reading import read_story
from yibao.adapters.stories.replaying import Failure, replay

from ..conftest import Run, Write

#: Three students: of one nothing is recorded, one signs, the third has reported too early.
CLASS = """\
title: A class
policy: shanghai-2025
students:
  ada: {ref: s1, school: sjtu, category: undergraduate, document: resident_id_card}
  bo: {ref: s2, school: ecnu, category: postgraduate, document: passport}
  cy: {ref: s3, school: ecnu, category: undergraduate, document: passport}
story:
  - {at: 2025-09-01 08:30, student: ada, register: {on: 2025-09-01}}
  - {at: 2025-09-01 08:30, student: bo, register: {on: 2025-09-01}}
  - {at: 2025-09-02 08:30, student: ada, declare_roster: {}}
  - {at: 2025-09-03 08:30, student: bo, observed: true, confirm: {channel: app}}
  - {at: 2025-09-06 14:30, student: ada, confirm: {channel: app}}
"""

Told = Callable[[str], list[Failure]]


@pytest.fixture
def failing(write: Write) -> Told:
    def told(steps: str) -> list[Failure]:
        path = write(CLASS + indent(dedent(steps).strip("\n") + "\n", "  "))
        run = replay(read_story(path, Editions()), Editions())
        run.service.close()
        return run.failures

    return told


@pytest.mark.parametrize(
    ("counted", "number"),
    [
        ("", 2),
        ("state: confirmed", 2),
        ("state: none", 0),
        ("next_step: await_check_result", 1),
        ("school: ecnu", 1),
        ("school: nobody's", 0),
        ("category: postgraduate, state: confirmed", 1),
        ("category: undergraduate, school: ecnu", 0),
        ("discrepancy: window_not_open", 1),
        ("discrepancy: none", 1),
    ],
)
def test_counted_is_who_is_all_that_is_named(failing: Told, counted: str, number: int) -> None:
    expected = ", ".join(filter(None, [counted, f"is: {number}"]))
    assert not failing(f"- {{at: 2025-09-06 14:35, expect: {{count: {{{expected}}}}}}}")
    wrong = ", ".join(filter(None, [counted, "is: 99"]))
    (failure,) = failing(f"- {{at: 2025-09-06 14:35, expect: {{count: {{{wrong}}}}}}}")
    assert failure.expected["count"]["is"] == 99
    assert failure.came["count"] == failure.expected["count"] | {"is": number}


def test_a_count_is_as_known_at_an_instant(failing: Told) -> None:
    assert not failing(
        """
        - at: 2025-09-06 14:35
          known_at: 2025-09-06 14:29
          expect: {count: {state: confirmed, is: 1}}
        - {at: 2025-09-06 14:35, known_at: 2025-08-31 12:00, expect: {count: {is: 0}}}
        - {at: 2025-08-31 12:00, expect: {count: {state: none, is: 2}}}
        """
    )


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("student: ada, expect: {count: {is: 1}}", "a count is of all students"),
        ("known_at: 3, expect: {count: {is: 1}}", "a count is as known at an instant"),
        ("expect: {count: {is: 1}, state: active}", "unknown key 'state'"),
        ("expect: {count: {state: active}}", "missing key 'is'"),
        ("expect: {count: {is: -1}}", "greater than or equal to 0"),
        ("expect: {count: {is: 1, state: happy}}", "'registered'"),
        ("expect: {count: {is: 1, category: pupil}}", "'undergraduate'"),
        ("expect: {count: {is: 1, town: shanghai}}", "unknown key 'town'"),
        ("expect: {count: 17}", "count must be a mapping"),
        ("year: 2031, expect: {count: {is: 1}}", "no edition of this story is for 2031"),
    ],
)
def test_what_is_wrong_in_a_count_is_told_with_its_place(
    failing: Told, step: str, told: str
) -> None:
    with pytest.raises(SourceError) as caught:
        failing(f"- {{at: 2025-09-06 14:35, {step}}}")
    line = CLASS.count("\n") + 1
    assert f":{line}:" in str(caught.value)
    assert told in str(caught.value)


def test_a_count_that_does_not_hold_is_told_to_people_and_as_json(run: Run, write: Write) -> None:
    path = write(CLASS + "  - {at: 2025-09-06 14:35, expect: {count: {state: confirmed, is: 1}}}\n")
    told = run("replay", path, "--json")
    assert told.exit_code == 1
    ((failure,),) = [each["failures"] for each in json.loads(told.stdout)]
    assert failure["expected"] == {"count": {"is": 1, "state": "confirmed"}}
    assert failure["came"] == {"count": {"is": 2, "state": "confirmed"}}
    assert "count: expected is: 1" in run("replay", path).stdout
    assert "人数统计" in run("replay", path, "--lang", "zh").stdout
