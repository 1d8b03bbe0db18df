"""What an edition names by codes of its own is told by its words, in both languages, everywhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import yibao
from yibao.adapters.service.service import Service

from ..conftest import Run, Write

BO = yibao.EnrollmentId("bo", 2025)
#: Shanghai's, with a category, a document, a place and somebody to ask of its own.
OWN = """\
edition: own
title: {en: Own, zh: 自有}
extends: shanghai-2025
words:
  night_school: {en: night-school student, zh: 夜校学生}
  green_card: {en: permanent residence card, zh: 永久居留证}
  gate_machine: {en: the kiosk at the gate, zh: 校门口自助机}
  insurance_desk: {en: the insurance desk, zh: 医保窗口}
parameters:
  new_student_categories:
    value: [undergraduate, night_school]
    unit: categories
    clause: "1"
    basis: stated
  documents_without_evoucher: {value: [green_card], unit: documents, clause: "2", basis: stated}
  confirmation_places: {value: [gate_machine], unit: places, clause: "3", basis: stated}
  insurance_hotline: {value: insurance_desk, unit: phone number, clause: "4", basis: stated}
"""
#: Each of its codes, and the words in both languages.
WORDS = {
    "night_school": ("night-school student", "夜校学生"),
    "green_card": ("permanent residence card", "永久居留证"),
    "gate_machine": ("the kiosk at the gate", "校门口自助机"),
    "insurance_desk": ("the insurance desk", "医保窗口"),
}
STORY = """\
title: A student of the night school
policy: own
student: {ref: bo, school: sjtu, category: night_school, document: green_card}
story:
  - {at: 2025-09-01 08:30, register: {on: 2025-09-01}}
  - {at: 2025-09-02 17:00, declare_roster: {}}
  - {at: 2025-09-03 17:00, fix_window: {opens_on: 2025-09-05, category: night_school}}
  - at: 2025-09-06 12:00
    expect: {state: registered, next_step: confirm}
