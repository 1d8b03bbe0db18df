"""Whether a form was sent from a page of ours."""

from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.types import Message

from yibao.adapters.http.wire import JSON_LIMIT, raw_body


def comes_from_here(request: Request) -> bool:
    """Whether the browser says that a page of this origin sends it, as far as it says anything.

    A page that tells nobody where it comes from, as ours do, sends `Origin: null`; then the browser
    has to say by `Sec-Fetch-Site` that it is the same.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin == "null":
        return site == "same-origin"
    if origin is None:
        return True
    told = urlsplit(origin)
    return (told.scheme, told.netloc) == (request.url.scheme, request.url.netloc)


async def form_of(request: Request, limit: int = JSON_LIMIT) -> FormData:
    """What a form tells; raises Problem where it is larger than a limit."""
    body = await raw_body(request, limit)

    async def again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return await Request(request.scope, again).form(max_files=1, max_fields=200)
