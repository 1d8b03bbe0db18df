"""Care in stories: `receive_care`, `settle_care`, `reverse_care` and `care:` in expectations."""

import copy
import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import Result
from jsonschema_rs import Draft202012Validator

import yibao
from yibao.adapters.editions.files import Editions
from yibao.adapters.editions.yaml_source import parse, read
from yibao.adapters.shapes.schemas import replay_schema
from yibao.adapters.stories.schema import story_schema

from ..conftest import TWO, Run, Write

ROOT = Path(__file__).parents[3]
#: After the registration, on lines 8 to 16: covered from 1 September, and a bill.
COVERED = """\
- at: 2025-09-02 17:00
  declare_roster: {}
- at: 2025-09-06 14:20
  confirm: {channel: app}
- {id: check, at: 2025-09-06 14:50, verify_prior_coverage: {lapsed_years: 0}}
- id: bill
  at: 2025-10-01 17:00
  receive_care: {setting: outpatient, level: third, cost: 500.00, on: 2025-10-01}
"""
#: The line and the column of the first step after those.
NEXT = 16
SEVERAL = (
    TWO
    + """\
  - id: hers
    student: ada
    at: 2025-10-01 17:00
    receive_care: {setting: campus_clinic, cost: 10.00, on: 2025-10-01}
"""
)


def told(result: Result) -> list[dict[str, Any]]:
    parsed = json.loads(result.stdout)
    Draft202012Validator(replay_schema()).validate(parsed)
    assert isinstance(parsed, list)
    return parsed


def care(result: Result) -> list[dict[str, Any]]:
    """The care of the only student of the only story."""
    found = told(result)[0]["students"][0]["care"]
    assert isinstance(found, list)
    return found


