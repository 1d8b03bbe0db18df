"""What a cell says, in all its forms; and what has lost digits is not repaired."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from yibao.adapters.office.reading import Unfit, day_in, instant_in, text_in
from yibao.domain.calendar import SHANGHAI


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" 李雷\u3000", "李雷"),
        ("５２５００１", "525001"),
        ("ｘ", "x"),
        (525001.0, "525001"),
        (525001, "525001"),
        (0.0, "0"),
        (float(2**53 - 1), "9007199254740991"),
        ("0525001", "0525001"),
        ("1E5X", "1E5X"),
    ],
)
def test_text_is_taken_as_it_stands_and_whole_numbers_as_their_digits(cell: Any, text: str) -> None:
    assert text_in(cell) == text


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("", "empty"),
        ("  \u3000", "empty"),
        (1.1010519491231e17, "damaged_number"),
        (float(2**53), "damaged_number"),
        (525001.5, "damaged_number"),
        (float("nan"), "damaged_number"),
        (float("inf"), "damaged_number"),
        ("1.1E+17", "damaged_number"),
        ("1.10105e+17", "damaged_number"),
        ("１Ｅ＋１７", "damaged_number"),
        (True, "not_text"),
        (date(2025, 9, 1), "not_text"),
        (time(8, 30), "not_text"),
    ],
)
def test_what_has_lost_digits_or_is_no_text_is_told(cell: Any, why: str) -> None:
    with pytest.raises(Unfit, match=f"^{why}$"):
        text_in(cell)


def test_the_number_of_a_document_is_never_taken_from_a_number() -> None:
    with pytest.raises(Unfit, match="not_text"):
        text_in(12345678.0, is_number=False)
    with pytest.raises(Unfit, match="damaged_number"):
        text_in(1.1010519491231e17, is_number=False)


@pytest.mark.parametrize(
    "cell",
    [
        date(2025, 9, 1),
        datetime(2025, 9, 1, 8, 30, tzinfo=UTC),
        45901,
        45901.0,
        45901.354,
        20250901.0,
        "45901 ",
        "４５９０１",
        " 45901.354 ",
        "2025-09-01",
        "2025-9-1",
        "2025/09/01",
        "2025/9/1",
        "2025.9.1",
        "20250901",
        "2025年9月1日",
        "2025 年 09 月 01 日",
        "2025年9月1号",
        "２０２５－９－１",
        " 2025-09-01 08:30 ",
        "2025-09-01 08:30:00",
        "2025-09-01T00:00:00",
    ],
)
def test_a_day_is_read_in_every_form(cell: Any) -> None:
    assert day_in(cell) == date(2025, 9, 1)


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("9月1日", "no_year"),
        ("9-1", "no_year"),
        ("09/01", "no_year"),
        ("", "empty"),
        ("2025-13-01", "not_a_day"),
        ("2025-02-30", "not_a_day"),
        ("20251301", "not_a_day"),
        ("2025-09/01", "not_a_day"),
        ("25-9-1", "not_a_day"),
        ("2025-9", "not_a_day"),
        ("01/09/2025", "not_a_day"),
        ("明天", "not_a_day"),
        (2025, "not_a_day"),
        (32873, "not_a_day"),
        (73051, "not_a_day"),
        (" 73051", "not_a_day"),
        ("4590", "not_a_day"),
        (float("nan"), "not_a_day"),
        (True, "not_a_day"),
        (time(8, 30), "not_a_day"),
        ("1.1E+17", "damaged_number"),
    ],
)
def test_what_is_no_day_is_told_and_none_is_guessed(cell: Any, why: str) -> None:
    with pytest.raises(Unfit, match=f"^{why}$"):
        day_in(cell)


@pytest.mark.parametrize(
    "cell",
    [
        datetime(2025, 9, 6, 14, 20),  # noqa: DTZ001
        datetime(2025, 9, 6, 14, 19, 59, 999_999),  # noqa: DTZ001
        45906 + (14 * 60 + 20) / 1440,
        "45906.5972222",
        "2025-09-06 14:20",
        "2025/9/6 14:20:00",
        "2025年9月6日 14:20",
        "２０２５－９－６　１４：２０",
        "20250906 14:20:00.3",
    ],
)
def test_an_instant_is_read_in_every_form(cell: Any) -> None:
    assert instant_in(cell) == datetime(2025, 9, 6, 14, 20, tzinfo=SHANGHAI)


@pytest.mark.parametrize("cell", [date(2025, 9, 6), 45906, 20250906, "2025-9-6", "2025年9月6日"])
def test_a_day_alone_is_its_beginning(cell: Any) -> None:
    assert instant_in(cell) == datetime(2025, 9, 6, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("2025-09-06 24:20", "not_an_instant"),
        ("2025-09-06 2pm", "not_a_day"),
        ("9月6日 14:20", "no_year"),
        ("14:20", "not_a_day"),
        ("", "empty"),
        (True, "not_a_day"),
        (time(14, 20), "not_a_day"),
    ],
)
def test_what_is_no_instant_is_told(cell: Any, why: str) -> None:
    with pytest.raises(Unfit, match=f"^{why}$"):
        instant_in(cell)


def test_the_days_between_which_a_number_is_one() -> None:
    assert day_in(32874) == date(1990, 1, 1)
    assert day_in(73050) == date(2099, 12, 31)
