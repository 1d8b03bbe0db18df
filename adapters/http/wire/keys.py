"""The key of a command, and what its sender has seen: both stand in headers."""

from typing import Final

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from yibao.adapters.http.wire.problems import Problem
from yibao.adapters.http.wire.seen import expected_of
from yibao.domain.vocabulary import GivenCommandId, Seen

KEY: Final = "Idempotency-Key"
_KEYS: Final[TypeAdapter[str]] = TypeAdapter(GivenCommandId)


def key_of(request: Request) -> str:
    """The command id of a request; raises Problem where there is none, or it can be none."""
    given = request.headers.getlist(KEY)
    if not given:
        raise Problem("key_missing")
    try:
        (key,) = given
        return _KEYS.validate_python(key)
    except (ValueError, ValidationError):
        raise Problem("key_malformed") from None


def if_match_of(request: Request, *, needed: bool = False) -> Seen | None:
    """What the sender has seen; None for whatever there is. Raises Problem where it is needed."""
    given = request.headers.get("if-match")
    if given is None and needed:
        raise Problem("if_match_missing")
    return expected_of(given)
