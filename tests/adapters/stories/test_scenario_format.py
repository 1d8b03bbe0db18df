"""The format of a story: whatever is wrong in a file is told with file, line and column."""

from datetime import datetime
from pathlib import Path

import pytest

from yibao.adapters.editions.files import Editions
from yibao.adapters.editions.yaml_source import SourceError
from yibao.adapters.stories.reading import read_story, story_files
from yibao.adapters.stories.replaying import Replay, replay
from yibao.domain.calendar import SHANGHAI, read_instant
from yibao.domain.vocabulary import PENDING

from ..conftest import Run, Write

BAD = story_files(Path(__file__).parents[2] / "scenarios")

#: What is wrong, the steps after the registration (from line 8, column 5), and the place.
WRONG_STEPS = [
    (
        "a command nobody knows",
        "- at: 2025-09-02 10:00\n  confrim: {}",
        "9:5: unknown key 'confrim'",
    ),
    (
        "a key of another command",
        "- at: 2025-09-02 10:00\n  confirm: {on: 2025-09-02}",
        "9:15: unk",
    ),
    ("a step without at", "- declare_roster: {}", "8:5: missing key 'at'"),
    ("a day where an instant belongs", "- at: 2025-09-02\n  declare_roster: {}", "8:9: an instant"),
    (
        "a time without its leading zero",
        "- at: 2025-09-02 9:00\n  declare_roster: {}",
        "8:9: an inst",
    ),
    (
        "an hour that does not exist",
        "- at: 2025-09-02 24:01\n  declare_roster: {}",
        "8:9: hour must",
    ),
    ("a step that is only a word", "- declare_roster", "8:5: a step must be a mapping"),
    (
        "a command without its braces",
        "- at: 2025-09-02 10:00\n  declare_roster:",
        "9:20: declare_roster",
    ),
    (
        "a registration with its own school",
        "- at: 2025-09-02 10:00\n  register: {on: 2025-09-01, school: fudan}",
        "9:32: unknown key 'school'",
    ),
    (
        "a cut-off on a command",
        "- at: 2025-09-02 10:00\n  known_at: 1\n  declare_roster: {}",
        "9:5: unknown key 'known_at'",
    ),
    (
        "observed that is neither yes nor no",
        "- at: 2025-09-02 10:00\n  declare_roster: {}\n  observed: perhaps",
        "10:15: input should be a valid boolean",
    ),
    (
        "a refusal with an unknown code",
        "- at: 2025-09-02 10:00\n  declare_roster: {}\n  refused: too_late",
        "10:14: input should be 'not_registered'",
    ),
    (
        "a reason that is a sentence",
        "- at: 2025-09-02 10:00\n  declare_roster: {}\n  reason: The counter was closed",
        "10:13: string should match",
    ),
    (
        "an actor with a phone number",
        "- at: 2025-09-02 10:00\n  declare_roster: {}\n  by: '13812345678'",
        "10:9: looks like an identity card or phone number",
    ),
    (
        "two steps of one name",
        "- id: registration\n  at: 2025-09-02 10:00\n  declare_roster: {}",
        "8:9: another step has this id",
    ),
    (
        "a student nobody introduced",
        "- student: zoe\n  at: 2025-09-02 10:00\n  declare_roster: {}",
        "8:14: no such student",
    ),
    (
        "a negative number of lapsed years",
        "- at: 2025-09-06 10:00\n  verify_prior_coverage: {lapsed_years: -1}",
        "9:43: input should be greater",
    ),
    (
        "a window without an end",
        "- at: 2025-09-02 10:00\n  fix_window: {school: sjtu}",
        "9:17: needs opens_on, opens_at, closes_on or closes_at",
    ),
    (
        "a window that opens twice",
        "- at: 2025-09-02 10:00\n  fix_window: {opens_on: 2025-09-06, opens_at: 2025-09-06 09:00}",
        "9:17: give either opens_on or opens_at",
    ),
    (
        "a window that closes after the benefit year",
        "- at: 2025-09-02 10:00\n  fix_window: {closes_on: 2026-01-01}",
        "9:29: lies after the benefit year",
    ),
    (
        "a window that closes before it opens",
        "- at: 2025-09-02 10:00\n  fix_window: {opens_on: 2025-10-02, closes_on: 2025-10-01}",
        "9:51: lies before the window opens",
    ),
    (
        "a phone number for a reason",
        "- at: 2025-09-02 10:00\n  reason: 138-1234-5678\n  declare_roster: {}",
        "9:13: looks like an identity card or phone number",
    ),
    (
        "a document number for a province",
        "- at: 2025-09-02 10:00\n  file_remote_care: {province: 310101 1990 0101 1234}",
        "9:34: looks like an identity card or phone number",
    ),
    (
        "an offset of sixty minutes",
        "- at: 2025-09-02 10:00+08:60\n  declare_roster: {}",
        "8:9: an instant is written",
    ),
    ("an expectation of nothing", "- at: 2025-09-02 10:00\n  expect: {}", "9:13: expects nothing"),
    (
        "an expectation of a misspelt part",
        "- at: 2025-09-02 10:00\n  expect: {stat: active}",
        "9:14: unknown key 'stat'",
    ),
    (
        "an expectation of an unknown state",
        "- at: 2025-09-02 10:00\n  expect: {state: enrolled}",
        "9:21: input should be 'registered'",
    ),
    (
        "an expectation of an unknown next step",
        "- at: 2025-09-02 10:00\n  expect: {next_step: wait}",
        "9:25: input should be 'none', 'await_registration_day'",
    ),
    (
        "discrepancies that are not a list",
        "- at: 2025-09-02 10:00\n  expect: {discrepancies: none}",
        "9:29: ",
    ),
    (
        "an unknown discrepancy",
        "- at: 2025-09-02 10:00\n  expect: {discrepancies: [too_late]}",
        "9:30: input should be 'not_registered'",
    ),
    (
        "a window without an end to expect",
        "- at: 2025-09-02 10:00\n  expect: {coverage: {from: 2025-09-01}}",
        "9:24: ",
    ),
    (
        "an expectation that is recorded",
        "- at: 2025-09-02 10:00\n  recorded: 2025-09-02 10:00\n  expect: {state: registered}",
        "9:5: unknown key 'recorded'",
    ),
    (
        "an expectation with a name",
        "- at: 2025-09-02 10:00\n  id: first\n  expect: {state: registered}",
        "9:5: unknown key 'id'",
    ),
    (
        "a cut-off that is only a day",
        "- at: 2025-09-02 10:00\n  known_at: 2025-09-02\n  expect: {state: registered}",
        "9:15: an instant",
    ),
    (
        "a correction that names no step",
        "- at: 2025-09-02 10:00\n  correct: {on: 2025-09-02}\n  reason: misread",
        "9:14: missing key 'step'",
    ),
    (
        "a correction of a later step",
        "- at: 2025-09-02 10:00\n  correct: {step: roster}\n  reason: misread\n"
        "- id: roster\n  at: 2025-09-02 11:00\n  declare_roster: {}",
        "9:21: no earlier step of that name",
    ),
    (
        "a correction of who it is about",
        "- at: 2025-09-02 10:00\n  correct: {step: registration, ref: s2}\n  reason: misread",
        "9:35: unknown key 'ref'",
    ),
    (
        "a correction to an impossible day",
        "- at: 2025-09-02 10:00\n  correct: {step: registration, on: 2025-02-30}\n"
        "  reason: misread",
        "9:39: day is out of range",
    ),
    (
        "a correction to an unknown category",
        "- at: 2025-09-02 10:00\n  correct: {step: registration, category: guest}\n"
        "  reason: misread",
        "9:45: input should be 'undergraduate'",
    ),
    (
        "a correction that takes a required value away",
        "- at: 2025-09-02 10:00\n  correct: {step: registration, on: none}\n  reason: misread",
        "9:39: missing key 'on'",
    ),
    (
        "a correction that takes the school of a registration away",
        "- at: 2025-09-02 10:00\n  correct: {step: registration, school: none}\n  reason: misread",
        "9:43: missing key 'school'",
    ),
    (
        "a correction that takes the instant away",
        "- at: 2025-09-02 10:00\n  correct: {step: registration, at: none}\n  reason: misread",
        "9:39: an instant",
    ),
    (
        "a correction to an instant after the correction",
        "- at: 2025-09-02 10:00\n  correct: {step: registration, at: 2025-09-02 10:01}\n"
        "  reason: misread",
        "9:39: later than the correction is recorded",
    ),
    (
        "a correction that claims to be a report",
        "- at: 2025-09-02 10:00\n  correct: {step: registration}\n  reason: misread\n"
        "  observed: yes",
        "11:5: unknown key 'observed'",
    ),
    (
        "a correction of a void",
        "- id: gone\n  at: 2025-09-02 10:00\n  void: {step: registration}\n  reason: misread\n"
        "- at: 2025-09-02 11:00\n  correct: {step: gone, on: 2025-09-02}\n  reason: misread",
        "13:21: ",
    ),
    (
        "a correction recorded before it is made",
        "- at: 2025-09-02 10:00\n  recorded: 2025-09-02 09:59\n"
        "  correct: {step: registration}\n  reason: misread",
        "9:15: recorded before it happened",
    ),
    (
        "a void of some value",
        "- at: 2025-09-02 10:00\n  void: {step: registration, on: 2025-09-01}\n  reason: misread",
        "9:32: unknown key 'on'",
    ),
    (
        "a correction that leaves a window without an end",
        "- id: fix\n  at: 2025-09-02 10:00\n  fix_window: {closes_on: 2025-12-19}\n"
        "- at: 2025-09-02 11:00\n  correct: {step: fix, closes_on: none}\n  reason: misread",
        "12:14: needs opens_on, opens_at, closes_on or closes_at",
    ),
    (
        "a correction to a window that closes too late",
        "- id: fix\n  at: 2025-09-02 10:00\n  fix_window: {closes_on: 2025-12-19}\n"
        "- at: 2025-09-02 11:00\n  correct: {step: fix, closes_on: 2026-01-19}\n  reason: misread",
        "12:37: lies after the benefit year",
    ),
]

