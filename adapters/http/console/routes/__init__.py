"""The pages, a module a group of them."""

from fastapi import APIRouter
from starlette.responses import Response

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.routes import (
    forgetting,
    importing,
    keeping,
    office,
    provider,
    recording,
    registering,
    signing_in,
    students,
)
from yibao.adapters.http.wire import Problem


def add_routes(router: APIRouter, console: Console, once: str | None) -> None:
    """Adds all of them to a router."""
    signing_in.add(router, console, once)
    provider.add(router, console)
    students.add(router, console)
    recording.add(router, console)
    registering.add(router, console)
    office.add(router, console)
    importing.add(router, console)
    keeping.add(router, console)
    forgetting.add(router, console)

    @router.get("/{nowhere:path}")
    async def elsewhere(nowhere: str) -> Response:
        raise Problem("not_found")
