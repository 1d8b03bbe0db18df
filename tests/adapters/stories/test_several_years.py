"""Stories of several benefit years: which year a step is of, and what is told of each."""

import json
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

import yibao
from yibao.adapters.editions.files import Editions
from yibao.adapters.editions.yaml_source import SourceError
from yibao.adapters.stories.reading import read_story
from yibao.adapters.stories.replaying import Replay, replay

from ..conftest import Run, Write

#: A student of two autumns, who left in between and was admitted elsewhere.
TWICE = """\
title: Two autumns
policies: [shanghai-2024, shanghai-2025]
student: {ref: s1, school: sjtu, category: undergraduate, document: resident_id_card}
story:
  - id: first
    at: 2024-09-02 08:30
    register: {on: 2024-09-02}
  - id: second
    at: 2025-09-01 08:30
    year: 2025
    register: {on: 2025-09-01}
"""


def told(steps: str, write: Write, head: str = TWICE, policy: str | None = None) -> Replay:
    path = write(head + indent(dedent(steps).strip("\n") + "\n", "  "))
    return replay(read_story(path, Editions(), policy), Editions())


def as_json(run: Run, *args: object) -> Any:
    return json.loads(run(*args).stdout)


def facts_of(ran: Replay, year: int) -> list[str]:
    return [fact.name for fact in ran.service.facts(yibao.EnrollmentId("s1", year))]


def test_a_step_is_of_the_first_year_unless_it_names_another(write: Write) -> None:
    ran = told(
        """
        - at: 2025-09-05 09:00
          year: 2025
          declare_roster: {}
        - {at: 2024-09-06 09:00, recorded: 2025-09-06 09:00, declare_roster: {}}
        - {at: 2024-09-06 10:00, confirm: {channel: app}}
        """,
        write,
    )
    assert ran.failures == []
    with ran.service:
        assert facts_of(ran, 2024) == ["registered", "roster-declared", "confirmed"]
        assert facts_of(ran, 2025) == ["registered", "roster-declared"]


def test_a_second_registration_repeats_what_the_file_says_of_the_student(write: Write) -> None:
    ran = told("- {at: 2025-09-05 09:00, year: 2025, declare_roster: {}}", write)
    with ran.service as service:
        first, second = (
            service.facts(ran.story.enrollment("s1", year))[0].payload() for year in (2024, 2025)
        )
    assert (first["policy"], second["policy"]) == ("shanghai-2024", "shanghai-2025")
    assert first | {"policy": 0, "on": 0} == second | {"policy": 0, "on": 0}


def test_the_first_edition_of_the_file_is_that_of_steps_which_name_no_year(write: Write) -> None:
    head = TWICE.replace("[shanghai-2024, shanghai-2025]", "[shanghai-2025, shanghai-2024]")
    head = head.replace("2024-09-02", "2025-09-01").replace("  - id: second\n", "  - id: third\n")
    ran = told(
        "- {at: 2025-09-05 09:00, declare_roster: {}}", write, head.partition("  - id: t")[0]
    )
    assert list(ran.story.policies) == [2025, 2024]
    assert facts_of(ran, 2025) == ["registered", "roster-declared"]


def test_an_expectation_is_of_the_year_it_names(write: Write) -> None:
    ran = told(
        """
        - {at: 2025-09-02 09:00, expect: {state: lapsed}}
        - {at: 2025-09-02 09:00, year: 2025, expect: {state: registered}}
        - {at: 2025-09-02 09:00, year: 2025, known_at: 0, expect: {state: none}}
        - {at: 2025-09-02 09:00, year: 2025, expect: {state: lapsed}}
        """,
        write,
    )
    (failure,) = ran.failures
    assert (failure.place.line, failure.came) == (15, {"state": "registered"})


def test_a_correction_and_a_void_take_the_year_of_the_step_they_name(write: Write) -> None:
    ran = told(
        """
        - at: 2025-09-03 09:00
          id: again
          correct: {step: second, on: 2025-09-02}
          reason: misread
        - at: 2025-09-03 10:00
          year: 2025
          void: {step: again}
          reason: misread
        - {at: 2025-09-03 10:00, year: 2025, expect: {state: none}}
        - {at: 2024-09-03 10:00, expect: {state: registered}}
        """,
        write,
    )
    assert ran.failures == []
    assert facts_of(ran, 2025) == ["registered", "registered", "voided"]