def failures(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 1
    found = told(result)[0]["failures"]
    assert isinstance(found, list)
    return found


def steps(more: str) -> str:
    return COVERED + dedent(more).strip("\n")


#: What is wrong in a step after the bill, and where it is told.
UNREADABLE: list[tuple[str, str, str]] = [
    ("an unknown step", "settle_care: {step: bil}", "step of that name"),
    ("no step", "settle_care: {paid: 1.00}", "missing key 'step'"),
    ("a list of steps", "settle_care: {step: [bill]}", "of that name"),
    ("no care", "settle_care: {step: check}", "that step is no care"),
    ("the registration", "reverse_care: {step: registration}", "no care"),
    ("an unknown key", "settle_care: {step: bill, sum: 1}", "'sum'"),
    ("an amount reversed", "reverse_care: {step: bill, paid: 1}", "'paid'"),
    ("a key beside it", "settle_care: {step: bill}, paid: 1", "paid"),
    ("less than nothing", "settle_care: {step: bill, paid: -1.00}", "yuan"),
    ("three decimals", "settle_care: {step: bill, paid: 1.005}", "yuan"),
    ("words", "settle_care: {step: bill, paid: much}", "two decimals"),
    ("a list paid", "settle_care: {step: bill, paid: [1]}", "amount"),
    ("not a number", "settle_care: {step: bill, paid: .nan}", "yuan"),
    ("a reversal asked for", "reverse_care: {step: bill}, observed: yes", ""),
    ("two commands", "settle_care: {step: bill}, reverse_care: {step: bill}", ""),
    ("a code nobody knows", "settle_care: {step: bill}, refused: no", ""),
    (
        "a bill below zero",
        "receive_care: {setting: campus_clinic, cost: -1, on: 2025-10-01}",
        "yuan",
    ),
    (
        "a bill in words",
        "receive_care: {setting: campus_clinic, cost: ten, on: 2025-10-01}",
        "yuan",
    ),
    ("no cost", "receive_care: {setting: campus_clinic, on: 2025-10-01}", "'cost'"),
    ("no level", "receive_care: {setting: outpatient, cost: 1, on: 2025-10-01}", "needs the level"),
    (
        "a clinic's level",
        "receive_care: {setting: campus_clinic, level: first, cost: 1, on: 2025-10-01}",
        "no level",
    ),
    ("an unknown place", "receive_care: {setting: home, cost: 1, on: 2025-10-01}", ""),
    ("no such day", "receive_care: {setting: campus_clinic, cost: 1, on: 2025-02-30}", "day"),
    ("a corrected amount", "correct: {step: bill, cost: 1.005}, reason: x", "yuan"),
    ("a level corrected away", "correct: {step: bill, level: none}, reason: x", "level"),
    ("expected of nothing", "expect: {care: {fund: 1.00}}", "'step'"),
    ("expected of no care", "expect: {care: {step: check}}", "no care of this"),
    ("expected of no step", "expect: {care: {step: bil}}", "of that name"),
    ("an unknown expectation", "expect: {care: {step: bill, paid: 1}}", "'paid'"),
    ("an amount expected", "expect: {care: {step: bill, fund: 1.001}}", ""),
    ("a settlement expected", "expect: {care: {step: bill, settlement: cash}}", ""),
    ("a refusal expected", "expect: {care: {step: bill, refused: never}}", ""),
    ("a word for care", "expect: {care: none}", ""),
]


@pytest.mark.parametrize(
    ("step", "said"), [case[1:] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE]
)
def test_what_is_wrong_with_care_in_a_story_is_told_with_line_and_column(
    step: str, said: str, tell: Write, run: Run, tmp_path: Path
) -> None:
    step = f"{{at: 2025-10-05 10:00, {step}}}"
    path, store = tell(steps(f"- {step}")), tmp_path / "facts.db"
    result = run("replay", path, "--json", "--store", f"sqlite:///{store}")
    assert result.exit_code == 2
    (found,) = told(result)
    place, error = found["error"].removeprefix(f"{path}:").split(": ", 1)
    line, column = place.split(":")
    assert int(line) == NEXT
    assert 5 <= int(column) <= len(step) + 5
    assert said in error
    # Nothing of such a file is run.
    assert not store.exists()


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ("settle_care: {step: nowhere}", "18:25"),
        ("settle_care: {step: bill, paid: -1.00}", "18:37"),
        ("settle_care: {step: bill, sum: 1.00}", "18:31"),
        ("reverse_care: {step: check}", "18:26"),
        ("observed: yes\n  reverse_care: {step: bill}", "18:5"),
    ],
)
def test_the_place_of_a_mistake_is_its_column(step: str, place: str, tell: Write, run: Run) -> None:
    path = tell(COVERED + f"- id: last\n  at: 2025-10-01 18:00\n  {step}")
    result = run("replay", path, "--json")
    assert result.exit_code == 2
    assert told(result)[0]["error"].startswith(f"{path}:{place}: ")


def test_another_students_care_is_neither_settled_nor_expected(write: Write, run: Run) -> None:
    for step, place in (
        ("{student: bo, at: 2025-10-01 18:00, settle_care: {step: hers}}", "13:15"),
        ("{student: bo, at: 2025-10-01 18:00, reverse_care: {step: hers}}", "13:15"),
        ("{student: bo, at: 2025-10-01 18:00, expect: {care: {step: hers, fund: 8.00}}}", "13:63"),
        ("{student: eve, at: 2025-10-01 18:00, settle_care: {step: hers}}", "13:15"),
    ):
        path = write(f"{SEVERAL}  - {step}\n")
        result = run("replay", path, "--json")
        assert result.exit_code == 2
        assert told(result)[0]["error"].startswith(f"{path}:{place}: ")


def test_who_is_not_named_settles_the_care_of_whoever_received_it(write: Write, run: Run) -> None:
    path = write(
        SEVERAL + "  - {at: 2025-10-01 18:00, observed: yes, settle_care: {step: hers, paid: 8}}\n"
    )
    result = run("replay", path, "--json")
    assert result.exit_code == 0
    ada, bo = told(result)[0]["students"]
    assert ada["care"][0]["settled"]["fund_paid"] == "8.00"
    assert bo["care"] == []


