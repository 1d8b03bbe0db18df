"""Pages: so many at once, and where the next begins."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request

Limit = Annotated[int, Query(ge=1, le=500, description="How many a page has.")]


def next_page(request: Request, following: object) -> dict[str, str]:
    """The header that leads to the next page, if there is one (RFC 8288)."""
    if following is None:
        return {}
    url = request.url.include_query_params(after=str(following))
    return {"Link": f'<{url.path}?{url.query}>; rel="next"'}
