"""Both languages have words for every code there is."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from yibao.adapters.editions.files import Editions
from yibao.adapters.editions.yaml_source import read
from yibao.adapters.stories.models import ExpectStep
from yibao.adapters.stories.reading import story_files
from yibao.adapters.stories.replaying import Replay
from yibao.adapters.views.words import LANGUAGES, Words
from yibao.domain.derivation import Derived, Earlier
from yibao.domain.editions.benefits import Benefits
from yibao.domain.editions.policy import Parameters
from yibao.domain.facts.events import EVENTS, Fact
from yibao.domain.refusals import REASONS
from yibao.domain.vocabulary import (
    ActivationChannel,
    CareSetting,
    Category,
    ConfirmationChannel,
    Document,
    HospitalLevel,
    Leaving,
    OtherCover,
    Place,
    Settlement,
    State,
)
from yibao.projections.answer import Answer
from yibao.projections.next_step import CODES
from yibao.projections.parts import PARTS

ROOT = Path(__file__).parents[3]
WORDS = ROOT / "adapters" / "views" / "words"
FILES = story_files(ROOT / "scenarios")


@cache
def sources(folder: str) -> tuple[ast.AST, ...]:
    return tuple(
        ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / folder).rglob("*.py")
    )


def calls(folder: str, *names: str) -> Iterator[ast.Call]:
    """Every call of a function or method of one of these names in a layer's source."""
    for source in sources(folder):
        for node in ast.walk(source):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else ""
                if name in names or (isinstance(called, ast.Name) and called.id in names):
                    yield node


def given(call: ast.Call, place: int, keyword: str) -> str | None:
    """The literal text that a call passes in a place or under a keyword."""
    passed = [word.value for word in call.keywords if word.arg == keyword]
    passed += call.args[place : place + 1]
    found = passed[0] if passed else None
    return found.value if isinstance(found, ast.Constant) and isinstance(found.value, str) else None


def answers(replayed: Callable[[Path], Replay]) -> Iterator[Answer]:
    """What is answered at every expectation of every story, and at its end."""
    for ran in map(replayed, FILES):
        for step in ran.story.steps:
            if isinstance(step, ExpectStep):
                yield ran.answer(step.student, step.at, step.known_at, step.year)
        for _, answer in ran.answers():
            yield answer


def derivations(answer: Answer) -> Iterator[Derived]:
    roots = [*(answer.values or ()), *(change.cause for change in answer.timeline)]
    for assessed in answer.care:
        roots += [assessed.standing, assessed.fund_pays, assessed.patient_pays]
        roots += [assessed.deductible_left, assessed.settlement]
    while roots:
        derived = roots.pop()
        yield derived
        for part in derived.inputs:
            if isinstance(part, Derived | Earlier):
                roots.append(part if isinstance(part, Derived) else part.derived)


def written(language: str) -> dict[str, dict[str, str]]:
    """The words of one language as they stand in the files."""
    events = read(WORDS / "events.yaml").data
    told: dict[str, dict[str, str]] = read(WORDS / f"{language}.yaml").data
    return told | {"event": {name: words[language] for name, words in events.items()}}


def in_both(section: str, codes: set[str]) -> None:
    """Asserts words for these codes in both languages."""
    for language in LANGUAGES:
        words = Words(language)
        missing = {code for code in codes if not words.knows(section, code)}
        assert not missing, (language, section)


def test_both_languages_have_the_same_keys() -> None:
    english, chinese = (Words(language).codes() for language in ("en", "zh"))
    assert english.keys() == chinese.keys()
    for section in english:
        assert english[section] == chinese[section], section


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_words_are_missing_but_for_units_that_need_none(language: str) -> None:
    lists = written(language)
    for section, entries in lists.items():
        for code, words in entries.items():
            assert isinstance(words, str)
            assert words.strip() or section == "unit", (section, code)


def test_both_languages_fill_in_the_same_parts() -> None:
    english, chinese = (written(language) for language in ("en", "zh"))
    for section in english:
        for code in english[section]:
            assert parts(english[section][code]) == parts(chinese[section][code]), code


def parts(words: str) -> set[str]:
    """What is filled in; what only tells one from many is not."""
    return {
        name for _, name, form, _ in Formatter().parse(words) if name and "|" not in (form or "")
    }