def test_a_step_that_was_refused_is_settled_no_more(tell: Write, run: Run) -> None:
    path = tell("""
        - id: paid
          at: 2025-10-01 17:00
          receive_care: {setting: campus_clinic, cost: 10.00, on: 2025-10-01}
        - id: settlement
          at: 2025-10-01 17:05
          settle_care: {step: paid}
          refused: cover_pending
        - at: 2025-10-01 17:10
          reverse_care: {step: settlement}
    """)
    result = run("replay", path, "--json")
    assert result.exit_code == 2
    assert told(result)[0]["error"].startswith(f"{path}:16:26: ")
    assert "that step was refused" in told(result)[0]["error"]


def test_a_step_of_care_that_fails_is_told_with_what_was_expected_and_what_came(
    tell: Write, run: Run
) -> None:
    path = tell(
        steps("""
        - {id: too_much, at: 2025-10-01 17:05, settle_care: {step: bill, paid: 500.01}}
        - {at: 2025-10-01 17:10, settle_care: {step: bill}, refused: cover_pending}
        - {at: 2025-10-01 17:15, settle_care: {step: bill}}
        - {at: 2025-10-01 17:20, settle_care: {step: bill}, refused: cover_pending}
        - {at: 2025-10-01 17:25, reverse_care: {step: too_much}}
        - {at: 2025-10-01 17:30, reverse_care: {step: bill}}
        - {at: 2025-10-01 17:35, reverse_care: {step: bill}}
        """)
    )
    found = failures(run("replay", path, "--json"))
    assert [(each["line"], each["expected"], each["came"]) for each in found] == [
        (16, {"refused": None}, {"refused": "bad_value"}),
        (17, {"refused": "cover_pending"}, {"refused": None}),
        (18, {"refused": None}, {"refused": "already_settled"}),
        (19, {"refused": "cover_pending"}, {"refused": "already_settled"}),
        (20, {"refused": None}, {"refused": "no_such_fact"}),
        (22, {"refused": None}, {"refused": "not_settled"}),
    ]
    assert found[0]["step"] == "too_much"
    assert all(each["why"] for each in found)


def test_an_expectation_of_care_that_does_not_hold_is_told_with_the_keys_it_names(
    tell: Write, run: Run
) -> None:
    path = tell(
        steps("""
        - {at: 2025-10-02 10:00, expect: {care: {step: bill, fund: 100.01, patient: 400.00}}}
        - {at: 2025-10-02 10:00, expect: {care: {step: bill, deductible_left: 1.00}}}
        - {at: 2025-10-02 10:00, expect: {care: {step: bill, settlement: claim}}}
        - {at: 2025-10-02 10:00, expect: {care: {step: bill, settlement: none}}}
        - {at: 2025-10-02 10:00, expect: {care: {step: bill, refused: before_window}}}
        - {at: 2025-10-02 10:00, expect: {care: {step: bill, fund: pending}}}
        - {at: 2025-10-02 10:00, expect: {state: registered, care: {step: bill, fund: 100.00}}}
        - {at: 2025-10-02 10:00, known_at: 4, expect: {care: {step: bill, fund: 100.00}}}
        """)
    )
    found = [(each["expected"], each["came"]) for each in failures(run("replay", path, "--json"))]
    bill: dict[str, Any] = {"step": "bill"}
    assert found == [
        (
            {"care": bill | {"fund": "100.01", "patient": "400.00"}},
            {"care": bill | {"fund": "100.00", "patient": "400.00"}},
        ),
        (
            {"care": bill | {"deductible_left": "1.00"}},
            {"care": bill | {"deductible_left": "0.00"}},
        ),
        ({"care": bill | {"settlement": "claim"}}, {"care": bill | {"settlement": "direct"}}),
        ({"care": bill | {"settlement": None}}, {"care": bill | {"settlement": "direct"}}),
        ({"care": bill | {"refused": "before_window"}}, {"care": bill | {"refused": None}}),
        ({"care": bill | {"fund": "pending"}}, {"care": bill | {"fund": "100.00"}}),
        ({"state": "registered"}, {"state": "active"}),
        ({"care": bill | {"fund": "100.00"}}, {"care": None}),
    ]