STUDENT = "student: {ref: s1, school: sjtu, category: undergraduate, document: resident_id_card}"
REGISTERS = "story: [{at: 2025-09-01 08:30, register: {on: 2025-09-01}}]"

#: What is wrong, the whole file, and the place.
WRONG_HEADS = [
    ("no title", f"policy: shanghai-2025\n{STUDENT}\n{REGISTERS}", "1:1: missing key 'title'"),
    (
        "an empty title",
        f"title:\npolicy: shanghai-2025\n{STUDENT}\n{REGISTERS}",
        "1:7: title must be",
    ),
    ("no policy", f"title: T\n{STUDENT}\n{REGISTERS}", "1:1: missing key 'policy'"),
    ("no story", f"title: T\npolicy: shanghai-2025\n{STUDENT}", "1:1: missing key 'story'"),
    (
        "a story without steps",
        f"title: T\npolicy: shanghai-2025\n{STUDENT}\nstory: []",
        "4:8: a story must be a list of steps",
    ),
    (
        "a key nobody knows",
        f"title: T\nauthor: me\npolicy: shanghai-2025\n{STUDENT}\n{REGISTERS}",
        "2:1: unknown key 'author'",
    ),
    (
        "rules that are not a list",
        f"title: T\nrules: R1\npolicy: shanghai-2025\n{STUDENT}\n{REGISTERS}",
        "2:8: rules must be a list",
    ),
    (
        "an edition nobody has",
        f"title: T\npolicy: shanghai-1999\n{STUDENT}\n{REGISTERS}",
        "2:9: no edition 'shanghai-1999'",
    ),
    (
        "nobody it is about",
        f"title: T\npolicy: shanghai-2025\n{REGISTERS}",
        "1:1: a story needs either",
    ),
    (
        "one student and several",
        f"title: T\npolicy: shanghai-2025\n{STUDENT}\nstudents: {{}}\n{REGISTERS}",
        "1:1: a story needs either",
    ),
    (
        "several students that are none",
        f"title: T\npolicy: shanghai-2025\nstudents: {{}}\n{REGISTERS}",
        "3:11: a story needs a student",
    ),
    (
        "a student without a document",
        "title: T\npolicy: shanghai-2025\n"
        f"student: {{ref: s1, school: sjtu, category: undergraduate}}\n{REGISTERS}",
        "3:10: missing key 'document'",
    ),
    (
        "a student with a name",
        "title: T\npolicy: shanghai-2025\n"
        "student: {name: Ada, ref: s1, school: sjtu, category: foreign, document: passport}\n"
        + REGISTERS,
        "3:11: unknown key 'name'",
    ),
    (
        "an identity card number for a ref",
        "title: T\npolicy: shanghai-2025\n"
        "student: {ref: 11010119900307775X, school: sjtu, category: foreign, document: passport}\n"
        + REGISTERS,
        "3:16: looks like an identity card or phone number; use an opaque key",
    ),
    (
        "two students with one ref",
        "title: T\npolicy: shanghai-2025\nstudents:\n"
        "  ada: {ref: s1, school: sjtu, category: undergraduate, document: passport}\n"
        f"  bo: {{ref: s1, school: sjtu, category: undergraduate, document: passport}}\n"
        f"{REGISTERS}",
        "5:13: two students with one ref",
    ),
]

