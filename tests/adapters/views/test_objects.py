"""What the service returns and raises as JSON: the same as its models, and as their schema."""

import ast
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import Result
from given import sheet
from jsonschema_rs import Draft202012Validator

import yibao
from yibao.adapters.shapes import models
from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.shapes.explanation import explained
from yibao.adapters.stories.models import ExpectStep
from yibao.adapters.stories.reading import story_files
from yibao.adapters.stories.replaying import Replay
from yibao.adapters.views.objects import as_json
from yibao.adapters.views.words import Words
from yibao.domain.calendar import read_instant
from yibao.domain.refusals import AlteredEdition, BadValue, OutOfStep, YibaoError
from yibao.domain.vocabulary import Seen
from yibao.projections.answer import Answer
from yibao.projections.parts import PARTS

FILES = story_files(Path(__file__).parents[3] / "scenarios")
ADA = yibao.EnrollmentId("s1", 2025)
NOW = read_instant("2025-12-31 12:00")
#: The sections of words in which every key is a code of an answer.
CODES = ("state", "next_step", "refusal", "failure", "because", "who", "where", "category")
CODES += ("document", "setting", "level", "settlement", "event", "command", "parameter")


def answers(ran: Replay) -> Iterator[Answer]:
    """What is answered at every expectation of a story, and of each student at its end."""
    for step in ran.story.steps:
        if isinstance(step, ExpectStep):
            yield ran.answer(step.student, step.at, step.known_at, step.year)
    for _, answer in ran.answers():
        yield answer


def seen(it: Seen | None) -> dict[str, Any] | None:
    return it and it._asdict() | {"before": seen(it.before)}


def fits(told: Any, model: type[models.Shape]) -> Any:
    """Asserts that it is JSON and what the model and its schema make of it, and returns it."""
    assert json.loads(json.dumps(told)) == told
    assert model.model_validate(told).model_dump(mode="json") == told
    validator(model).validate(told)
    return told


@cache
def validator(model: type[models.Shape]) -> Draft202012Validator:
    return Draft202012Validator(model.model_json_schema(), validate_formats=True)


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_an_answer_is_told_as_its_model_and_its_schema_have_it(
    file: Path, replayed: Callable[[Path], Replay]
) -> None:
    for answer in answers(replayed(file)):
        told = fits(as_json(answer), models.Answer)
        assert answer_json(answer).items() <= told.items()
        assert (told["ref"], told["year"]) == answer.enrollment
        assert (told["policy"], told["seen"]) == (answer.edition, seen(answer.seen))
        assert as_json(answer, explain=True) == told | {
            "explanation": explained(answer)["explanations"],
            "care": [
                care | {"explanation": why["explanations"]}
                for care, why in zip(told["care"], explained(answer)["care"], strict=True)
            ],
        }


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_whatever_is_asked_in_words_is_told_as_its_model_has_it(
    file: Path, replayed: Callable[[Path], Replay]
) -> None:
    ran = replayed(file)
    for _, answer in ran.answers():
        whose = answer.enrollment
        asked: list[tuple[Any, type[models.Shape]]] = [
            (answer, models.Answer),
            (ran.service.compare(whose, 0), models.Comparison),
            *((held, models.Held) for name in PARTS for held in ran.service.history(whose, name)),
            *((changed, models.Changed) for changed in ran.service.review(whose)),
            *((care, models.Assessed) for care in answer.care),
            *((fact, models.Event) for fact in ran.service.facts(whose)),
            *((entry, models.Entry) for entry in ran.service.trail_of(whose)),
            *((kept, models.KeptAttempt) for kept in ran.service.refused_attempts(whose)),
            *((each, models.Possible) for each in ran.service.possible(whose)),
        ]
        for it, model in asked:
            told = fits(as_json(it, lang="en", explain=True), model)
            assert list(without_words(told)) == []
            assert _shape(as_json(it, lang="zh", explain=True)) == _shape(told)


