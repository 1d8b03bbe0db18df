"""The schema of a command accepts what can be read as one, and refuses what cannot."""

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from yibao.adapters.shapes.commands import commands_schema
from yibao.domain.facts.commands import ASKED
from yibao.domain.facts.telling import keys, told
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import (
    ActivationChannel,
    CareSetting,
    Category,
    ConfirmationChannel,
    Document,
    HospitalLevel,
    OtherCover,
)

SCHEMA = commands_schema()
WORDS = sorted(
    word.value
    for kind in (
        *(ActivationChannel, CareSetting, Category, ConfirmationChannel, Document),
        *(HospitalLevel, OtherCover),
    )
    for word in kind
)


def pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """As ECMA-262 has it, where `$` is the very end."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError("does not match")


Validator = extend(Draft202012Validator, {"pattern": pattern})
VALIDATORS = {
    name: Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for name, schema in SCHEMA["commands"].items()
}

days = st.one_of(
    st.dates(date(1890, 1, 1), date(3010, 12, 31)).map(date.isoformat),
    st.from_regex(r"2025-\d\d-\d\d", fullmatch=True),
)
times = st.from_regex(
    r"[012]\d:[0-6]\d(:[0-6]\d(\.\d{1,7})?)? ?(Z|[+-][012]\d:[0-6]\d)?", fullmatch=True
)
texts = st.one_of(
    st.sampled_from(
        ["", " ", "app", "a b", "x\n", "\n", "\0", "上海", "Shanghai", "SHANGHAI", "江苏"]
    ),
    st.sampled_from(["on", "true", "off", "True", "x" * 64, "x" * 65, "misread", "Not a word"]),
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.text(st.characters(codec="ascii"), max_size=5),
)
plain = st.one_of(
    *(days, st.builds("{}{}{}".format, days, st.sampled_from(" T_"), times), texts),
    st.sampled_from(WORDS),
    st.sampled_from(["00000000-0000-0000-0000-00000000000a", "0" * 32, "0" * 31]),
    st.from_regex(r"-?\d{1,4}(\.\d{1,3})?", fullmatch=True),
    *(st.sampled_from(["-0", "007", "0100", "101", "2999", "3000"]), st.integers(-1, 3000)),
    *(st.integers(), st.floats(), st.booleans(), st.none()),
    *(st.lists(st.integers(), max_size=2), st.dictionaries(texts, texts, max_size=2)),
)


@st.composite
def values(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Values of a command, of which a few may be anything, and keys that it may not have."""
    found: dict[str, Any] = {}
    schema = SCHEMA["commands"][name]
    for key in keys(ASKED[name]):
        if key in schema["required"] or draw(st.booleans()):
            found[key] = draw(FITTING.get(key, plain))
    for _ in range(draw(st.integers(0, 2))):
        key = draw(st.sampled_from(["by", "colour", *keys(ASKED[name]) * 2]))
        found[key] = draw(plain)
    return found


moments = st.builds("2025-09-{} 10:00".format, st.sampled_from(["01", "30"]))
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "at": moments,
    "occurred_at": moments,
    "opens_at": moments,
    **dict.fromkeys(["on", "opens_on", "closes_on", "waiting_ends_on"], st.just("2025-09-30")),
    **dict.fromkeys(["cost", "total_cost", "paid"], st.sampled_from(["12.50", "12.5", 12, "0"])),
    **dict.fromkeys(["fact_id", "care"], st.just("00000000-0000-0000-0000-00000000000a")),
    "setting": st.sampled_from([each.value for each in CareSetting]),
    "level": st.sampled_from([each.value for each in HospitalLevel]),
    "category": st.sampled_from([each.value for each in Category]),
    "document": st.sampled_from([each.value for each in Document]),
    "channel": st.sampled_from(["app", "alipay"]),
    "kind": st.sampled_from([each.value for each in OtherCover]),
    "observed": st.sampled_from([True, "on", "false"]),
    "lapsed_years": st.sampled_from([0, 100, "3"]),
    "year": st.sampled_from([2026, "2026"]),
    "changes": st.dictionaries(texts, plain, max_size=2),
    **dict.fromkeys(["ref", "school", "reason", "note"], st.just("s1")),
    "province": st.sampled_from(["zhejiang", "江苏", "shanghai"]),
    "policy": st.just("shanghai-2025"),
}

#: What no schema can tell.
UNTOLD = re.compile(
    "must be a whole number"  # 2026.0, which JSON does not tell from 2026
    "|never a float"
    "|day is out of range for month"
    "|the year must lie between"
    "|cannot be less than the eligible cost"
    "|looks like an"
)


@pytest.mark.parametrize("name", ASKED)
@settings(max_examples=60, deadline=None)
@forall(data=st.data())
def test_what_can_be_read_is_what_the_schema_accepts(name: str, data: st.DataObject) -> None:
    given = json.loads(json.dumps(data.draw(values(name))))
    wrong = [error.message for error in VALIDATORS[name].iter_errors(given)]
    try:
        told(name, given)
    except BadValue as refused:
        if not wrong:
            assert all(UNTOLD.search(why) for _, why in refused.errors), refused.errors
    else:
        assert not wrong


def test_care_of_no_province_may_say_so() -> None:
    given = {"on": "2025-09-30", "setting": "campus_clinic", "cost": "12.50", "province": None}
    assert VALIDATORS["receive_care"].is_valid(given)
    assert not VALIDATORS["receive_care"].is_valid(given | {"province": "Shanghai"})


def test_the_schema_of_each_command_is_one() -> None:
    assert SCHEMA["commands"].keys() == ASKED.keys()
    for schema in SCHEMA["commands"].values():
        Draft202012Validator.check_schema(schema)
        assert "$ref" not in json.dumps(schema)


@pytest.mark.parametrize(
    ("name", "values", "fits"),
    [
        ("fix_window", {}, False),
        ("fix_window", {"opens_on": "", "closes_on": None}, False),
        ("fix_window", {"opens_on": "2025-09-05", "opens_at": "2025-09-05 08:00"}, False),
        ("fix_window", {"opens_on": "2025-09-05", "opens_at": ""}, True),
        ("receive_care", {"setting": "outpatient"}, False),
        ("receive_care", {"setting": "outpatient", "level": ""}, False),
        ("receive_care", {"setting": "outpatient", "level": "third"}, True),
        ("receive_care", {"setting": "village_clinic", "level": "third"}, False),
        ("receive_care", {"setting": "village_clinic", "level": ""}, True),
        ("receive_care", {"setting": "village_clinic", "province": "ShangHai"}, False),
        ("receive_care", {"setting": "village_clinic", "province": "上海市"}, False),
        ("receive_care", {"setting": "village_clinic", "province": "江苏"}, True),
    ],
)
def test_what_holds_of_several_values_together_is_told(
    name: str, values: dict[str, Any], fits: bool
) -> None:
    rest = {"at": "2025-09-06 14:20"}
    rest |= {"on": "2025-09-06", "cost": "12.00"} if name == "receive_care" else {}
    assert VALIDATORS[name].is_valid({**rest, **values}) is fits
    if fits:
        told(name, {**rest, **values})
    else:
        with pytest.raises(BadValue):
            told(name, {**rest, **values})
