"""What was tried and refused: what reads of it is kept, and nothing else of what was typed."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from yibao.domain.calendar import read_instant
from yibao.domain.facts.attempts import RefusedAttempt, refused_attempt
from yibao.domain.facts.commands import COMMANDS, Confirm
from yibao.domain.refusals import BadValue, NotPermitted, Refused
from yibao.domain.vocabulary import revealing

TRIED = read_instant("2025-09-03 10:00")
KNOWN: dict[str, Any] = {
    "by": "officer",
    "via": "test",
    "tried_at": TRIED,
    "ref": "s1",
    "year": 2025,
    "school": "sjtu",
    "version": 2,
}
REFUSED = NotPermitted("window_not_open")
TOLD: dict[str, Any] = {
    "command": "confirm",
    "at": "2025-09-03 09:00",
    "by": "someone",
    "observed": True,
    "reason": "asked-at-the-counter",
    "ref": "s2",
    "policy": "shanghai-2025",
    "school": "ecnu",
    "command_id": "c1",
    "correlation_id": "day-1",
    "causation_id": "c0",
}
ID_CARD = "110101199003078515"
PHONE = "13812345678"


def kept(refused: Refused = REFUSED, /, **told: Any) -> RefusedAttempt:
    return refused_attempt({"command": "confirm"} | told, refused, KNOWN)


def stored(attempt: RefusedAttempt) -> str:
    return attempt.model_dump_json(by_alias=True, exclude_none=True)


def test_what_reads_is_kept_as_it_was_told() -> None:
    expected: dict[str, Any] = TOLD | {"ref": "s1", "school": "sjtu"}
    expected["occurred_at"] = read_instant(expected.pop("at"))
    found = refused_attempt(TOLD, REFUSED, KNOWN)
    assert found == RefusedAttempt(
        **expected, code="window_not_open", tried_at=TRIED, via="test", year=2025, version=2
    )


def test_about_whom_it_was_is_as_told_where_nobody_is_known() -> None:
    known = {"by": "officer", "via": "test", "tried_at": TRIED, "school": None}
    found = refused_attempt(TOLD, REFUSED, known)
    assert (found.ref, found.policy, found.school) == ("s2", "shanghai-2025", "ecnu")


def test_what_was_not_told_is_as_it_is_known() -> None:
    assert kept() == RefusedAttempt(command="confirm", code="window_not_open", **KNOWN)


@pytest.mark.parametrize("name", sorted(TOLD.keys() - {"at", "command", "observed"}))
def test_none_that_was_told_leaves_what_is_known(name: str) -> None:
    assert kept(**{name: None}) == kept()


def test_of_a_command_the_values_of_the_command_itself_are_kept() -> None:
    command = Confirm(at=TRIED, channel="app", by="someone", command_id="c1", note="told at home")  # type: ignore[arg-type]
    found = kept(**vars(command))
    assert (found.occurred_at, found.by, found.command_id) == (TRIED, "someone", "c1")
    assert "told at home" not in stored(found)


GARBAGE = [
    "",
    " ",
    "two words\n",
    "x" * 5000,
    "\ud800",
    "\x00",
    b"\xff",
    3.5,
    10**400,
    float("nan"),
    ["a"],
    {"a": "b"},
    object(),
    UUID(int=1),
    datetime(2025, 9, 3, tzinfo=UTC),
    date(2025, 9, 3),
]
TEXTS = ["by", "reason", "ref", "policy", "school", "command_id", "correlation_id", "causation_id"]


@pytest.mark.parametrize("name", TEXTS)
def test_a_word_that_does_not_read_is_left_out(name: str) -> None:
    for value in GARBAGE:
        assert kept(**{name: value}) == kept()


@pytest.mark.parametrize(
    "value", [ID_CARD, "11010119900307851X", PHONE, "310101-19900101-1234", "ada@sjtu.edu.cn"]
)
@pytest.mark.parametrize("name", TEXTS)
def test_what_looks_like_the_number_of_a_person_is_left_out(name: str, value: str) -> None:
    found = kept(**{name: value})
    assert found == kept()
    assert value not in stored(found)


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2025-09-03",
        "2025-02-30 10:00",
        "0001-01-01 00:00",
        "9999-12-31 23:59",
        1756864800,
        datetime(2025, 9, 3, 9, 0),  # noqa: DTZ001 - a naive instant is what is tried
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
        date(2025, 9, 3),
        ID_CARD,
        ["2025-09-03 09:00"],
        None,
    ],
)
def test_an_instant_that_does_not_read_is_left_out(value: object) -> None:
    assert kept(at=value) == kept()


@pytest.mark.parametrize("value", ["perhaps", 2, [], "\ud800", ID_CARD, date(2025, 9, 3)])
def test_what_is_neither_a_report_nor_none_is_taken_as_a_request(value: object) -> None:
    assert kept(observed=value) == kept()


def test_several_values_that_do_not_read_are_left_out_together() -> None:
    found = kept(at="yesterday", by=ID_CARD, reason="two words", policy="", command_id="c1")
    assert found == kept(command_id="c1")


def test_what_is_known_and_does_not_read_is_left_out_too() -> None:
    found = refused_attempt({"command": "confirm"}, REFUSED, KNOWN | {"ref": ID_CARD})
    assert (found.ref, found.year) == (None, 2025)


def test_what_is_told_and_what_is_known_may_both_not_read() -> None:
    found = refused_attempt({"command": "confirm", "ref": PHONE}, REFUSED, KNOWN | {"ref": ID_CARD})
    assert found.ref is None


@pytest.mark.parametrize("name", ["code", "where", "tried_at", "via", "year", "version", "note"])
def test_what_is_not_for_the_sender_to_tell_is_not_taken_from_what_was_told(name: str) -> None:
    assert kept(**{name: "told"}) == kept()


@pytest.mark.parametrize(
    "place",
    ["at", "channel", "ref", "lapsed_years", "care", "fact_id", "changes", "asked", "target"],
)
def test_the_place_of_a_bad_value_is_kept(place: str) -> None:
    assert kept(BadValue(place, "cannot be right")).where == place


@pytest.mark.parametrize("place", [ID_CARD, "", "channel.0", "confirm", "小王"])
def test_a_place_that_may_have_been_typed_is_not_kept(place: str) -> None:
    found = kept(BadValue(place, "cannot be right"))
    assert (found.code, found.where) == ("bad_value", None)


def test_why_a_value_is_bad_is_not_kept() -> None:
    assert "whispered" not in stored(kept(BadValue("channel", "whispered")))


def test_a_command_there_is_none_of_is_not_kept_as_it_was_typed() -> None:
    assert ID_CARD not in stored(kept(command=ID_CARD))


@pytest.mark.parametrize(
    "told", [{}, {"command": 5}, {"command": "\ud800"}, {"command": ["confirm"]}]
)
def test_an_attempt_is_kept_also_where_its_command_does_not_read(told: dict[str, Any]) -> None:
    found = refused_attempt(told, REFUSED, KNOWN)
    assert RefusedAttempt.model_validate_json(stored(found)).code == "window_not_open"


def test_a_student_who_asks_to_move_was_at_the_school_known_then() -> None:
    assert kept(command="change_school", school="ecnu").school == "sjtu"


words = st.sampled_from(
    [*GARBAGE[:-3], *TOLD.values(), *COMMANDS, ID_CARD, PHONE, True, 0, -1, None]
)
any_text = st.text(st.characters(), max_size=90)  # with lone surrogates
anything = st.recursive(
    st.one_of(words, any_text, st.binary(max_size=9), st.integers(), st.floats(), st.datetimes()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(any_text, inner, max_size=2)
    ),
    max_leaves=3,
)
keys = st.one_of(st.sampled_from([*TOLD, *RefusedAttempt.model_fields, "schema"]), any_text)
mappings = st.dictionaries(keys, anything, max_size=9)
often = settings(max_examples=200, deadline=None)


def as_read(name: str, value: object) -> object:
    """What a field would read if it alone had been told; None if it does not read, or may not."""
    if isinstance(value, str) and revealing(value):
        return None
    model = RefusedAttempt(command="confirm", code="bad_value", **KNOWN)
    try:
        return getattr(RefusedAttempt.model_validate({**vars(model), name: value}), name)
    except ValidationError:
        return None


@often
@forall(mappings, st.sampled_from([*COMMANDS]))
def test_whatever_was_told_each_field_is_what_it_reads_or_else_what_is_known(
    told: Mapping[str, Any], command: str
) -> None:
    told = {**told, "command": command}
    found = refused_attempt(told, REFUSED, KNOWN)
    for name in (*TEXTS, "observed"):
        read = as_read(name, told[name]) if told.get(name) is not None else None
        instead = KNOWN.get(name, False if name == "observed" else None)
        is_known = name in ("ref", "school")
        assert getattr(found, name) == (instead if is_known or read is None else read)
    assert found.occurred_at == (as_read("occurred_at", told["at"]) if "at" in told else None)
    assert (found.command, found.code) == (command, "window_not_open")
    assert (found.tried_at, found.via, found.year, found.version) == (TRIED, "test", 2025, 2)
    assert found.where is None


@often
@forall(mappings, st.sampled_from([*COMMANDS]), any_text)
def test_what_is_kept_of_anything_is_the_same_when_it_is_read_again(
    told: Mapping[str, Any], command: str, where: str
) -> None:
    found = refused_attempt({**told, "command": command}, BadValue(where, "is bad"), KNOWN)
    assert RefusedAttempt.model_validate_json(stored(found)) == found


def test_an_attempt_never_changes() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        kept().code = "withdrawn"


STORED: dict[str, Any] = {
    "schema": 1,
    "command": "confirm",
    "code": "withdrawn",
    "tried_at": "2025-09-03T10:00:00+08:00",
    "by": "officer",
    "via": "test",
}


def test_the_least_that_is_stored_reads() -> None:
    found = RefusedAttempt.model_validate_json(json.dumps(STORED))
    assert json.loads(stored(found)) == STORED | {"observed": False, "version": 0, "values": {}}


@pytest.mark.parametrize("name", TEXTS)
def test_what_was_kept_before_such_words_were_refused_reads_as_it_is(name: str) -> None:
    word = "310101-19900101-1234"
    found = RefusedAttempt.model_validate_json(json.dumps(STORED | {name: word}))
    assert getattr(found, name) == word


@pytest.mark.parametrize(
    "other",
    [
        {"note": "told at home"},
        {"schema": 2},
        {"year": "last"},
        {"tried_at": "2025-09-03T10:00:00"},
        {"code": None},
    ],
    ids=str,
)
def test_a_stored_attempt_of_another_shape_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RefusedAttempt.model_validate_json(json.dumps(STORED | other))
