"""What is given in a query, read as people write it."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import TypeAdapter, ValidationError

from yibao.adapters.service import read_instant
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import GivenReason

Optional = Annotated[str | None, Query()]
YearOrNone = Annotated[int | None, Query(ge=2000, le=2999)]
Days = Annotated[int | None, Query(ge=0, le=1_000_000)]
EntryId = Annotated[int, Path(ge=0, lt=2**63)]
Number = Annotated[int | None, Query(ge=0, lt=2**63)]

_REASON: Final[TypeAdapter[str]] = TypeAdapter(GivenReason)


def instant_given(given: str | None) -> datetime | None:
    """An instant, if there is one; raises BadValue."""
    return None if given is None else read_instant(given)


def reason_given(given: str | None) -> str | None:
    """Why something is asked for, in a word; raises BadValue."""
    try:
        return None if given is None else _REASON.validate_python(given)
    except ValidationError:
        raise BadValue("reason", "is no word that says why") from None