def test_care_is_settled_and_taken_back_in_its_own_year(write: Write) -> None:
    ran = told(
        """
        - {at: 2025-09-04 09:00, year: 2025, declare_roster: {}}
        - {at: 2025-09-06 09:00, year: 2025, confirm: {channel: app}}
        - {at: 2025-09-06 09:30, year: 2025, verify_prior_coverage: {lapsed_years: 0}}
        - id: visit
          at: 2025-10-03 10:00
          year: 2025
          receive_care: {on: 2025-10-03, setting: campus_clinic, cost: 10.00}
        - {at: 2025-10-03 10:01, year: 2025, expect: {care: {step: visit, fund: 8.00}}}
        - {at: 2025-10-03 10:01, settle_care: {step: visit}}
        - {at: 2025-10-04 10:01, reverse_care: {step: visit}, reason: misread}
        """,
        write,
    )
    assert ran.failures == []
    answer = ran.answer("s1", year=2025)
    assert [str(each.fund_pays.value) for each in answer.care] == ["8.00"]
    assert ran.answer("s1").care == ()


def test_a_window_is_fixed_for_the_year_that_is_named(write: Write) -> None:
    ran = told(
        """
        - id: fix
          at: 2025-09-05 09:00
          year: 2025
          fix_window: {closes_at: 2025-09-06 15:00}
        - {at: 2025-09-05 09:00, year: 2025, declare_roster: {}}
        - at: 2025-09-06 15:00
          year: 2025
          confirm: {channel: app}
          refused: window_closed
        - {at: 2025-09-06 15:00, year: 2025, expect: {state: lapsed}}
        - at: 2025-09-07 10:00
          correct: {step: fix, closes_at: 2025-09-06 16:00}
          reason: misread
        - {at: 2025-09-06 15:00, year: 2025, expect: {state: registered}}
        - {at: 2024-12-31 23:59, expect: {state: registered}}
        """,
        write,
    )
    assert ran.failures == []


def test_a_way_to_leave_and_an_amount_are_kept_and_can_be_taken_away(write: Write) -> None:
    ran = told(
        """
        - id: left
          at: 2025-11-03 10:00
          year: 2025
          withdraw: {on: 2025-11-30, kind: graduated}
        - id: paid
          at: 2025-11-03 10:00
          year: 2025
          pay_premium: {year: 2026, amount: 400.00}
        - id: check
          at: 2025-11-03 10:00
          year: 2025
          verify_prior_coverage: {lapsed_years: 2, years_repaid: 1}
        - {at: 2025-11-04 10:00, correct: {step: left, kind: none}, reason: misread}
        - {at: 2025-11-04 10:00, correct: {step: paid, amount: 355.00}, reason: misread}
        - {at: 2025-11-04 10:00, correct: {step: check, years_repaid: none}, reason: misread}
        """,
        write,
    )
    with ran.service as service:
        values = [fact.payload() for fact in service.facts(yibao.EnrollmentId("s1", 2025))[1:]]
    assert [str(each["kind"]) for each in values[::3]] == ["graduated", "None"]
    assert [str(each["amount"]) for each in values[1::3]] == ["400.00", "355.00"]
    assert [each["years_repaid"] for each in values[2::3]] == [1, None]


PAID_AFTER_LEAVING = """\
title: Paid by somebody who had left
policies: [shanghai-2025, shanghai-2026-continuing]
student: {ref: s1, school: sjtu, category: undergraduate, document: resident_id_card}
story:
  - {at: 2025-09-01 08:30, register: {on: 2025-09-01}}
  - {at: 2025-10-16 09:00, withdraw: {on: 2025-10-20}}
  - {at: 2025-11-20 10:00, pay_premium: {year: 2026}, observed: yes}
  - {at: 2025-12-15 09:00, year: 2026, register: {on: 2025-12-15}}
  - {at: 2025-12-16 09:00, year: 2026, pay_premium: {year: 2026}, observed: yes}
"""


def test_a_discrepancy_of_another_year_names_it(write: Write, run: Run) -> None:
    path = write(PAID_AFTER_LEAVING)
    (found,) = as_json(run, "replay", path, "--json")
    assert [each["discrepancies"] for each in found["students"]] == [
        [{"code": "withdrawn", "version": 3}],
        [
            {"code": "withdrawn", "version": 3, "year": 2025},
            {"code": "already_confirmed", "version": 2},
        ],
    ]
    shown = run("show", path, "--year", 2026).stdout
    assert "2025 #3" in shown