@pytest.mark.parametrize("lang", [None, "en", "zh"])
def test_a_cohort_is_told_as_its_models_have_it(lang: Any) -> None:
    with enrolled() as service:
        cohort = service.cohort("2025-09-03 10:00")
        counts = fits(as_json(cohort.count(), lang), models.CohortCounts)
        page = fits(as_json(cohort.page(limit=1), lang), models.CohortPage)
        days = fits(as_json(cohort.days(last="2025-09-03"), lang), models.CohortDays)
        entry = fits(as_json(cohort.page().entries[0], lang), models.CohortEntry)
    assert (counts["counts"], counts["total"], counts["parked"]) == ({"registered": 1}, 1, 0)
    assert page == {"entries": [entry], "following": None}
    assert entry["enrollment"] == {"ref": ADA.ref, "year": ADA.year}
    assert ("state_text" in entry, "next_step_text" in entry) == (lang is not None,) * 2
    assert days["days"] == ["2025-09-01", "2025-09-02", "2025-09-03"]
    assert days["counts"] == {"registered": [1, 1, 1]}


def _shape(told: Any) -> Any:
    """The keys that are told, whatever stands under them."""
    if isinstance(told, dict):
        return {key: _shape(value) for key, value in told.items()}
    return [_shape(each) for each in told] if isinstance(told, list) else None


@cache
def codes() -> set[str]:
    told = Words("en").codes()
    return {code for section in CODES for code in told[section]}


def without_words(told: Any) -> Iterator[Any]:
    """What is in it that is a code and has no words beside it."""
    if isinstance(told, list):
        for each in told:
            yield from without_words(each)
    if isinstance(told, dict):
        for key, value in told.items():
            beside = "text" if key == "code" else f"{key}_text"
            many = value if isinstance(value, list) else [value]
            is_code = any(isinstance(each, str) and each in codes() for each in many)
            is_free = key in ("ref", "school", "by", "via", "clause") or key.endswith("text")
            if is_code and not is_free and beside not in told:
                yield key, value
            if beside not in told:  # what is told in words as a whole has none for its parts
                yield from without_words(value)


def test_each_code_is_told_in_words_under_its_name() -> None:
    with enrolled() as service:
        told = as_json(service.at(ADA, "2025-09-03 10:00"), lang="zh")
    assert (told["state"], told["state_text"]) == ("registered", "已报到注册")
    assert told["coverage_text"] == "待定"
    assert told["timeline"][0]["state_text"] == "已报到注册"
    (step, *_) = told["next_steps"]
    assert (step["code"], step["text"]) == ("await_window", "等待参保确认期开始")
    assert (step["who_text"], step["where_text"]) == ("学生本人", ["院校"])


def test_nothing_is_known_of_somebody_unknown() -> None:
    with enrolled() as service:
        told = fits(as_json(service.at(yibao.EnrollmentId("s2", 2025)), "en", True), models.Answer)
    assert (told["state"], told["state_text"]) == (None, "not enrolled")
    assert (told["policy"], told["known_at"], told["explanation"]) == (None, told["at"], {})
    assert told["seen"] == {"facts": 0, "care": 0, "window": 0, "before": None}


def test_a_receipt_names_the_event_and_what_was_seen() -> None:
    with enrolled() as service:
        receipt = service.confirm(ADA, at="2025-09-06 14:20", channel="app", command_id="c1")
        told = fits(as_json(receipt), models.Receipt)
        assert told["event_id"] == str(receipt.event_id)
        assert (told["version"], told["repeated"]) == (3, False)
        assert told["recorded_at"] == "2025-12-31T12:00:00+08:00"
        assert told["seen"] == as_json(service.at(ADA))["seen"]
        assert told["seen"] == fits(as_json(receipt.seen), models.Seen)
        assert Seen(**told["seen"]) == receipt.seen


REFUSED: list[tuple[YibaoError, dict[str, Any]]] = [
    (
        OutOfStep("version_conflict", expected=Seen(1, 0, 0), found=2),
        {
            "code": "version_conflict",
            "text": "the stream is at another version than expected",
            "details": {
                "expected": {"facts": 1, "care": 0, "window": 0, "before": None},
                "found": 2,
            },
        },
    ),
    (
        BadValue("on", "is no day", ("document", "is lacking")),
        {
            "code": "bad_value",
            "text": "a value cannot be right",
            "details": {"where": "on", "why": "is no day"},
            "errors": [
                {"where": "on", "why": "is no day", "why_text": "is no day"},
                {"where": "document", "why": "is lacking", "why_text": "is lacking"},
            ],
        },
    ),
    (
        AlteredEdition("edition 'x' has been altered"),
        {
            "code": "altered_edition",
            "text": "an edition is not what the store has used under its name",
            "details": {},
        },
    ),
]


