"""Who has signed in: a signed cookie says who it is, and kept is only which were ended."""

import hmac
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from secrets import token_urlsafe
from typing import Any, Final

from anyio import to_thread
from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from yibao.adapters.http.rights import Role, Who
from yibao.adapters.office.directory import Shared

#: In seconds: how long a session is kept without use, and at most.
IDLE, LONGEST = 30 * 60, 8 * 60 * 60
_SECURE, _PLAIN = "__Host-yibao", "yibao-session"
_KEPT: Final = "yibao_session"


class Session:
    """Somebody who has signed in, and since when; in seconds of the signer's clock."""

    def __init__(self, who: Who, began: int, nonce: str) -> None:
        self.who, self.began, self.nonce = who, began, nonce


class Sessions:
    """Opens, reads and ends sessions, whose cookies a secret signs; and the tokens of forms.

    The cookie is `__Host-` where the page came by TLS. It is given anew with each answer: it ends
    when nobody has used it for half an hour, and in any case after eight hours. Whoever signs out
    ends every copy of it, wherever that is shown.
    """

    def __init__(self, secret: str, shared: Callable[[], Shared]) -> None:
        self._shared = shared
        self.key = sha256(f"yibao console {secret}".encode()).digest()
        self._signer = URLSafeTimedSerializer(self.key, salt="session")

    def open(self, request: Request, response: Response, who: Who) -> None:
        """Signs somebody in."""
        self._write(request, response, who, self._now(), token_urlsafe(9))

    def keep(self, request: Request, response: Response) -> None:
        """Goes on with the session of a request, if it has one."""
        if session := self.of(request):
            self._write(request, response, session.who, session.began, session.nonce)

    async def end(self, request: Request, response: Response) -> None:
        """Signs whoever it is out; raises StoreError where that cannot be kept."""
        if session := self.of(request):
            until = datetime.fromtimestamp(session.began + LONGEST, UTC)
            await to_thread.run_sync(self._shared().end, session.nonce, until)
        name, secure = self._name(request)
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")

    def of(self, request: Request) -> Session | None:
        """The session of a request; None where there is none, or it is over."""
        if _KEPT not in request.scope:
            request.scope[_KEPT] = self._read(request)
        session: Session | None = request.scope[_KEPT]
        return session

    async def who(self, request: Request) -> Who | None:
        """Who has signed in."""
        session = self.of(request)
        if session is None:
            return None
        if await to_thread.run_sync(self._shared().has_ended, session.nonce):
            request.scope[_KEPT] = None
            return None
        return session.who

    def token(self, request: Request, who: Who | None) -> str:
        """What a form of this session has to send along; of nobody, what anybody's has to."""
        session = self.of(request) if who else None
        of = f"{who.actor if who else ''}\n{session.nonce if session else ''}"
        return hmac.new(self.key, f"form\n{of}".encode(), sha256).hexdigest()

    def references(self, who: Who, key: str) -> Iterator[str]:
        """References for a form of somebody with a key: always the same, and nobody can tell them.

        They look as those do that are drawn, and one that cannot be used has another behind it.
        """
        for number in count():
            told = f"reference\n{who.actor}\n{key}\n{number}".encode()
            yield f"p-{hmac.new(self.key, told, sha256).hexdigest()[:16]}"

    def is_ours(self, request: Request, who: Who | None, token: object) -> bool:
        """Whether a form was sent by a page of this session."""
        given = token if isinstance(token, str) else ""
        return hmac.compare_digest(self.token(request, who).encode(), given.encode())

    def _read(self, request: Request) -> Session | None:
        cookie = request.cookies.get(self._name(request)[0])
        if cookie is None:
            return None
        with suppress(BadData, KeyError, TypeError, ValueError):
            told: Mapping[str, Any] = self._signer.loads(cookie, max_age=IDLE)
            if self._now() - told["began"] < LONGEST:
                roles = frozenset(Role(each) for each in told["roles"])
                who = Who(told["actor"], roles, frozenset(told["schools"]), told["ref"])
                return Session(who, told["began"], told["nonce"])
        return None

    def _write(
        self, request: Request, response: Response, who: Who, began: int, nonce: str
    ) -> None:
        told = {
            "actor": who.actor,
            "roles": sorted(who.roles),
            "schools": sorted(who.schools),
            "ref": who.ref,
            "began": began,
            "nonce": nonce,
        }
        name, secure = self._name(request)
        response.set_cookie(
            name, self._signer.dumps(told), path="/", secure=secure, httponly=True, samesite="lax"
        )

    def _now(self) -> int:
        return int(TimestampSigner(self.key).get_timestamp())

    @staticmethod
    def _name(request: Request) -> tuple[str, bool]:
        secure = request.url.scheme == "https"
        return (_SECURE if secure else _PLAIN), secure