SEVERAL = """\
title: Two of them
policies: [shanghai-2024, shanghai-2025]
students:
  ada: {ref: s1, school: sjtu, category: undergraduate, document: resident_id_card}
  bo: {ref: b1, school: sjtu, category: postgraduate, document: passport}
story:
  - {student: ada, at: 2024-09-02 08:30, register: {on: 2024-09-02}}
  - {student: bo, year: 2025, at: 2025-09-01 08:31, register: {on: 2025-09-01}}
"""


def test_every_student_is_told_of_under_every_edition_registered_or_not(
    write: Write, run: Run
) -> None:
    (found,) = as_json(run, "replay", write(SEVERAL), "--json")
    assert list(found) == ["format", "file", "title", "policies", "ok", "failures", "students"]
    assert found["policies"] == ["shanghai-2024", "shanghai-2025"]
    students = found["students"]
    assert [list(each)[:5] for each in students] == [
        ["student", "ref", "year", "policy", "state"]
    ] * 4
    assert [
        (each["student"], each["year"], each["policy"], each["state"]) for each in students
    ] == [
        ("ada", 2024, "shanghai-2024", "lapsed"),
        ("ada", 2025, "shanghai-2025", None),
        ("bo", 2024, "shanghai-2024", None),
        ("bo", 2025, "shanghai-2025", "registered"),
    ]


def test_one_edition_in_a_list_is_told_like_several(write: Write, run: Run) -> None:
    path = write(TWICE.partition("  - id: second")[0].replace(", shanghai-2025]", "]"))
    (found,) = as_json(run, "replay", path, "--json")
    assert found["policies"] == ["shanghai-2024"]
    assert [each["year"] for each in found["students"]] == [2024]


