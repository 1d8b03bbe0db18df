"""A command from plain values, as JSON or a form has them: all that is wrong is told at once."""

import json
from collections import UserDict
from typing import Any
from uuid import UUID

import pytest

from yibao.domain.facts import commands
from yibao.domain.facts.commands import ASKED, Command
from yibao.domain.facts.telling import keys, told
from yibao.domain.refusals import BadValue

AT = "2025-09-06 14:20"
ID = "00000000-0000-0000-0000-000000000001"

#: Values with which each command can be read, all of them text.
PLAIN: dict[str, dict[str, Any]] = {
    "register": {
        "ref": "s1",
        "policy": "shanghai-2025",
        "on": "2025-09-01",
        "school": "sjtu",
        "category": "undergraduate",
        "document": "passport",
    },
    "declare_roster": {},
    "change_school": {"school": "ecnu"},
    "declare_other_cover": {"kind": "employee"},
    "stop_employee_cover": {"on": "2025-10-01"},
    "keep_other_cover": {},
    "confirm": {"channel": "app"},
    "verify_prior_coverage": {"lapsed_years": "1"},
    "build_account": {"on": "2025-09-07"},
    "activate_evoucher": {"channel": "alipay"},
    "issue_medical_card": {},
    "file_remote_care": {"province": "jiangsu"},
    "withdraw": {"on": "2025-11-10"},
    "pay_premium": {"year": "2026"},
    "fix_window": {"opens_on": "2025-09-05"},
    "receive_care": {"on": "2025-10-10", "setting": "campus_clinic", "cost": "12.50"},
    "settle_care": {"care": ID},
    "reverse_care": {"care": ID},
    "correct": {"fact_id": ID, "reason": "misread"},
    "void": {"fact_id": ID, "reason": "misread"},
}


def wrong(name: Any, values: Any, **how: Any) -> dict[str, str]:
    """What is wrong with some values, by place."""
    with pytest.raises(BadValue) as refused:
        told(name, values, **how)
    error = refused.value
    assert error.errors[0] == (error.details["where"], error.details["why"])
    assert all("\n" not in why for _, why in error.errors)
    return dict(error.errors)


def test_every_command_is_told_by_plain_values() -> None:
    assert PLAIN.keys() == ASKED.keys()


@pytest.mark.parametrize("name", ASKED)
def test_a_command_of_plain_values_is_the_one_of_its_class(name: str) -> None:
    values = {"at": AT, **PLAIN[name]}
    found = told(name, json.loads(json.dumps(values)))
    assert (type(found), found) == (ASKED[name], commands.read(ASKED[name], values))


@pytest.mark.parametrize("name", ASKED)
def test_what_a_form_leaves_empty_is_left_out(name: str) -> None:
    optional = [key for key in keys(ASKED[name]) if key not in {"at", *PLAIN[name]}]
    assert len(optional) >= 1
    for empty in ("", None):
        values = {"at": AT, **PLAIN[name], **dict.fromkeys(optional, empty)}
        assert told(name, values) == told(name, {"at": AT, **PLAIN[name]})


@pytest.mark.parametrize("name", [name for name, values in PLAIN.items() if values])
def test_what_is_needed_cannot_be_left_empty(name: str) -> None:
    needed = [key for key in PLAIN[name] if ASKED[name].model_fields[key].is_required()]
    for empty in ("", None):
        values = {"at": AT, **PLAIN[name], **dict.fromkeys(needed, empty)}
        if needed:
            assert wrong(name, values) == dict.fromkeys(needed, "Field required")


def test_any_mapping_has_values() -> None:
    assert told("confirm", UserDict(at=AT, channel="app")) == told(
        "confirm", {"at": AT, "channel": "app"}
    )


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = wrong(
        "receive_care",
        {
            "at": "soon",
            "on": "2025-02-30",
            "setting": "outpatient",
            "cost": 12.5,
            "total_cost": "nothing",
            "province": "Shanghai",
            "colour": "red",
            "by": "somebody-else",
        },
    )
    assert list(found) == [*("at", "on", "level", "cost", "total_cost", "province", "colour", "by")]


