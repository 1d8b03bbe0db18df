"""What may be asked, in which shape, and by what a repeated command is recognized."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from yibao.domain.facts import commands
from yibao.domain.facts.commands import (
    ASKED,
    COMMANDS,
    Command,
    Confirm,
    Correct,
    DeclareRoster,
    FixWindow,
    VerifyPriorCoverage,
    Void,
)

AT = "2025-09-06 14:20"


def signed(**values: Any) -> Confirm:
    return Confirm(**{"at": AT, "channel": "app", **values})


def test_some_commands_are_always_reports() -> None:
    assert {name for name, kind in COMMANDS.items() if kind.always_report} == {
        "verify_prior_coverage",
        "build_account",
        "issue_medical_card",
        "declare_other_cover",
        "stop_employee_cover",
        "fix_window",
        "receive_care",
    }


def test_a_fact_without_a_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    rest = {name: kind for name, kind in ASKED.items() if name != "settle_care"}
    monkeypatch.setattr(commands, "ASKED", rest)
    with pytest.raises(TypeError, match="`care-settled` has no command that records it"):
        commands.check_facts()


def test_a_command_with_other_values_than_its_fact_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(commands.COMMANDS, "confirm", _Later)
    with pytest.raises(TypeError, match="`confirm` and `confirmed` differ in: is_urgent, place"):
        commands.check_facts()


@pytest.mark.parametrize(
    ("kind", "values", "why"),
    [
        (Confirm, {"channel": "post"}, "channel"),
        (Confirm, {}, "channel"),
        (Confirm, {"channel": "app", "color": "red"}, "color"),
        (Confirm, {"channel": "app", "expected_version": -1}, "expected_version"),
        (FixWindow, {}, "needs opens_on, opens_at, closes_on or closes_at"),
        (FixWindow, {"school": "sjtu"}, "needs opens_on, opens_at, closes_on or closes_at"),
        (FixWindow, {"opens_on": "2025-09-06", "opens_at": "2025-09-06 08:00"}, "either"),
        (Correct, {"fact_id": UUID(int=1)}, "reason"),
        (Void, {"fact_id": UUID(int=1)}, "reason"),
        (Void, {"fact_id": UUID(int=1), "reason": "Free text!"}, "reason"),
    ],
)
def test_a_command_in_a_wrong_shape_is_refused(
    kind: type[Command], values: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        kind(at=AT, **values)  # type: ignore[arg-type]


#: Every free word of every command, and a command that fits but for it.
WORDS = [
    (kind, place)
    for kind in ASKED.values()
    for place in ("by", "command_id", "correlation_id", "causation_id", "reason")
] + [
    (kind, place)
    for kind in COMMANDS.values()
    for place in ("ref", "school", "province", "policy")
    if place in kind.model_fields
]


@pytest.mark.parametrize(("kind", "place"), WORDS, ids=lambda it: getattr(it, "name", it))
def test_a_word_that_holds_a_number_of_a_person_is_refused_at_its_place(
    kind: type[Command], place: str
) -> None:
    for number in ("310101-19900101-1234", "13812345678"):
        with pytest.raises(ValidationError) as refused:
            kind.model_validate({place: number})
        told = {found["loc"]: found["msg"] for found in refused.value.errors()}
        assert "looks like an identity card or phone number" in told[place,]
        assert number not in told[place,]


def test_a_note_is_free_text_and_may_hold_anything() -> None:
    assert signed(note="call 138-1234-5678").note == "call 138-1234-5678"


def test_a_refused_value_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as refused:
        signed(by="310101200001011234")
    assert "310101200001011234" not in str(refused.value)


def test_a_lapsed_year_may_name_the_last_waiting_day() -> None:
    check = VerifyPriorCoverage(at=AT, lapsed_years=1, waiting_ends_on="2025-10-31")  # type: ignore[arg-type]
    assert str(check.values()["waiting_ends_on"]) == "2025-10-31"


@pytest.mark.parametrize(
    "values",
    [
        {"command_id": "c1"},
        {"expected_version": 3},
        {"correlation_id": "k1"},
        {"causation_id": "k2"},
        {"note": "told on the phone"},
        {"at": "2025-09-06 06:20Z"},
    ],
    ids=["command id", "expected version", "correlation", "causation", "note", "zone"],
)
def test_how_a_command_is_asked_does_not_change_its_content(values: dict[str, Any]) -> None:
    assert signed(**values).digest() == signed().digest()


@pytest.mark.parametrize(
    "values",
    [
        {"channel": "wechat"},
        {"at": "2025-09-06 14:21"},
        {"observed": True},
        {"by": "officer-7"},
        {"reason": "late-report"},
    ],
    ids=["channel", "at", "observed", "by", "reason"],
)
def test_what_a_command_asks_changes_its_content(values: dict[str, Any]) -> None:
    assert signed(**values).digest() != signed().digest()


def test_the_digest_of_a_correction_as_given_is_that_of_released_stores() -> None:
    asked = Correct.model_validate(
        {"at": AT, "fact_id": UUID(int=1), "reason": "misread", "changes": {"cost": "130"}}
    )
    assert asked.digest() == "f94b73bf689f6e070288302dd675e023"


class _Later(Confirm):
    """The same command in a later release, which can be told more."""

    place: str | None = None
    is_urgent: bool = False


def test_what_only_a_later_release_can_be_told_does_not_change_a_command_without_it() -> None:
    assert _Later(at=AT, channel="app").digest() == Confirm(at=AT, channel="app").digest()  # type: ignore[arg-type]
    assert _Later(at=AT, channel="app", is_urgent=True).digest() != signed().digest()  # type: ignore[arg-type]


def test_two_kinds_of_command_never_have_the_same_content() -> None:
    assert DeclareRoster(at=AT).digest() != COMMANDS["keep_other_cover"](at=AT).digest()  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [17.5, 1757140800, True])
def test_a_number_is_no_instant_and_no_day(given: Any) -> None:
    with pytest.raises(ValidationError, match="text"):
        signed(at=given)
    with pytest.raises(ValidationError, match="text"):
        COMMANDS["build_account"].model_validate({"at": AT, "on": given})
