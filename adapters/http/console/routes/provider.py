"""Signing in at an OpenID provider: there, and back with a code (PKCE)."""

from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.responses import RedirectResponse, Response

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.routes.signing_in import signed_in, within
from yibao.adapters.http.identify import Registered, SignIn
from yibao.adapters.http.wire import Problem

#: In seconds: how long somebody may take to sign in.
_PATIENCE: Final = 600
_COOKIE: Final = "yibao-signing-in"


def add(router: APIRouter, console: Console) -> None:
    """Adds them to a router; without a provider there is nothing."""
    kept = URLSafeTimedSerializer(console.sessions.key, salt="signing in")

    def registered() -> Registered:
        if console.registered is None:
            raise Problem("not_found")
        return console.registered

    def cookie(request: Request) -> tuple[str, bool]:
        secure = request.url.scheme == "https"
        return (f"__Host-{_COOKIE}" if secure else _COOKIE), secure

    @router.get("/sign-in/provider")
    async def there(request: Request, to: str = "") -> Response:
        us = registered()
        try:
            begun = await us.provider.begin(us.client_id, us.secret, _back(request))
        except ValueError:
            raise Problem("store_failed") from None
        response = RedirectResponse(begun.url, 303)
        # The form of our own pages may go nowhere else; this leads to the provider on purpose.
        response.headers["Content-Security-Policy"] = "default-src 'none'"
        name, secure = cookie(request)
        response.set_cookie(
            name, kept.dumps([*begun, to]), _PATIENCE, path="/", secure=secure, httponly=True,
            samesite="lax",
        )  # fmt: skip
        request.scope["yibao_signed"] = True
        return response

    @router.get("/signed-in")
    async def back(request: Request, code: str = "", state: str = "") -> Response:
        us, (name, secure) = registered(), cookie(request)
        try:
            *begun, to = kept.loads(request.cookies.get(name, ""), max_age=_PATIENCE)
            sign_in = SignIn(*begun)
        except (BadData, TypeError, ValueError):
            raise Problem("unauthenticated") from None
        if not code or state != sign_in.state:
            raise Problem("unauthenticated")
        try:
            claims = await us.provider.end(us.client_id, us.secret, _back(request), code, sign_in)
        except ValueError:
            raise Problem("store_failed") from None
        if claims is None:
            raise Problem("unauthenticated")
        base = request.url.path.removesuffix("/signed-in")
        response = signed_in(console, request, us.claims.who(claims), within(to, base))
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
        return response


def _back(request: Request) -> str:
    """Where the provider sends somebody back to."""
    here = urlsplit(str(request.url))
    base = here.path.partition("/sign-in/")[0].removesuffix("/signed-in")
    return f"{here.scheme}://{here.netloc}{base}/signed-in"
