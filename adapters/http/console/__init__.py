"""The console under `/console`: pages rendered here, for people, in both languages.

Everything works without a script; htmx, which is here unchanged, spares loading a page anew where
a part of it changes. There is no rule of its own here: whatever is asked and recorded goes by the
desk.
"""

from secrets import token_urlsafe

from fastapi import APIRouter

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.routes import add_routes
from yibao.adapters.http.desk import Desk
from yibao.adapters.http.identify import Registered


def router(
    desk: Desk,
    *,
    secret: str | None = None,
    once: str | None = None,
    registered: Registered | None = None,
) -> APIRouter:
    """The pages of the console, which ask the desk, to be included under `/console`.

    `secret` signs sessions; several workers need the same, and without one none outlives this
    process. `once` is a token that signs in by a link, one time. Where it is `registered` at a
    provider one signs in there.
    """
    console = Console(desk, secret or token_urlsafe(32), registered)
    found = APIRouter(route_class=console.route())
    add_routes(found, console, once)
    return found