def test_one_is_told_otherwise_than_many() -> None:
    english = Words("en")
    told = [english("unit", "days", value=count) for count in (0, 1, 2)]
    assert told == ["days", "day", "days"]
    counted = [english("phrase", "waits_first", months=count) for count in (1, 3)]
    assert [words.split(" of")[0] for words in counted] == ["1 month", "3 months"]
    assert english("audit", "lacking", count=1, whose="ada").count("student ") == 1
    assert english("store", "holds", layout=9, facts=1, streams=1, attempts=1).endswith(
        "1 fact in 1 stream, 1 refused attempt"
    )
    assert english("projections", "left", parked=1) == "1 student is still parked"


def test_no_number_in_english_stands_with_a_noun_for_many_alone() -> None:
    numbers = {"count", "facts", "streams", "attempts", "parked", "months", "failed", "value"}
    for section, entries in written("en").items():
        for code, words in entries.items():
            for name in numbers:
                assert not re.search(rf"\{{{name}\}} (?!of\b)[a-z]+s\b", words), (section, code)


def test_chinese_is_chinese() -> None:
    """Whatever is said in Chinese has a Chinese character in it, but for marks and formulas."""
    chinese = written("zh")
    for section in ("state", "value", "name", "because", "next_step", "who", "event", "refusal"):
        for code, words in chinese[section].items():
            assert any("一" <= character <= "鿿" for character in words), (section, code)


def test_every_state_has_words_and_no_state_too() -> None:
    in_both("state", {*State, "none"})
    assert Words("en").codes()["state"] == {*State, "none"}


def test_every_refusal_has_words() -> None:
    in_both("refusal", set(REASONS))
    assert Words("zh").codes()["refusal"] == set(REASONS)


def test_every_next_step_has_words() -> None:
    in_both("next_step", set(CODES))
    assert Words("zh").codes()["next_step"] == set(CODES)


def test_every_part_of_an_answer_has_words() -> None:
    in_both("value", set(PARTS))


def test_every_parameter_and_unit_has_words() -> None:
    in_both("parameter", {*Parameters.model_fields, *Benefits.model_fields})
    cells = [
        cell
        for policy in Editions()
        for section in (policy.parameters, policy.benefits)
        for _, cell in section or ()
    ]
    units = {cell.unit for cell in cells if cell is not None}
    assert {"days", "percent"} <= units
    in_both("unit", units)


def test_every_reason_the_rules_give_has_words(replayed: Callable[[Path], Replay]) -> None:
    written = {given(call, 4, "because") for call in calls("domain", "Derived")}
    written |= {given(call, 99, "because") for call in calls("domain", "_replace")}
    shown = {found.because for answer in answers(replayed) for found in derivations(answer)}
    codes = {code for code in written | shown if code}
    assert {"check_missing", "cover_too_late", "withdrawn"} <= codes
    in_both("because", codes)


def test_no_reason_has_words_that_no_rule_gives(replayed: Callable[[Path], Replay]) -> None:
    text = "\n".join(ast.unparse(source) for source in sources("domain"))
    for code in Words("en").codes()["because"]:
        assert repr(code) in text, code


def test_every_derivation_has_a_name_in_words(replayed: Callable[[Path], Replay]) -> None:
    written = {given(call, 0, "name") for call in calls("domain", "Derived", "latest_day")}
    shown = {found.name for answer in answers(replayed) for found in derivations(answer)}
    # The cause of a change of state bears the name of the state, and is told as `state`; what
    # enrolled somebody in the year before is told by itself.
    named = {name for name in written | shown if name} - {*State} | {"confirmed"}
    assert {"signed_on", "visible_at", "coverage"} <= named
    for language in LANGUAGES:
        codes = Words(language).codes()
        assert named <= codes["name"] | codes["value"], language


def test_who_and_where_of_every_next_step_have_words(replayed: Callable[[Path], Replay]) -> None:
    steps = [step for answer in answers(replayed) for step in answer.next_steps]
    who = {step.who for step in steps}
    where = {place for step in steps for place in step.where if place in set(Place)}
    for policy in Editions():
        where |= set(policy.parameters.activation_places.value)
        where |= set(policy.parameters.confirmation_places.value)
    assert {"student", "officer", "school"} <= who
    in_both("who", who)
    in_both("where", where)


def test_every_place_an_edition_may_name_has_words() -> None:
    assert {"alipay", "one_stop_site"} < set(Place)
    in_both("where", set(Place))