def test_expectations_of_care_hold_for_what_is_settled_refused_pending_and_taken_back(
    tell: Write, run: Run
) -> None:
    path = tell("""
        - {id: early, at: 2025-09-03 17:00, receive_care: {setting: campus_clinic, cost: 10, on: 2025-09-03}}
        - {at: 2025-09-03 18:00, expect: {care: {step: early, fund: pending, patient: pending, settlement: none, refused: none}}}
        - {at: 2025-09-03 18:05, settle_care: {step: early}, refused: cover_pending}
        - {at: 2025-09-04 17:00, declare_roster: {}}
        - {at: 2025-09-06 14:20, confirm: {channel: app}}
        - {at: 2025-09-06 14:50, verify_prior_coverage: {lapsed_years: 0}}
        - {at: 2025-09-06 15:00, expect: {care: {step: early, fund: 8.00, settlement: claim}}}
        - {id: paid, at: 2025-09-07 10:00, by: counter-2, note: by phone, settle_care: {step: early, paid: 7.5}}
        - {at: 2025-09-07 10:05, reverse_care: {step: paid}, reason: wrong-account}
        - {id: year, at: 2025-10-01 10:00, receive_care: {setting: campus_clinic, cost: 10, on: 2026-01-01}}
        - {at: 2025-10-01 10:05, settle_care: {step: year}, refused: outside_benefit_year}
        - {at: 2025-10-01 10:06, settle_care: {step: year, paid: 1.00}, observed: yes, recorded: 2025-10-03 10:00}
        - {at: 2025-10-04 10:00, expect: {care: {step: year, fund: 0.00, refused: outside_benefit_year}}}
    """)  # noqa: E501
    result = run("replay", path, "--json")
    assert (result.exit_code, told(result)[0]["failures"]) == (0, [])
    early, year = care(result)
    assert early["settled"] is None
    assert (year["settled"]["at"], year["settled"]["fund_paid"]) == (
        "2025-10-01T10:06:00+08:00",
        "1.00",
    )


def test_care_is_told_field_by_field(tell: Write, run: Run) -> None:
    path = tell(
        steps("""
        - {at: 2025-10-01 17:30, settle_care: {step: bill, paid: 99.50}}
        - id: second
          at: 2025-10-02 17:00
          receive_care: {setting: campus_clinic, cost: 12.5, total_cost: 20.00, on: 2025-10-02}
        - at: 2025-10-02 17:00
          receive_care: {setting: inpatient, level: first, cost: 80, on: 2025-08-31}
        """)
    )
    result = run("replay", path, "--json")
    policy = Editions().get("shanghai-2025")
    assert care(result) == [
        {
            "on": "2025-10-01",
            "setting": "outpatient",
            "level": "third",
            "cost": "500.00",
            "fund_pays": "100.00",
            "patient_pays": "400.00",
            "deductible_used": "300.00",
            "cap_left": None,
            "settlement": "direct",
            "refused": None,
            "pending": False,
            "settled": {
                "at": "2025-10-01T17:30:00+08:00",
                "fund_pays": "100.00",
                "patient_pays": "400.00",
                "deductible_used": "300.00",
                "fund_paid": "99.50",
                "settlement": "direct",
                "enrollment_version": 4,
                "edition": "shanghai-2025",
                "edition_digest": policy.digest,
                "benefits_digest": policy.benefits_digest,
            },
        },
        {
            "on": "2025-10-02",
            "setting": "campus_clinic",
            "level": None,
            "cost": "12.50",
            "fund_pays": "10.00",
            "patient_pays": "2.50",
            "deductible_used": "0.00",
            "cap_left": None,
            "settlement": "direct",
            "refused": None,
            "pending": False,
            "settled": None,
        },
        {
            "on": "2025-08-31",
            "setting": "inpatient",
            "level": "first",
            "cost": "80.00",
            "fund_pays": "0.00",
            "patient_pays": "80.00",
            "deductible_used": "0.00",
            "cap_left": None,
            "settlement": None,
            "refused": "outside_benefit_year",
            "pending": False,
            "settled": None,
        },
    ]


