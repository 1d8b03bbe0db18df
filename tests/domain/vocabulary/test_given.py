"""The small values facts are made of, and what is refused as one."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from yibao.domain import vocabulary
from yibao.domain.vocabulary import GivenKey


def accepts(kind: str, value: object) -> bool:
    try:
        TypeAdapter(getattr(vocabulary, kind)).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("GivenKey", "s-b64e"),
        ("GivenKey", "officer@sjtu.edu/7"),
        ("GivenKey", "1" * 16),
        ("GivenKey", "1" * 19),
        ("GivenKey", "12345678901"),
        ("ReasonWord", "sheet-misread"),
        ("Name", "上海交通大学"),
        ("Name", "x"),
        ("CommandId", "~!"),
        ("LapsedYears", 0),
        ("LapsedYears", 100),
        ("LapsedYears", "1"),
        ("LapsedYears", Decimal("1")),
        ("SeenVersion", 0),
        ("SeenVersion", 2**63 - 1),
        ("CalendarYear", "2026"),
        ("CalendarYear", 2000),
        ("CalendarYear", 2999),
        ("EditionId", "shanghai-2025"),
        ("GivenInstant", "2025-09-06 14:20"),
        ("GivenDay", "2025-09-06"),
        ("Day", date(1900, 1, 1)),
        ("Day", date(2999, 12, 31)),
        ("GivenDay", "2999-12-31"),
    ],
)
def test_a_value_that_can_be_right_is_taken(kind: str, value: object) -> None:
    assert accepts(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("GivenName", "a\0b"),
        ("GivenKey", "310101200001011234"),
        ("GivenKey", "31010120000101123X"),
        ("GivenKey", "31010120000101123x"),
        ("GivenKey", "13812345678"),
        ("OpaqueKey", ""),
        ("OpaqueKey", "-s1"),
        ("OpaqueKey", "Li Lei"),
        ("OpaqueKey", "李雷"),
        ("OpaqueKey", "s" * 65),
        ("ReasonWord", "Sheet misread"),
        ("ReasonWord", "-"),
        ("ReasonWord", "a" * 81),
        ("Name", " sjtu"),
        ("Name", "sjtu\n"),
        ("Name", "s" * 65),
        ("CommandId", "a b"),
        ("CommandId", "c" * 65),
        ("Note", ""),
        ("Note", "n" * 4001),
        ("LapsedYears", -1),
        ("LapsedYears", 101),
        ("LapsedYears", "1.0"),
        ("LapsedYears", "1_0"),
        ("LapsedYears", "１"),
        ("LapsedYears", ""),
        ("LapsedYears", 2.0),
        ("LapsedYears", True),
        ("LapsedYears", Decimal("1E+999999999")),
        ("LapsedYears", Decimal("1E-999999999")),
        ("LapsedYears", Decimal("NaN")),
        ("SeenVersion", -1),
        ("SeenVersion", True),
        ("SeenVersion", 2**63),
        ("SeenVersion", Decimal("1E+999999999")),
        ("CalendarYear", 2026.0),
        ("CalendarYear", 1999),
        ("CalendarYear", 3000),
        ("EditionId", "Shanghai 2025"),
        ("Day", date(1899, 12, 31)),
        ("Day", date(3000, 1, 1)),
        ("GivenDay", "1899-12-31"),
        ("GivenDay", "3000-01-01"),
        ("GivenDay", "2025-09-06 14:20"),
        ("GivenDay", "2025-9-6"),
        ("GivenInstant", "2025-09-06"),
        ("Instant", "2025-09-06T14:20:00"),
    ],
)
def test_a_value_that_can_never_be_right_is_refused(kind: str, value: object) -> None:
    assert not accepts(kind, value)


def test_a_number_too_long_to_be_written_is_no_value() -> None:
    assert not accepts("LapsedYears", 10**5000)
    assert not accepts("SeenVersion", 10**5000)


@pytest.mark.parametrize(
    "kind", ["GivenKey", "GivenName", "GivenReason", "GivenCommandId", "GivenEditionId"]
)
def test_no_free_word_of_a_command_may_be_such_a_number(kind: str) -> None:
    for number in ("310101-19900101-1234", "310101900101123", "138-1234-5678"):
        assert not accepts(kind, number)


@pytest.mark.parametrize("kind", ["OpaqueKey", "Name", "AskedName", "ReasonWord", "CommandId"])
def test_what_is_stored_or_asked_about_is_read_as_it_is(kind: str) -> None:
    for number in ("310101-19900101-1234", "310101900101123", "138-1234-5678"):
        assert accepts(kind, number)


@pytest.mark.parametrize("number", ["310101200001011234", "13812345678"])
def test_a_refused_identity_number_is_not_repeated_by_our_own_words(number: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(GivenKey).validate_python(number)
    assert number not in refused.value.errors()[0]["msg"]