@pytest.mark.parametrize(
    "editions",
    [
        "policies: [shanghai-2024, shanghai-2025]",
        "policies: [shanghai-2024]",
        "policy: shanghai-2024",
    ],
)
def test_a_student_who_is_in_the_store_in_any_year_is_an_error(
    editions: str, write: Write, run: Run, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    first = TWICE.partition("  - id: second")[0]
    later = first.replace("policies: [shanghai-2024, shanghai-2025]", "policy: shanghai-2025")
    later = later.replace("2024-09-02", "2025-09-01")
    assert run("replay", write(later, "later.yaml"), "--store", url).exit_code == 0
    path = write(first.replace("policies: [shanghai-2024, shanghai-2025]", editions))
    result = run("replay", path, "--store", url, "--json")
    assert result.exit_code == 2
    assert ":3:10: this student is in the store already" in json.loads(result.stdout)[0]["error"]
    with yibao.open(url) as service:
        assert service.enrollments("s1") == (2025,)


OWN = """\
edition: own-2025
extends: shanghai-2025
title: {en: Our own, zh: 自编}
"""


def test_a_story_finds_the_editions_in_the_folder_beside_it(write: Write, run: Run) -> None:
    write(OWN, "stories/policies/own-2025.yaml")
    path = write(TWICE.replace("2024, shanghai-2025]", "2024, own-2025]"), "stories/story.yaml")
    (found,) = as_json(run, "replay", path.parent, "--json")
    assert found["policies"] == ["shanghai-2024", "own-2025"]
    assert [each["year"] for each in as_json(run, "explain", path, "--json")] == [2024, 2025]
    assert run("audit", path).exit_code == 0
    asked = run("quote", "--story", path, *VISIT, "--on", "2025-10-01", "--json")
    assert json.loads(asked.stdout)["pending"]


def test_another_edition_replaces_that_of_its_own_year(
    write: Write, run: Run, tmp_path: Path
) -> None:
    own = write(OWN, "editions/own-2025.yaml").parent
    path = write(TWICE)
    options = ("--policies", own, "--policy", "own-2025", "--json")
    (found,) = as_json(run, "replay", path, *options)
    assert found["ok"]
    assert found["policies"] == ["shanghai-2024", "own-2025"]
    assert [each["policy"] for each in found["students"]] == ["shanghai-2024", "own-2025"]


def test_another_edition_of_a_year_that_no_edition_of_the_file_has_is_an_error_of_it(
    write: Write, run: Run
) -> None:
    path = write(TWICE.replace(", shanghai-2025]", "]").partition("  - id: second")[0])
    result = run("replay", path, "--policy", "shanghai-2025", "--json")
    assert result.exit_code == 2
    (found,) = json.loads(result.stdout)
    assert found["error"] == f"{path}:2:11: no edition of this story is for 2025; there are 2024"


def test_people_are_told_the_year_of_each_answer_and_all_editions(write: Write, run: Run) -> None:
    shown = run("replay", write(TWICE)).stdout
    assert "(shanghai-2024, shanghai-2025)" in shown
    assert "s1 · 2024" in shown
    assert "s1 · 2025" in shown


@pytest.mark.parametrize("command", ["explain", "review", "history"])
def test_a_question_is_about_every_year_of_a_story_or_about_the_one_named(
    command: str, write: Write, run: Run
) -> None:
    path = write(TWICE)
    every = as_json(run, command, path, "--json")
    assert [(each["student"], each["year"]) for each in every] == [("s1", 2024), ("s1", 2025)]
    (one,) = as_json(run, command, path, "--json", "--year", 2025)
    assert one["year"] == 2025


def test_an_explanation_says_which_of_several_years_it_is_of(write: Write, run: Run) -> None:
    path = write(TWICE)
    told = run("explain", path).stdout.splitlines()
    heads = [line.split(" · ")[:2] for line in told if line.startswith("s1 · ")]
    assert heads == [["s1", "2024"], ["s1", "2025"]]


def test_two_states_of_knowledge_are_compared_in_each_year(write: Write, run: Run) -> None:
    every = as_json(run, "compare", write(TWICE), "--known-at", "2025-01-01", "--json")
    assert [(each["year"], each["then"]["state"], each["now"]["state"]) for each in every] == [
        (2024, "lapsed", "lapsed"),
        (2025, None, "registered"),
    ]


@pytest.mark.parametrize("command", ["show", "timeline", "history", "review"])
def test_people_can_ask_for_one_year_of_a_story(command: str, write: Write, run: Run) -> None:
    path = write(TWICE)
    both, one = run(command, path), run(command, path, "--year", 2025)
    assert (both.exit_code, one.exit_code) == (0, 0)
    assert "2024" in both.stdout
    named = "years known: 2024" if command == "show" else ""
    assert "2024" not in one.stdout.replace(named, "")
    assert named in one.stdout


def test_a_year_that_the_story_does_not_have_is_named_with_those_it_has(
    write: Write, run: Run
) -> None:
    result = run("explain", write(TWICE), "--year", 2023)
    assert result.exit_code == 2
    assert "no such year in this story; there are 2024, 2025" in result.stderr


def test_the_audit_of_a_story_names_the_year_to_explain(write: Write, run: Run) -> None:
    shown = run("audit", write(TWICE)).stdout
    assert "--year 2024" in shown
    assert "--year 2025" in shown


VISIT = ("--setting", "campus_clinic", "--cost", "10.00")


def test_a_quote_is_of_the_year_in_whose_window_the_day_lies_or_of_the_one_named(
    write: Write, run: Run
) -> None:
    path = write(TWICE)
    asked = ("quote", "--story", path, *VISIT, "--json")
    of_2024 = as_json(run, *asked, "--on", "2024-10-01")
    of_2025 = as_json(run, *asked, "--on", "2025-10-01")
    assert (of_2024["refused"], of_2025["pending"]) == ("not_enrolled", True)
    other = as_json(run, *asked, "--on", "2025-10-01", "--year", 2024)
    assert other["refused"] == "outside_benefit_year"
    wrong = run(*asked, "--on", "2025-10-01", "--year", 2023)
    assert "no such year in this story" in wrong.stderr


def test_a_year_says_nothing_where_the_story_has_one_edition(tell: Write, run: Run) -> None:
    for command in ("explain", "show", "timeline"):
        assert "--year says nothing beside FILE" in run(command, tell(), "--year", 2025).stderr
    asked = run("quote", "--story", tell(), *VISIT, "--on", "2025-10-01", "--year", 2025)
    assert "--year stands beside --store" in asked.stderr


def test_what_is_wrong_in_the_second_edition_is_told_where_that_edition_is_wrong(
    write: Write,
) -> None:
    own = write("edition: own-2025\ntitle: 1\n", "editions/own-2025.yaml").parent
    path = write(TWICE.replace("shanghai-2025", "own-2025"))
    with pytest.raises(SourceError, match=r"own-2025.yaml:"):
        read_story(path, Editions(own))