@pytest.mark.parametrize(("error", "told"), REFUSED, ids=lambda each: getattr(each, "code", ""))
def test_what_is_raised_tells_its_code_and_details(error: YibaoError, told: dict[str, Any]) -> None:
    assert fits(as_json(error, lang="en"), models.Refused) == told
    assert "text" not in as_json(error)


def test_what_is_wrong_with_values_is_told_in_chinese_too() -> None:
    with enrolled() as service, pytest.raises(BadValue) as raised:
        service.confirm(ADA, at="soon", channel="app")
    (mistake,) = as_json(raised.value, lang="zh")["errors"]
    assert (mistake["where"], mistake["why_text"]) == ("at", Words("zh").said(mistake["why"]))
    assert mistake["why_text"] != mistake["why"]


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("confirm", {"by": "x", "command_id": "y", "expected": None}),
    ("issue_medical_card", {"observed": "perhaps", "colour": "red", "at": "soon"}),
    ("withdraw", {"on": 20250901}),
    ("pay_premium", {"year": "1999"}),
    ("verify_prior_coverage", {"lapsed_years": 1.5, "waiting_ends_on": "2025-02-30"}),
    ("receive_care", {"on": "2025-13-01", "setting": "spa", "cost": "0.001", "province": " "}),
    ("settle_care", {"care": 7, "paid": 1.5}),
    ("correct", {"fact_id": "x", "reason": "For No Reason", "changes": 7}),
]


@pytest.mark.parametrize(("name", "values"), WRONG, ids=[name for name, _ in WRONG])
def test_what_is_wrong_with_a_form_is_told_in_chinese(name: str, values: dict[str, Any]) -> None:
    with enrolled() as service, pytest.raises(BadValue) as raised:
        service.tell(ADA, name, values)
    mistakes = as_json(raised.value, lang="zh")["errors"]
    assert [each for each in mistakes if each["why_text"] == each["why"]] == []


def test_the_schema_that_is_printed_is_that_of_the_model(run: Callable[..., Result]) -> None:
    assert json.loads(run("schema", "answer").stdout) == models.Answer.model_json_schema()


def test_of_many_a_list_is_told() -> None:
    with enrolled() as service:
        leave = {"command": "withdraw", "on": "2025-12-30"}
        replies = service.record_each([(ADA, [leave]), (ADA, leave | {"on": "soon"})])
        (group,), refused = as_json(replies)
        assert (group["version"], refused["code"]) == (3, "bad_value")
        assert len(as_json(service.history(ADA, "state"))) == len(service.history(ADA, "state"))
        assert as_json(service.enrollments("s1")) == [2025]
        assert as_json(service.moments(ADA))[-1:] == ["2025-12-31T12:00:00+08:00"]
        assert as_json(service.judge(ADA, leave)) is not None
        assert as_json(None) is None


def test_a_language_there_is_none_of_is_a_bad_value() -> None:
    with enrolled() as service, pytest.raises(BadValue, match="en, zh"):
        as_json(service.at(ADA), lang="de")  # type: ignore[call-overload]


@pytest.mark.parametrize("it", ["s1", {"state": "active"}, UUID(int=1), ADA, [ADA]])
def test_what_yibao_does_not_answer_is_told(it: Any) -> None:
    with pytest.raises(TypeError, match="is nothing that yibao answers"):
        as_json(it)


def test_type_checkers_know_an_answer_as_it_is_made() -> None:
    source = ast.parse(Path(models.__file__).read_text(encoding="utf-8"))
    kinds = {each.name: each for each in ast.walk(source) if isinstance(each, ast.ClassDef)}
    there = {**vars(models)}
    exec(compile(ast.Module([kinds["Answer"]], []), models.__file__, "exec"), there)
    assert there["Answer"].model_json_schema() == models.Answer.model_json_schema()


def test_a_model_has_one_schema_whichever_way_it_is_asked_for() -> None:
    for model in models.Shape.__subclasses__():
        assert model.model_json_schema() == model.model_json_schema(mode="serialization")


def enrolled() -> yibao.Service:
    """Somebody registered and declared."""
    service = yibao.open("memory:", by="officer", clock=lambda: NOW)
    service.register("s1", **sheet())
    service.declare_roster(ADA, at="2025-09-02 17:00")
    return service