def test_every_setting_level_and_settlement_of_care_has_words() -> None:
    in_both("setting", set(CareSetting))
    in_both("level", set(HospitalLevel))
    in_both("settlement", set(Settlement))


def test_every_phrase_the_console_uses_is_there() -> None:
    used = {
        (given(call, 0, "section"), given(call, 1, "code")) for call in calls("adapters", "words")
    }
    found = {(section, code) for section, code in used if section and code}
    assert ("phrase", "pending") in found
    for section, code in found:
        in_both(section, {code})


def test_an_unknown_code_is_an_error_and_not_silence() -> None:
    with pytest.raises(KeyError):
        Words("en")("state", "enrolled")


#: What is raised on purpose, or becomes a part of it.
RAISED = (
    "NotProven",
    "UnreadableEvidence",
    "error",
    "fail",
    "_misfit",
    "AlteredEdition",
    "BadValue",
    "Halted",
    "Interrupted",
    "Misfit",
    "NotWritten",
    "OSError",
    "SourceError",
    "StoreError",
    "UnknownCutoff",
    "UnknownEdition",
    "UnreadableEvent",
    "UnreadableTable",
    "UsageError",
    "ValueError",
)
#: Mistakes of whoever writes yibao, told when it is imported.
OF_OURS = {
    "`{}` has no row in the table of the lifecycle",
    "the table of the lifecycle has a row for `{}`, which is no command",
    "step {} names an unknown state {}",
    "step {} names an unknown guard {}",
}


def sentences(*folders: str) -> Iterator[str]:
    """The sentences that errors are raised with; `{}` is what is filled in."""
    for folder in folders:
        for call in calls(folder, *RAISED):
            for passed in (*call.args, *(word.value for word in call.keywords)):
                if isinstance(passed, ast.Constant) and isinstance(passed.value, str):
                    yield passed.value
                elif isinstance(passed, ast.JoinedStr):
                    yield "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "{}"
                        for part in passed.values
                    )


def test_every_sentence_of_an_error_has_chinese() -> None:
    told = Words("zh").said
    found = {each for each in sentences("domain", "projections", "adapters", "src") if " " in each}
    whole = {each for each in found if len(re.findall(r"[a-z]+", each)) > 1} - OF_OURS
    assert "a day is written YYYY-MM-DD" in whole
    filled = {each.replace("{}", "…") for each in whole}
    assert {each for each in filled if not re.search("[一-鿿]", told(each))} == set()


def test_what_fills_a_sentence_is_told_if_it_is_one_and_stays_if_it_is_none() -> None:
    told = Words("zh").said
    assert told("missing key 'at'") == "缺少键 'at'"
    assert told("Error: Invalid value for '--at': a day is written YYYY-MM-DD").count("：") == 2
    assert told("input should be greater than or equal to 0") == "须不小于 0"
    assert (
        told("input should be 'ends' or 'until_benefit_to'") == "须为 'ends' 或 'until_benefit_to'"
    )
    assert told("nobody has thought of this one") == "nobody has thought of this one"
    assert Words("en").said("missing key 'at'") == "missing key 'at'"


def test_every_clause_of_the_released_editions_has_chinese() -> None:
    words = Words("zh")
    for policy in Editions():
        cited = [*policy.rules.values(), *policy.benefit_rules.values()]
        cited += [cell for _, cell in (*policy.parameters, *(policy.benefits or ())) if cell]
        for citation in cited:
            told = words.clause(citation.clause)
            assert not re.search("[A-Za-z]", told), citation.clause
    assert words.clause("circular 7") == "circular 7"


def test_every_value_of_a_fact_has_a_name_and_every_code_in_it_words() -> None:
    for language in LANGUAGES:
        words = Words(language)
        for kind in EVENTS.values():
            told = kind.model_fields.keys() - Fact.model_fields.keys()
            for key in (key for key in told if not key.endswith("digest")):
                assert words.knows("field", key) or words.knows("field", f"{kind.name} {key}"), key
        for key, codes in CODED.items():
            assert {code for code in codes if not words.knows(key, code)} == set(), key


#: What the values of facts may be, by their key.
CODED = {
    "category": set(Category),
    "document": set(Document),
    "channel": {*ConfirmationChannel, *ActivationChannel},
    "kind": {*OtherCover, *Leaving},
    "setting": set(CareSetting),
    "level": set(HospitalLevel),
    "settlement": set(Settlement),
}