"""


@pytest.fixture
def story(write: Write) -> Path:
    write(OWN, "policies/own.yaml")
    return write(STORY)


@pytest.fixture
def service(write: Write) -> Iterator[Service]:
    folder = write(OWN, "policies/own.yaml").parent
    clock = yibao.testing.clock_at("2025-09-06 12:00")
    with yibao.open("memory:", policies=folder, clock=clock) as service:
        service.register(
            "bo",
            policy="own",
            on="2025-09-01",
            at="2025-09-01 08:30",
            school="sjtu",
            category="night_school",
            document="green_card",
        )
        service.declare_roster(BO, at="2025-09-02 17:00")
        yield service


def test_a_story_finds_its_edition_beside_it(story: Path, run: Run) -> None:
    assert run("replay", story).exit_code == 0
    assert run("replay", story.parent).stdout.count("✓") == 1  # the edition is no story
    (told,) = json.loads(run("replay", story, "--json").stdout)
    assert (told["ok"], told["policy"]) == (True, "own")


def test_an_edition_that_somebody_has_chosen_comes_before_one_beside_the_story(
    story: Path, write: Write, run: Run
) -> None:
    chosen = write(OWN.replace("undergraduate, night_school", "night_school"), "chosen/own.yaml")
    (told,) = json.loads(run("explain", story, "--policies", chosen.parent, "--json").stdout)
    (beside,) = json.loads(run("explain", story, "--json").stdout)
    assert told["edition"]["digest"] != beside["edition"]["digest"]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    ("command", "codes"),
    [
        (["replay"], ["gate_machine", "insurance_desk"]),
        (["show"], ["gate_machine", "insurance_desk"]),
        (["explain"], ["night_school", "green_card"]),
        (["audit"], ["night_school", "green_card"]),
        (["compare", "--known-at", "0"], ["night_school", "green_card"]),
        (["dossier"], ["gate_machine", "night_school", "green_card"]),
        (["dossier", "--format", "html"], ["night_school", "green_card"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_the_command_line_tells_words_and_no_codes(
    command: list[str], codes: list[str], lang: str, story: Path, run: Run
) -> None:
    name, *options = command
    told = run(name, story, *options, "--lang", lang).stdout
    flat = "".join(told.split())
    for code in codes:
        words = WORDS[code][("en", "zh").index(lang)]
        assert "".join(words.split()) in flat, code
    assert not [code for code in WORDS if code in told]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_terminal_shows_and_compares_editions_in_words(
    lang: str, story: Path, run: Run
) -> None:
    folder = story.parent / "policies"
    for command in (["show", "own"], ["diff", "shanghai-2025", "own"]):
        told = run("policy", *command, "--policies", folder, "--lang", lang).stdout
        flat = "".join(told.split())
        for en, zh in WORDS.values():
            assert "".join((en if lang == "en" else zh).split()) in flat
        assert not [code for code in WORDS if code in told]


@pytest.mark.parametrize(("lang", "index"), [("en", 0), ("zh", 1)])
def test_json_tells_them_beside_the_codes(lang: str, index: int, service: Service) -> None:
    told = yibao.as_json(service.at(BO), lang=lang, explain=True)  # type: ignore[arg-type]
    assert (told["category"], told["document"]) == ("night_school", "green_card")
    assert told["category_text"] == WORDS["night_school"][index]
    assert told["document_text"] == WORDS["green_card"][index]
    step = told["next_steps"][0]
    assert (step["code"], step["where"], step["ask"][0]) == (
        "confirm",
        ["gate_machine"],
        "insurance_desk",
    )
    assert step["where_text"] == [WORDS["gate_machine"][index]]
    assert step["ask_text"] == [WORDS["insurance_desk"][index], "021-12393"]
    assert yibao.models.Answer.model_validate(told).model_dump(mode="json") == told


def test_json_of_facts_tells_them_where_the_editions_are_at_hand(service: Service) -> None:
    fact = service.facts(BO)[0]
    assert "category_text" not in yibao.as_json(fact, lang="zh")
    told = yibao.as_json(fact, lang="zh", editions=service.editions)
    assert (told["category_text"], told["document_text"]) == ("夜校学生", "永久居留证")
    (entry, *_) = service.trail_of(BO)
    event = yibao.as_json(entry, lang="en", editions=service.editions)["recorded"]["event"]
    assert event["category_text"] == "night-school student"


def test_a_code_that_its_edition_does_not_name_is_a_bad_value(service: Service) -> None:
    given: dict[str, Any] = {"on": "2025-09-01", "at": "2025-09-01 08:30", "school": "sjtu"}
    for policy, category, document in (
        ("own", "evening_school", "green_card"),
        ("own", "night_school", "blue_card"),
        ("shanghai-2025", "night_school", "passport"),
    ):
        with pytest.raises(yibao.BadValue) as refused:
            service.register("ada", policy=policy, category=category, document=document, **given)
        (mistake,) = refused.value.errors
        assert mistake.why.startswith("Input should be '")
        assert "evening_school" not in str(refused.value)
    changes = {"category": "evening_school"}
    with pytest.raises(yibao.BadValue):
        service.correct(BO, service.facts(BO)[0].event_id, reason="misread", changes=changes)
    with pytest.raises(yibao.BadValue):
        service.fix_window("own", closes_on="2025-12-20", category="evening_school")
    assert service.fix_window("own", closes_on="2025-12-20", category="night_school")


@pytest.mark.parametrize(
    ("was", "becomes", "place"),
    [
        ("category: night_school,", "category: evening_school,", "3:44"),
        ("document: green_card", "document: blue_card", "3:68"),
        ("category: night_school}}", "category: evening_school}}", "7:73"),
    ],
)
def test_a_code_that_its_edition_does_not_name_is_told_at_its_place_in_a_story(
    was: str, becomes: str, place: str, story: Path, write: Write, run: Run
) -> None:
    assert was in STORY
    path = write(STORY.replace(was, becomes))
    done = run("replay", path, "--json")
    (told,) = json.loads(done.stdout)
    assert (done.exit_code, told["ok"]) == (2, False)
    assert told["error"].startswith(f"{path}:{place}: input should be 'undergraduate'") or (
        told["error"].startswith(f"{path}:{place}: input should be 'resident_id_card'")
    )


def test_a_code_of_its_own_is_recorded_read_and_answered_as_any_other(service: Service) -> None:
    answer = service.at(BO)
    assert (answer.category, answer.document) == ("night_school", "green_card")
    assert isinstance(answer.category, yibao.Category)
    assert answer.category.value == "night_school"
    assert answer.category not in list(yibao.Category)
    corrected = service.correct(
        BO, service.facts(BO)[0].event_id, reason="misread", changes={"category": "undergraduate"}
    )
    assert corrected.version
    assert service.at(BO).category is yibao.Category.UNDERGRADUATE
