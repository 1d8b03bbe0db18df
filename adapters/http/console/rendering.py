"""Pages from their templates: the words, the language, who is signed in, and where they may go."""

import hashlib
from base64 import b64encode
from functools import cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from yibao.adapters.http.console.sessions import Sessions
from yibao.adapters.http.rights import Role, Who, may
from yibao.adapters.http.wire import language_of
from yibao.adapters.views.words import LANGUAGES, Language, Words
from yibao.domain.refusals import BadValue

_STATIC: Final = files("yibao.adapters.http.console") / "static"
#: Where the language is kept that somebody has chosen.
_LANG: Final = "yibao-lang"
#: The pages that there are to go to: by the right that one needs for it, unless everybody may.
_NAV: Final[tuple[tuple[str, str, str | None], ...]] = (
    ("/", "home", None),
    ("/today", "morning", "officer"),
    ("/find", "find", "find_person"),
    ("/register", "register", "register"),
    ("/import", "import", "batches"),
    ("/audit", "audit", "audit"),
    ("/accesses", "accesses", "accesses"),
    ("/windows", "windows", "fix_window"),
    ("/what-if", "what_if", "what_if"),
    ("/evidence", "evidence", "evidence"),
    ("/forget", "forget", "forget"),
)


@cache
def static(name: str) -> bytes:
    """A file that pages use."""
    return (_STATIC / name).read_bytes()


@cache
def stamp(name: str) -> str:
    """What stands in the address of such a file, another one for another content."""
    return hashlib.sha256(static(name)).hexdigest()[:12]


@cache
def _integrity() -> str:
    return f"sha384-{b64encode(hashlib.sha384(static('htmx.min.js')).digest()).decode()}"


@cache
def _templates() -> Environment:
    """The templates; whatever is filled in is escaped, and a name that nobody gave is an error."""
    return Environment(
        loader=PackageLoader("yibao.adapters.http.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def is_for(who: Who, page: str) -> bool:
    """Whether somebody has anything to see on a page of the navigation."""
    match page:
        case "officer":
            return Role.OFFICER in who.roles
        case "batches":
            return Role.OFFICER in who.roles
        case "evidence":
            return bool(who.roles & {Role.AUDITOR, Role.KEEPER})
        case _:
            return bool(may(who, page))


class Page:
    """A page about to be rendered for whoever asks, in her language."""

    def __init__(self, request: Request, sessions: Sessions, who: Who | None) -> None:
        self.request, self.sessions, self.who = request, sessions, who
        self.language = chosen_language(request)
        self.words = Words(self.language)
        self.base = f"{request.scope.get('root_path', '')}/console"

    def t(self, key: str, /, **parts: object) -> str:
        return self.words("console", key, **parts)

    def errors(self, error: BadValue) -> str:
        """All that is wrong with what was typed, in a line."""
        told = [f"{self.words.field(w)}: {self.words.said(why)}" for w, why in error.errors]
        return self.words.joined(told, "apart")

    def render(self, template: str, title: str, status: int = 200, **parts: object) -> HTMLResponse:
        """The page, or the part of one that a template is."""
        words = parts.pop("words", self.words)
        shown = (
            _templates()
            .get_template(template)
            .render(
                title=title,
                words=words,
                t=self.t,
                base=self.base,
                who=self.who,
                nav=self._nav(),
                has_session=self.sessions.of(self.request) is not None,
                token=self._token,
                in_language=self._in_language,
                stamps={name: stamp(name) for name in ("console.css", "htmx.min.js")},
                integrity=_integrity(),
                **parts,
            )
        )
        return HTMLResponse(shown, status)

    def message(self, title: str, *lines: str, status: int) -> HTMLResponse:
        """A page that says one thing."""
        return self.render("message.html.j2", title, status, lines=lines)

    def _nav(self) -> list[tuple[str, str, bool]]:
        who = self.who
        if who is None:
            return []
        here = self.request.url.path.removeprefix(self.base)
        return [
            (path, self.t(name), here == path)
            for path, name, right in _NAV
            if right is None or is_for(who, right)
        ]

    def _token(self) -> Markup:
        token = self.sessions.token(self.request, self.who)
        return Markup('<input type="hidden" name="csrf" value="{}">').format(token)

    def with_query(self, **others: str) -> str:
        """The same page, asked otherwise."""
        return f"?{urlencode({**dict(self.request.query_params), **others})}"

    def _in_language(self, language: str) -> str:
        return self.with_query(lang=language)


def chosen_language(request: Request) -> Language:
    """What the query asks for, else what was chosen before, else what the browser prefers."""
    for asked in (request.query_params.get("lang"), request.cookies.get(_LANG)):
        for known in LANGUAGES:
            if known == asked:
                return known
    return language_of(request)


def keep_language(request: Request, response: Any) -> None:
    """Keeps the language that a query asks for."""
    if request.query_params.get("lang") in LANGUAGES:
        secure = request.url.scheme == "https"
        response.set_cookie(
            _LANG,
            request.query_params["lang"],
            path="/",
            secure=secure,
            httponly=True,
            samesite="lax",
        )
