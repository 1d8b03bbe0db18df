"""Bodies as they come: so much and no more, and JSON that means one thing to everybody."""

import json
from typing import Any, Final, NoReturn

from starlette.requests import Request

from yibao.adapters.http.wire.problems import Problem

#: Bytes of a body, and of an upload.
JSON_LIMIT: Final = 2**20
UPLOAD_LIMIT: Final = 32 * 2**20


async def raw_body(request: Request, limit: int = JSON_LIMIT) -> bytes:
    """The body; raises Problem with 413 for more than a limit, before it is read to its end."""
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and (len(told) > 12 or int(told) > limit):
        raise Problem("too_large", limit=limit)
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise Problem("too_large", limit=limit)
        parts.append(part)
    return b"".join(parts)


async def json_body(request: Request, limit: int = JSON_LIMIT) -> dict[str, Any]:
    """The object of a body; raises Problem for another type, more than a limit, and no JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem("not_json_type")
    return json_object(await raw_body(request, limit))


def json_object(body: bytes) -> dict[str, Any]:
    """One object of I-JSON (RFC 7493); raises Problem.

    A key told twice means one thing to one reader and another to the next; half a surrogate is no
    text; NaN is no number.
    """
    try:
        text = body.decode()
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # UnicodeError is a ValueError, too
        raise Problem("no_json") from None
    if not isinstance(found, dict):
        raise Problem("no_json")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _no_number(_: str) -> NoReturn:
    raise ValueError