SEVERAL = """\
title: Two of them
policy: shanghai-2025
students:
  ada: {ref: a1, school: sjtu, category: undergraduate, document: resident_id_card}
  bo: {ref: b1, school: sjtu, category: postgraduate, document: passport}
story:
  - {id: ada_comes, student: ada, at: 2025-09-01 08:30, register: {on: 2025-09-01}}
  - {student: bo, at: 2025-09-01 08:31, register: {on: 2025-09-01}}
"""


def refusal(path: Path) -> str:
    """What reading the file says, without the file's name."""
    with pytest.raises(SourceError) as caught:
        read_story(path, Editions())
    told = str(caught.value)
    assert told.startswith(f"{path}:")
    return told.removeprefix(f"{path}:")


def replaying(path: Path) -> Replay:
    editions = Editions()
    ran = replay(read_story(path, editions), editions)
    ran.service.close()
    return ran


def recorded_at(path: Path) -> list[str]:
    """When each fact of a story was recorded."""
    editions = Editions()
    ran = replay(read_story(path, editions), editions)
    with ran.service as service:
        assert ran.failures == []
        return [
            f"{event.recorded_at:%m-%d %H:%M}"
            for event in service.facts(ran.story.enrollment("s1"))
        ]


@pytest.mark.parametrize("file", BAD, ids=[file.stem for file in BAD])
def test_the_bad_examples_fail_where_their_last_line_says(file: Path) -> None:
    said = file.read_text(encoding="utf-8").splitlines()[-1]
    assert refusal(file).startswith(said.removeprefix("# "))


