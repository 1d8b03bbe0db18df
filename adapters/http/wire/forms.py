"""In which form somebody is told something, where there are two."""

from typing import Final

from starlette.requests import Request

from yibao.adapters.http.wire.problems import Problem

_DATA: Final = ("application/json", "application/*", "*/*")
_PAGES: Final = ("text/html", "text/*")


def wants_a_page(request: Request) -> bool:
    """Whether a page is asked for rather than JSON; raises Problem where it is neither."""
    accepted = request.headers.get("accept", "*/*").lower()
    for each in accepted.split(","):
        kind = each.partition(";")[0].strip()
        if kind in _DATA:
            return False
        if kind in _PAGES:
            return True
    raise Problem("not_acceptable")