def test_pending_care_says_that_it_is_and_knows_no_settlement(tell: Write, run: Run) -> None:
    path = tell("""
        - at: 2025-10-01 17:00
          receive_care: {setting: village_clinic, cost: 10.00, on: 2025-10-01}
    """)
    (found,) = care(run("replay", path, "--json"))
    assert (found["pending"], found["refused"], found["settlement"]) == (True, None, None)
    (lapsed,) = care(run("replay", path, "--json", "--at", "2026-01-01 00:00"))
    assert (lapsed["pending"], lapsed["refused"]) == (False, "not_enrolled")
    assert care(run("replay", path, "--json", "--known-at", "1")) == []


def test_the_care_of_a_story_is_told_as_it_was_known(tell: Write, run: Run) -> None:
    path = tell(
        steps("""
        - {at: 2025-10-01 18:00, settle_care: {step: bill}}
        - {at: 2025-10-02 18:00, correct: {step: bill, cost: 400.00}, reason: misread}
        - {at: 2025-10-03 18:00, void: {step: bill}, reason: misread, refused: superseded}
        """)
    )
    for known_at, expected in (
        ("2025-10-01 16:59", []),
        ("2025-10-01 17:00", [("100.00", False)]),
        ("2025-10-01 18:00", [("100.00", True)]),
        ("2025-10-02 18:00", [("50.00", True)]),
    ):
        found = care(run("replay", path, "--json", "--known-at", known_at))
        assert [(each["fund_pays"], each["settled"] is not None) for each in found] == expected


