"""Amounts of money: whole fen inside, yuan with two decimals outside, never a float."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from yibao.domain.money import NOTHING, Fen

amounts = st.integers(0, 10**9).map(Fen)
percents = st.decimals(0, 100, places=2)


class Receipt(BaseModel):
    paid: Fen


@pytest.mark.parametrize(
    ("yuan", "fen"),
    [
        ("120.50", 12050),
        ("120.5", 12050),
        ("120", 12000),
        ("0.00", 0),
        ("0.01", 1),
        ("0", 0),
        ("10000000.00", 1_000_000_000),
        ("9999999999.99", 999_999_999_999),
        (120, 12000),
        (0, 0),
        (Decimal("120.5"), 12050),
        (Decimal("0.01"), 1),
        (Decimal("1E+2"), 10000),
    ],
    ids=repr,
)
def test_an_amount_is_read_in_yuan(yuan: str | int | Decimal, fen: int) -> None:
    assert int(Fen.of(yuan)) == fen


@pytest.mark.parametrize(
    "given",
    [
        120.5,
        120.0,
        float("nan"),
        True,
        None,
        b"120",
        -1,
        "-0.01",
        Decimal("-0.01"),
        "1.000",
        "0.001",
        Decimal("1.000"),
        Decimal("NaN"),
        Decimal("Infinity"),
        "NaN",
        "1e2",
        "1E+2",
        "",
        " ",
        " 1.00",
        "1.00 ",
        "1.00\n",
        "1 000.00",
        "1,000.00",
        "1_000",
        "+1.00",
        ".50",
        "1.",
        "１２.００",
        "12345678901",
        12345678901,
        Decimal("1E+10"),
        Decimal("1E+999999999"),
        Decimal("1E-999999999"),
        Decimal("0E+999999999"),
        Decimal("0E-999999999"),
        Decimal("-1E+999999999"),
        Decimal("sNaN"),
        Decimal("-0"),
        "1E+999999999",
        "¥1.00",
    ],
    ids=repr,
)
def test_what_is_not_an_amount_in_yuan_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="an amount is"):
        Fen.of(given)


def test_a_number_too_long_to_be_written_is_no_amount() -> None:
    for given in (10**5000, -(10**5000), "9" * 100_000):
        with pytest.raises(ValueError, match="an amount is written"):
            Fen.of(given)


def test_a_refused_amount_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="an amount is") as refused:
        Fen.of("310101200001011234")
    assert "310101200001011234" not in str(refused.value)


def test_an_amount_given_as_an_amount_stays_what_it_is() -> None:
    assert Fen.of(Fen(12050)) == Fen(12050)


@pytest.mark.parametrize(
    ("fen", "yuan"),
    [(0, "0.00"), (1, "0.01"), (10, "0.10"), (12050, "120.50"), (1_000_000_000, "10000000.00")],
)
def test_an_amount_is_told_in_yuan_with_two_decimals(fen: int, yuan: str) -> None:
    assert str(Fen(fen)) == yuan


@forall(amounts)
def test_an_amount_is_read_as_it_is_told(amount: Fen) -> None:
    assert Fen.of(str(amount)) == amount


def test_what_is_left_of_an_amount_is_an_amount() -> None:
    assert str(Fen.of("300.00").less(Fen.of("0.01"))) == "299.99"


@pytest.mark.parametrize(
    ("yuan", "percent", "share"),
    [
        ("0.01", "50", "0.01"),  # half a fen goes up
        ("0.03", "50", "0.02"),  # to the even fen or not
        ("0.05", "50", "0.03"),
        ("0.01", "49.99", "0.00"),
        ("0.09", "80", "0.07"),
        ("0.07", "75", "0.05"),
        ("120.00", "80", "96.00"),
        ("120.00", "0", "0.00"),
        ("120.00", "100", "120.00"),
        ("10000000.00", "70", "7000000.00"),
    ],
)
def test_a_share_is_rounded_half_up_to_the_fen(yuan: str, percent: str, share: str) -> None:
    assert str(Fen.of(yuan).share(Decimal(percent))) == share


@forall(amounts, percents)
def test_a_share_is_what_decimal_says_in_yuan(amount: Fen, percent: Decimal) -> None:
    in_yuan = Decimal(str(amount)) * percent / 100
    rounded = in_yuan.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert Decimal(str(amount.share(percent))) == rounded


@forall(amounts, percents)
def test_a_share_and_the_rest_are_the_whole(amount: Fen, percent: Decimal) -> None:
    share = amount.share(percent)
    assert NOTHING <= share <= amount
    assert share + amount.less(share) == amount


def test_a_model_writes_an_amount_as_text_in_yuan() -> None:
    assert Receipt(paid=Fen(12050)).model_dump_json() == '{"paid":"120.50"}'


@forall(amounts)
def test_a_model_reads_back_what_it_wrote(amount: Fen) -> None:
    again = Receipt.model_validate_json(Receipt(paid=amount).model_dump_json())
    assert (again.paid, type(again.paid)) == (amount, Fen)


def test_a_whole_number_in_a_model_is_yuan_and_an_amount_is_itself() -> None:
    read = Receipt.model_validate({"paid": 120}).paid, Receipt(paid=Fen(120)).paid
    assert [str(amount) for amount in read] == ["120.00", "1.20"]


@pytest.mark.parametrize("text", ['{"paid": 120.5}', '{"paid": "1.005"}', '{"paid": null}'])
def test_a_model_refuses_what_is_not_an_amount(text: str) -> None:
    with pytest.raises(ValidationError, match="an amount is"):
        Receipt.model_validate_json(text)


def test_the_schema_of_an_amount_is_text_in_yuan() -> None:
    assert Receipt.model_json_schema()["properties"]["paid"]["type"] == "string"