@pytest.mark.parametrize(
    ("steps", "said"), [case[1:] for case in WRONG_STEPS], ids=[case[0] for case in WRONG_STEPS]
)
def test_a_step_is_refused_at_its_line_and_column_for(steps: str, said: str, tell: Write) -> None:
    assert refusal(tell(steps)).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"), [case[1:] for case in WRONG_HEADS], ids=[case[0] for case in WRONG_HEADS]
)
def test_a_head_is_refused_at_its_line_and_column_for(text: str, said: str, write: Write) -> None:
    assert refusal(write(text)).startswith(said)


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (
            "coverage: {from: 2025-09-01, to: 2025-12-31, until: x}",
            "9:59: unknown key 'until'",
        ),
        ("coverage: {from: 2025-09-01, to: 2025-02-30}", "9:47: day is out of range"),
        ("account_built_on: 2025-02-30", "9:32: day is out of range"),
    ],
)
def test_an_expected_value_is_refused_for_what_is_wrong_in_it(
    expected: str, said: str, tell: Write
) -> None:
    assert refusal(tell(f"- at: 2025-09-02 10:00\n  expect: {{{expected}}}")).startswith(said)


def test_a_column_counts_characters_not_bytes(tell: Write) -> None:
    path = tell("- {at: 2025-09-02 10:00, note: 学校已申报, hurry: yes, declare_roster: {}}")
    assert refusal(path).startswith("8:41: unknown key 'hurry'")