def test_a_story_with_care_is_recorded_in_a_store_and_stays_there(
    tell: Write, run: Run, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    path = tell(
        steps("- {at: 2025-10-01 18:00, recorded: 2025-10-05 09:00, settle_care: {step: bill}}")
    )
    assert run("replay", path, "--store", url).exit_code == 0
    with yibao.open(url) as service:
        received, settled = service.care_facts(yibao.EnrollmentId("s1", 2025))
    assert (received.name, settled.name, settled.via) == ("care-received", "care-settled", "replay")
    assert settled.recorded_at.isoformat() == "2025-10-05T09:00:00+08:00"
    assert run("replay", path, "--store", url).exit_code == 2


def test_a_person_reads_care_in_both_languages(tell: Write, run: Run) -> None:
    path = tell(
        steps("""
        - {at: 2025-10-01 18:00, settle_care: {step: bill, paid: 99.50}}
        - {at: 2025-10-01 18:00, receive_care: {setting: campus_clinic, cost: 7.00, on: 2025-08-31}}
        """)
    )
    text = run("replay", path).stdout
    for said in ("500.00", "100.00", "400.00", "99.50", "7.00", "outside the benefit year"):
        assert said in text
    chinese = run("replay", path, "--lang", "zh").stdout
    assert "99.50" in chinese
    assert "the fund" not in chinese


def validator() -> Draft202012Validator:
    return Draft202012Validator(story_schema())


STORIES = sorted((ROOT / "scenarios" / "care").glob("*.yaml"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_every_story_of_care_fits_the_schema_holds_and_is_told_in_shape(
    path: Path, run: Run
) -> None:
    validator().validate(read(path).data)
    result = run("replay", path, "--json")
    assert result.exit_code == 0
    assert any(student["care"] for student in told(result)[0]["students"])


@pytest.mark.parametrize(
    ("action", "change"),
    [
        ("settle_care", {"step": None}),
        ("settle_care", {"sum": "1.00"}),
        ("settle_care", {"paid": ["1.00"]}),
        ("reverse_care", {"paid": "1.00"}),
        ("receive_care", {"cost": None}),
        ("receive_care", {"cost": "-1.00"}),
        ("receive_care", {"cost": "1.005"}),
        ("receive_care", {"setting": "home"}),
        ("receive_care", {"level": "fourth"}),
        ("receive_care", {"fund": "1.00"}),
        ("expect", {"care": {"fund": "1.00"}}),
        ("expect", {"care": {"step": "bill", "fund": "soon"}}),
        ("expect", {"care": {"step": "bill", "fund": "1.005"}}),
        ("expect", {"care": {"step": "bill", "settlement": "cash"}}),
        ("expect", {"care": {"step": "bill", "refused": "never"}}),
        ("expect", {"care": {"step": "bill", "paid": "1.00"}}),
    ],
    ids=str,
)
def test_what_is_wrong_with_care_does_not_fit_the_schema_of_stories(
    action: str, change: dict[str, Any]
) -> None:
    """The values changed, None taken away, in a story that fits without the change."""
    text = """
        title: A story
        policy: shanghai-2025
        student: {ref: s1, school: sjtu, category: undergraduate, document: resident_id_card}
        story:
          - at: 2025-10-01 17:00
            id: bill
            receive_care: {setting: outpatient, level: third, cost: 1.00, on: 2025-10-01}
          - {at: 2025-10-01 18:00, settle_care: {step: bill, paid: 1.00}}
          - {at: 2025-10-01 18:00, reverse_care: {step: bill}, reason: misread}
          - {at: 2025-10-01 18:00, expect: {care: {step: bill, fund: 0.00}}}
    """
    right = parse(dedent(text).encode(), "story.yaml").data
    validator().validate(right)
    wrong = copy.deepcopy(right)
    (step,) = [step for step in wrong["story"] if action in step]
    body = step[action] | change
    step[action] = {key: value for key, value in body.items() if value is not None}
    assert not validator().is_valid(wrong)


def test_the_schema_of_replays_refuses_care_of_another_shape(tell: Write, run: Run) -> None:
    right = told(
        run("replay", tell(steps("- {at: 2025-10-01 18:00, settle_care: {step: bill}}")), "--json")
    )
    shape = Draft202012Validator(replay_schema())
    for where, key, value in (
        ("care", "pending", "no"),
        ("care", "cost", 500),
        ("care", "level", 3),
        ("settled", "fund_paid", None),
        ("settled", "enrollment_version", "four"),
    ):
        wrong = copy.deepcopy(right)
        found = wrong[0]["students"][0]["care"][0]
        (found if where == "care" else found["settled"])[key] = value
        assert not shape.is_valid(wrong), (where, key)


def test_care_may_be_named_by_the_step_that_corrected_it(tell: Write, run: Run) -> None:
    again = """\
- {id: again, at: 2025-10-02 09:00, correct: {step: bill, cost: 400.00}, reason: misread}
- {at: 2025-10-02 10:00, expect: {care: {step: again, fund: 50.00}}}
- {at: 2025-10-02 10:00, expect: {care: {step: bill, fund: 50.00}}}
"""
    result = run("replay", tell(COVERED + again), "--json")
    assert told(result)[0]["failures"] == []


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("fund: 50.01", "the fund pays 100.00, the patient 400.00"),
        ("refused: before_window", "settled at once"),
    ],
)
def test_a_failed_expectation_of_care_says_why(step: str, why: str, tell: Write, run: Run) -> None:
    expected = f"- {{at: 2025-10-02 10:00, expect: {{care: {{step: bill, {step}}}}}}}\n"
    (failure,) = told(run("replay", tell(COVERED + expected), "--json"))[0]["failures"]
    assert why in failure["why"]
    assert "R27" in failure["why"]
