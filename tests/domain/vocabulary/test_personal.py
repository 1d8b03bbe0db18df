"""What of a person a free word must not hold."""

import random
from uuid import UUID

import pytest

from yibao.domain.vocabulary import revealing

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