def test_what_is_wrong_is_told_without_repeating_the_value(tell: Write) -> None:
    assert "13812345678" not in refusal(
        tell("- at: 2025-09-02 10:00\n  declare_roster: {}\n  by: '13812345678'")
    )


def test_nothing_of_a_bad_file_is_run(tell: Write, run: Run, tmp_path: Path) -> None:
    store = tmp_path / "facts.db"
    good = tell(name="good.yaml")
    bad = tell(
        "- at: 2025-09-02 10:00\n  declare_roster: {}\n- at: 2025-09-02 11:00\n  confrim: {}",
        name="bad.yaml",
    )
    assert run("replay", bad, "--store", f"sqlite:///{store}").exit_code == 2
    assert not store.exists()
    assert run("replay", good, "--store", f"sqlite:///{store}").exit_code == 0


def test_a_story_about_somebody_the_store_knows_is_an_error_and_adds_nothing(
    tell: Write, write: Write, run: Run, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    known = tell(head=tell().read_text(encoding="utf-8").replace("s1", "b1"), name="known.yaml")
    both = write(SEVERAL, "both.yaml")
    alone = write(SEVERAL.replace("b1", "c1"), "alone.yaml")
    assert run("replay", known, "--store", url).exit_code == 0
    refused = run("replay", both, "--store", url)
    assert refused.exit_code == 2
    assert "both.yaml:5:7: " in refused.stdout.replace("\n", "")
    assert "in the store already" in refused.stdout
    # Ada, who comes first, was not recorded either: her own story is still possible.
    assert run("replay", alone, "--store", url).exit_code == 0


def test_by_default_a_step_is_recorded_when_it_happens_or_with_the_latest_so_far(
    tell: Write,
) -> None:
    path = tell("""
        - at: 2025-09-06 14:20
          recorded: 2025-09-10 09:00
          declare_roster: {}
        - at: 2025-09-06 15:00
          verify_prior_coverage: {lapsed_years: 0}
        - at: 2025-09-11 10:00
          issue_medical_card: {}
    """)
    assert recorded_at(path) == ["09-01 08:30", "09-10 09:00", "09-10 09:00", "09-11 10:00"]


def test_a_refused_step_does_not_count_for_when_later_ones_are_recorded(tell: Write) -> None:
    path = tell("""
        - at: 2025-09-03 10:00
          recorded: 2025-12-01 09:00
          confirm: {channel: app}
          refused: window_not_open
        - at: 2025-09-02 17:00
          recorded: 2025-09-04 09:00
          declare_roster: {}
        - at: 2025-09-02 18:00
          issue_medical_card: {}
    """)
    assert recorded_at(path) == ["09-01 08:30", "09-04 09:00", "09-04 09:00"]


def test_a_refused_step_itself_may_not_be_recorded_before_an_earlier_one(tell: Write) -> None:
    path = tell("""
        - at: 2025-08-31 10:00
          recorded: 2025-09-01 08:29
          confirm: {channel: app}
          refused: before_registration
    """)
    assert refusal(path).startswith("9:15: recorded before an earlier step")


def test_steps_run_in_the_order_of_the_file_though_at_may_fall(tell: Write) -> None:
    path = tell("""
        - at: 2025-09-06 14:20
          confirm: {channel: app}
          refused: roster_not_declared
        - at: 2025-09-02 17:00
          declare_roster: {}
        - at: 2025-09-06 14:20
          confirm: {channel: app}
    """)
    assert replaying(path).failures == []


def test_seconds_and_offsets_are_read_and_told_in_shanghai_time(tell: Write) -> None:
    story = read_story(tell("- at: 2025-09-06T06:20:30+00:00\n  declare_roster: {}"), Editions())
    assert story.latest_at == datetime(2025, 9, 6, 14, 20, 30, tzinfo=SHANGHAI)


def test_every_scalar_is_text_before_it_is_a_value(tell: Write) -> None:
    """`on` is no truth value, 0123 no octal number and 12:30 no 750."""
    path = tell("""
        - id: on
          at: 2025-09-02 12:30
          change_school: {school: 0123}
        - at: 2025-09-02 12:31
          void: {step: on}
          reason: 0123
    """)
    story = read_story(path, Editions())
    command = story.steps[1].command  # type: ignore[union-attr]
    assert command.school == "0123"  # type: ignore[attr-defined]
    assert replaying(path).failures == []


def test_none_removes_an_optional_value(tell: Write) -> None:
    path = tell("""
        - id: check
          at: 2025-09-06 14:50
          verify_prior_coverage: {lapsed_years: 1, waiting_ends_on: 2025-10-31}
        - at: 2025-09-06 14:50
          expect: {waiting: {from: 2025-09-01, to: 2025-10-31}}
        - at: 2025-09-07 09:00
          correct: {step: check, waiting_ends_on: none}
          reason: wrong-line
        - at: 2025-09-07 09:00
          expect: {waiting: {from: 2025-09-01, to: 2025-11-30, months: 3}}
    """)
    assert replaying(path).failures == []


def test_a_correction_of_a_correction_repeats_what_the_first_one_left(tell: Write) -> None:
    path = tell("""
        - id: once
          at: 2025-09-03 09:00
          correct: {step: registration, on: 2025-09-02, document: passport, at: 2025-08-31 10:00}
          reason: misread
        - id: twice
          at: 2025-09-04 09:00
          correct: {step: once, on: 2025-09-03}
          reason: misread
        - at: 2025-09-05 09:00
          correct: {step: registration, on: 2025-09-04}
          reason: misread
          refused: superseded
    """)
    editions = Editions()
    ran = replay(read_story(path, editions), editions)
    with ran.service as service:
        assert ran.failures == []
        last = service.facts(ran.story.enrollment("s1"))[-1]
    assert last.payload()["on"].isoformat() == "2025-09-03"
    assert last.payload()["document"] == "passport"
    assert last.occurred_at == read_instant("2025-08-31 10:00")


def test_at_among_the_changes_moves_when_it_happened_and_at_beside_them_is_when_it_was_corrected(
    tell: Write,
) -> None:
    path = tell("""
        - id: roster
          at: 2025-09-02 17:00
          declare_roster: {}
        - at: 2025-09-05 09:00
          by: officer-1
          note: the list was stamped the day before
          correct: {step: roster, at: 2025-09-01 17:00}
          reason: stamped-earlier
    """)
    editions = Editions()
    ran = replay(read_story(path, editions), editions)
    with ran.service as service:
        last = service.facts(ran.story.enrollment("s1"))[-1]
        note = service.note(last.event_id)
    assert last.occurred_at == read_instant("2025-09-01 17:00")
    assert getattr(last, "corrected_at") == read_instant("2025-09-05 09:00")  # noqa: B009
    assert last.recorded_at == read_instant("2025-09-05 09:00")
    assert (last.by, last.reason) == ("officer-1", "stamped-earlier")
    assert note == "the list was stamped the day before"


def test_taking_back_what_was_taken_back_is_refused_with_its_code(tell: Write) -> None:
    path = tell("""
        - id: gone
          at: 2025-09-02 10:00
          void: {step: registration}
          reason: misread
        - at: 2025-09-02 11:00
          void: {step: gone}
          reason: misread
          refused: no_such_fact
    """)
    assert replaying(path).failures == []


@pytest.mark.parametrize(
    "step",
    [
        "  - {at: 2025-09-02 10:00, declare_roster: {}}\n",
        "  - {at: 2025-09-02 10:00, expect: {state: registered}}\n",
    ],
    ids=["a command", "an expectation"],
)
def test_with_several_people_each_step_says_whose_it_is(step: str, write: Write) -> None:
    assert refusal(write(SEVERAL + step)).startswith("9:5: missing key 'student'")


def test_a_step_cannot_be_taken_back_in_somebody_elses_name(write: Write) -> None:
    step = "  - {student: bo, at: 2025-09-02 10:00, void: {step: ada_comes}, reason: x}\n"
    assert refusal(write(SEVERAL + step)).startswith("9:15: the step named is not this student's")


def test_a_window_is_fixed_for_everybody_in_the_story(write: Write) -> None:
    path = write(
        SEVERAL
        + """\
  - {at: 2025-09-02 10:00, fix_window: {closes_on: 2025-10-19}}
  - {student: ada, at: 2025-10-20 00:00, expect: {state: lapsed}}
  - {student: bo, at: 2025-10-20 00:00, expect: {state: lapsed}}
  - {student: bo, at: 2025-10-19 23:59, expect: {state: registered}}
"""
    )
    assert replaying(path).failures == []


def test_a_fixed_window_can_be_corrected_and_taken_back_without_naming_a_student(
    write: Write,
) -> None:
    path = write(
        SEVERAL
        + """\
  - {id: fix, at: 2025-09-02 10:00, fix_window: {closes_on: 2025-10-19, school: sjtu}}
  - id: again
    at: 2025-09-03 10:00
    correct: {step: fix, closes_on: 2025-10-20, school: none}
    reason: misread
  - {student: bo, at: 2025-10-20 12:00, expect: {state: registered}}
  - {student: bo, at: 2025-10-21 00:00, expect: {state: lapsed}}
  - {at: 2025-09-04 10:00, void: {step: again}, reason: misread}
  - {student: bo, at: 2025-10-21 00:00, expect: {state: registered, coverage: pending}}
"""
    )
    assert replaying(path).failures == []


def test_an_expectation_compares_only_the_keys_it_names(tell: Write) -> None:
    path = tell("""
        - at: 2025-09-06 14:50
          verify_prior_coverage: {lapsed_years: 1}
        - at: 2025-09-06 14:50
          expect: {waiting: {from: 2025-09-01, to: 2025-11-30}, evoucher_available_at: pending}
    """)
    assert replaying(path).failures == []


def test_an_expectation_knows_by_default_everything_recorded_before_it(tell: Write) -> None:
    path = tell("""
        - at: 2025-09-06 14:50
          recorded: 2025-09-20 09:00
          verify_prior_coverage: {lapsed_years: 0}
        - at: 2025-09-06 14:50
          expect: {waiting: none}
        - at: 2025-09-06 14:50
          known_at: 2025-09-19 09:00
          expect: {waiting: pending}
        - at: 2025-09-06 14:50
          known_at: 1
          expect: {waiting: pending}
        - at: 2025-09-06 14:50
          known_at: 0
          expect: {state: none, waiting: none, discrepancies: [], next_step: none}
    """)
    assert replaying(path).failures == []


def test_pending_and_none_are_different_expectations(tell: Write) -> None:
    path = tell("- at: 2025-09-06 14:50\n  expect: {waiting: none}")
    (failure,) = replaying(path).failures
    assert (failure.expected, failure.came) == ({"waiting": None}, {"waiting": PENDING})
