"""The small values facts are made of, and what is refused as one."""

import random
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from yibao.domain import vocabulary
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import (
    Category,
    Document,
    EnrollmentId,
    GivenKey,
    State,
    edition_stream,
    revealing,
)

#: Stored for ever: were these to change, nothing recorded would be found again.
STREAM_OF_S1 = "04bc643a-f413-5765-9be4-9e62098a42f4"
STREAM_OF_SHANGHAI_2025 = "c069b2da-7b25-5d96-89d2-f2aadff77349"


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


#: As people write numbers and addresses that are somebody's.
REVEALING = [
    "310101199001011234",  # the day of birth of a person, whatever the check digit
    "31010119900101123X",
    "31010119900101123x",
    "110101199013014515",  # no such day, but the right check digit
    "810000199408230021",
    "911156198108030024",
    "310101900101123",
    "310101-19900101-1234",
    "310101.1990.0101.123-X",
    "310101/19900101/1234",
    "310101_19900101_1234",
    "s-310101-19900101-1234",
    "id:310101199001011234",
    "p-310101900101123",
    "2025:310101199001011234",
    "310101 19900101 1234",
    "310101\u200b199001011234",
    "３１０１０１１９９００１０１１２３４",
    "٣١٠١٠١199001011234",
    "李雷310101199001011234",
    "13812345678",
    "138-1234-5678",
    "138 1234 5678",
    "1381234-5678",
    "tel:13812345678",
    "(138)12345678",
    "+8613812345678",
    "+86-138-1234-5678",
    "008613812345678",
    "8613812345678",
    "电话１３８１２３４５６７８",
    "13812345678/2025",
    "x-138-1234-5678",
    "138-1234-5678 x 2",
    "ada@sjtu.edu.cn",
    "mailto:ada.li+2025@sjtu.edu.cn",
    "a@b.cn",
    "ada＠sjtu.edu.cn",
    "李雷@例子.中国",
]


@pytest.mark.parametrize("word", REVEALING)
def test_a_number_or_address_of_a_person_is_seen_however_it_is_written(word: str) -> None:
    told = revealing(word)
    assert told is not None
    assert word not in told


@pytest.mark.parametrize(
    "word",
    [
        "app-771",
        "p-1234567890123456",
        "sjtu",
        "上海交通大学",
        "上海市第6人民医院",
        "Shanghai Jiao Tong University 2025",
        "20250901083000",
        "20250906142000123",
        "2025-09-13_14:20:00.123",
        "2025-09-13T14:20:00+08:00",
        "20250906-142000-1234",
        "import-2025-09-13-142000-123",
        "1757140800000",
        "1757140800000123",
        "12345678901",  # no mobile number begins so
        "10000000000",
        "138123456789",  # one digit too many
        "1381234567",
        "310101199001011234x5",
        "a31010119900101123b",
        "x13812345678",
        "310101991301123",  # no such day, and no check digit in fifteen
        "991234567890123456",  # no such region
        "202509061420001234",
        "1" * 18,
        "1" * 64,
        "officer@sjtu",
        "officer@sjtu.edu/7",
        "@@",
        "518021910123",
    ],
)
def test_what_only_resembles_such_a_number_is_taken(word: str) -> None:
    assert revealing(word) is None


def test_what_machines_allocate_is_hardly_ever_taken_for_a_number_of_a_person() -> None:
    chance, seen = random.Random(2025), 0
    for _ in range(100_000):
        key = UUID(int=chance.getrandbits(128), version=4)
        ulid = "".join(chance.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=26))
        for word in (key.hex, str(key), ulid, f"p-{key.hex[:16]}", f"{key.int:064x}"):
            seen += revealing(word) is not None
    assert seen == 0


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


def test_a_student_and_a_benefit_year_always_name_the_same_stream() -> None:
    assert str(EnrollmentId("s1", 2025).stream) == STREAM_OF_S1


@pytest.mark.parametrize("year", [2025.0, "2025", None])
def test_a_year_that_is_no_whole_number_names_no_stream(year: Any) -> None:
    for stream in ("stream", "care_stream"):
        with pytest.raises(BadValue, match="year"):
            getattr(EnrollmentId("s1", year), stream)


def test_each_benefit_year_has_a_stream_of_its_own() -> None:
    assert EnrollmentId("s1", 2025).stream != EnrollmentId("s1", 2024).stream


def test_each_student_has_a_stream_of_her_own() -> None:
    assert EnrollmentId("s1", 2025).stream != EnrollmentId("s2", 2025).stream


def test_an_edition_always_names_the_same_stream() -> None:
    assert str(edition_stream("shanghai-2025")) == STREAM_OF_SHANGHAI_2025


@given(ref=st.text(), year=st.integers())
def test_a_stream_is_named_as_uuid5_names_it(ref: str, year: int) -> None:
    streams = uuid5(NAMESPACE_URL, "yibao:streams")
    assert EnrollmentId(ref, year).stream == uuid5(streams, f"enrollment/{year}/{ref}")


def test_a_reference_cannot_reach_into_the_stream_of_an_edition() -> None:
    assert EnrollmentId("shanghai-2025", 2025).stream != edition_stream("shanghai-2025")


def test_the_states_are_those_of_the_reading() -> None:
    assert " ".join(State) == (
        "registered confirmed in_waiting_period account_built evoucher_eligible active expired "
        "opted_out lapsed withdrawn"
    )


def test_the_categories_are_the_agreed_ones() -> None:
    assert " ".join(Category) == (
        "undergraduate higher_vocational postgraduate employed_postgraduate foreign"
    )


def test_the_documents_are_the_agreed_ones() -> None:
    assert " ".join(Document) == (
        "resident_id_card hmt_residence_permit passport taiwan_travel_permit "
        "hk_macao_travel_permit exit_entry_permit overseas_chinese_permit"
    )


def test_a_stream_of_another_year_tells_which_year_it_is() -> None:
    ada = EnrollmentId("s1", 2026)
    assert [ada.year_of(EnrollmentId("s1", year).stream) for year in (2000, 2025, 2027)] == [
        2000,
        2025,
        2027,
    ]


def test_what_is_no_other_year_of_hers_tells_none() -> None:
    ada = EnrollmentId("s1", 2026)
    others = (ada.stream, ada.care_stream, EnrollmentId("s2", 2025).stream)
    assert [ada.year_of(stream) for stream in others] == [None, None, None]
    assert ada.year_of(EnrollmentId("s1", 2028).stream) is None