@pytest.mark.parametrize("name", ASKED)
def test_who_tells_it_and_under_which_id_is_no_value(name: str) -> None:
    beside = ["by", "command_id", "expected_version", "correlation_id", "causation_id"]
    beside += ["expected", "allowed"]
    values = {"at": AT, **PLAIN[name], **dict.fromkeys(beside, "x")}
    assert wrong(name, values) == dict.fromkeys(beside, "is told beside the values, not among them")


def test_who_tells_it_is_told_beside_the_values_and_read_with_them() -> None:
    found = told("declare_roster", {"at": AT}, by="officer-7", command_id="row-1")
    assert (found.by, found.command_id) == ("officer-7", "row-1")
    assert list(wrong("confirm", {"at": AT, "channel": "fax"}, by="x y")) == ["by", "channel"]


@pytest.mark.parametrize(
    "key", ["colour of it", "310101199001011234", "张三", "\ud800", "x" * 41, "\x1b[31m", 7, None]
)
def test_a_key_that_may_be_anything_is_not_repeated(key: Any) -> None:
    assert wrong("confirm", {"at": AT, "channel": "app", key: 1}) == {
        "values": "confirm has no such value"
    }


@pytest.mark.parametrize("name", ["confirmed", "Confirm", "", "command", None, 1, ["confirm"]])
def test_what_is_no_command_is_told_as_such(name: Any) -> None:
    assert wrong(name, {"by": 1}) == {"command": "is no command"}


@pytest.mark.parametrize("values", [None, "channel", [("channel", "app")], 7])
def test_values_have_names(values: Any) -> None:
    assert wrong("confirm", values) == {"values": "must be a mapping, of values by name"}


DEEP: Any = []
for _ in range(10_000):
    DEEP = [DEEP]

#: What is never right, whatever it is said of.
NEVER: list[Any] = [
    *(float("nan"), float("inf"), 1.5, -1, 10**5000, -(10**5000)),
    *("\ud800", "\0", "\n", " ", "x" * 100_000, "=1E+999999999", "9" * 5000),
    *({}, {"a": {"b": 1}}, [], ["app"], DEEP),
]


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("value", NEVER, ids=range(len(NEVER)))
def test_a_value_that_can_never_be_right_is_told_at_its_place(name: str, value: Any) -> None:
    texts = {"note", "school", "province"} if isinstance(value, str) else set()
    for key in keys(ASKED[name]):
        if key not in {"changes", *texts}:
            assert list(wrong(name, {"at": AT, **PLAIN[name], key: value})) == [key]


#: Whole numbers, and yuan, which may be written as such.
NUMBERS = ("lapsed_years", "years_repaid", "cost", "total_cost", "paid", "amount")


@pytest.mark.parametrize("name", ASKED)
def test_true_is_no_number_and_a_number_is_neither_true_nor_a_word(name: str) -> None:
    for key in keys(ASKED[name]):
        for value in (True, 1):
            is_number = value is not True
            if not {"observed": value is True, **dict.fromkeys(NUMBERS, is_number)}.get(key, False):
                assert key in wrong(name, {"at": AT, **PLAIN[name], key: value})


@pytest.mark.parametrize(
    ("flag", "is_observed"),
    [(True, True), ("true", True), ("on", True), (False, False), ("false", False), ("off", False)],
)
def test_a_form_tells_a_report_by_a_word(flag: Any, is_observed: bool) -> None:
    found = told("declare_roster", {"at": AT, "observed": flag})
    assert vars(found)["observed"] is is_observed


@pytest.mark.parametrize("flag", ["yes", "1", 0, 1.0, "TRUE", []])
def test_no_other_word_tells_it(flag: Any) -> None:
    assert wrong("declare_roster", {"at": AT, "observed": flag}) == {
        "observed": "must be true or false"
    }


def test_what_stands_in_a_correction_is_told_at_the_correction() -> None:
    values = {"at": AT, **PLAIN["correct"]}
    assert list(wrong("correct", {**values, "changes": {7: 1, "张三": 2, 8: 3}})) == ["changes"]
    found = told("correct", {**values, "changes": {"on": None}})
    assert isinstance(found, Command)
    assert vars(found)["changes"] == {"on": None}
    assert vars(found)["fact_id"] == UUID(ID)
