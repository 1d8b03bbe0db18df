"""Amounts of money: whole fen inside, yuan with two decimals outside, never a float."""

import operator
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Self

from pydantic_core import CoreSchema
from pydantic_core.core_schema import (
    no_info_plain_validator_function,
    plain_serializer_function_ser_schema,
)

from yibao.domain.kept import kept

_YUAN = re.compile(r"\d{1,10}(\.\d{1,2})?", re.ASCII)


class Fen(int):
    """An amount in fen, told in yuan.

    >>> str(Fen(12050))
    '120.50'
    >>> Fen.of("120.5") + Fen(1)
    12051
    """

    @kept
    def _text(self) -> str:
        whole, part = divmod(abs(self), 100)
        return f"{'-' if self < 0 else ''}{whole}.{part:02d}"

    @classmethod
    def of(cls, yuan: str | Decimal | int) -> Self:
        """The amount in yuan, as text, as a whole number or as a Decimal.

        Raises ValueError for anything else: a float, a negative amount, more than two decimals.
        """
        if isinstance(yuan, bool) or not isinstance(yuan, str | Decimal | int):
            raise ValueError("an amount is text, a whole number or a Decimal, never a float")
        text = _spelled(yuan) if isinstance(yuan, Decimal | int) else yuan
        if not _YUAN.fullmatch(text):
            raise ValueError("an amount is written in yuan with at most two decimals, as 120.00")
        whole, _, part = text.partition(".")
        fen = cls(int(whole) * 100 + int(part.ljust(2, "0")))
        str(fen)  # kept for pydantic, in which would be lost what a signal raises in the middle
        return fen

    def __str__(self) -> str:
        return self._text

    def share(self, percent: Decimal) -> "Fen":
        """A share of the amount, rounded half up to the fen (R29)."""
        return Fen(int((self * percent / 100).quantize(Decimal(1), ROUND_HALF_UP)))

    def less(self, other: int) -> "Fen":
        """What is left of the amount."""
        return Fen(self - other)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        as_text = plain_serializer_function_ser_schema(
            operator.attrgetter("_text"), when_used="json-unless-none"
        )
        return no_info_plain_validator_function(cls._given, serialization=as_text)

    @classmethod
    def _given(cls, given: Any) -> Self:
        return cls.of(str(given) if isinstance(given, cls) else given)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_YUAN.pattern}$"}


def _spelled(yuan: Decimal | int) -> str:
    """A number written out, or nothing: `1E+999999999` would take gigabytes, and is no amount."""
    if isinstance(yuan, Decimal):
        return format(yuan, "f") if yuan.is_finite() and -2 <= yuan.adjusted() <= 9 else ""
    return str(yuan) if 0 <= yuan < 10**12 else ""


NOTHING = Fen(0)
