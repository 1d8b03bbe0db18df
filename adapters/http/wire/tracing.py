"""By what a request is told apart in logs: its trace."""

import re
from secrets import token_hex
from typing import Final

from starlette.requests import Request

#: The trace of a caller, by W3C's `traceparent`.
_PARENT: Final = re.compile("[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_KEPT: Final = "yibao_trace"


def trace_of(request: Request) -> str:
    """The trace of a request: its caller's, else a new one; 32 hexadecimal digits."""
    if _KEPT not in request.scope:
        found = _PARENT.fullmatch(request.headers.get("traceparent", ""))
        request.scope[_KEPT] = found[1] if found else token_hex(16)
    return str(request.scope[_KEPT])
