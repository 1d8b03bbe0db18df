"""Problems (RFC 9457): what went wrong, by code, in words, and never what was sent."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from yibao.adapters.http.wire.languages import language_of
from yibao.adapters.http.wire.tracing import trace_of
from yibao.adapters.views.objects import as_json
from yibao.adapters.views.words import Language, Words
from yibao.domain.facts.commands import ASKED
from yibao.domain.refusals import MEANINGS, BadValue, Refused, YibaoError

PROBLEM_TYPE: Final = "application/problem+json"
#: Where a route notes how many parts of its path stand behind that of the endpoints.
BEHIND: Final = "yibao_behind"

#: What can go wrong before anything is asked of the service.
HttpCode = Literal[
    "no_json", "key_missing", "key_malformed", "unauthenticated", "forbidden", "not_found",
    "method_not_allowed", "not_acceptable", "superseded_right", "if_match_missing", "too_large",
    "not_json_type", "too_many_refused",
]  # fmt: skip


class _Meaning(NamedTuple):
    status: int
    retry: str


#: The status of each of these; their words lie beside all others, in the section `http`.
_HTTP: Final[dict[HttpCode, _Meaning]] = {
    "no_json": _Meaning(400, "changed"),
    "key_missing": _Meaning(400, "changed"),
    "key_malformed": _Meaning(400, "changed"),
    "unauthenticated": _Meaning(401, "changed"),
    "forbidden": _Meaning(403, "no"),
    "not_found": _Meaning(404, "no"),
    "method_not_allowed": _Meaning(405, "no"),
    "not_acceptable": _Meaning(406, "changed"),
    "superseded_right": _Meaning(409, "no"),
    "if_match_missing": _Meaning(428, "changed"),
    "too_large": _Meaning(413, "changed"),
    "not_json_type": _Meaning(415, "changed"),
    "too_many_refused": _Meaning(429, "later"),
}
#: Every code that a problem may have, its status, and whether trying again can help.
PROBLEMS: Final[Mapping[str, tuple[int, str]]] = {
    **{code: (meaning.status, meaning.retry) for code, meaning in MEANINGS.items()},
    **{code: (meaning.status, meaning.retry) for code, meaning in _HTTP.items()},
}
#: Of statuses of the framework's own.
_OF_STATUS: Final[dict[int, HttpCode]] = {
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}
#: How long to wait before asking again, in seconds.
_RETRY_AFTER: Final = {503: "5", 429: "600"}


class Problem(Exception):
    """What is answered in the place of an answer: a code, and details that hold no input."""

    def __init__(self, code: str, **details: object) -> None:
        self.code = code
        self.details = details
        super().__init__(code)

    @property
    def status(self) -> int:
        return PROBLEMS[self.code][0]


def check_complete() -> None:
    """Raises TypeError where a code has no status."""
    if lacking := {*get_args(HttpCode)} - _HTTP.keys():
        raise TypeError(f"no status for: {', '.join(sorted(lacking))}")


check_complete()


def problem_of(error: Exception) -> Problem | None:
    """What is answered for what was raised; None for what nobody foresaw."""
    match error:
        case Problem():
            return error
        case YibaoError():
            return _of_ours(error)
        case RequestValidationError():
            wrong = [(_named(each["loc"]), str(each["msg"])) for each in error.errors()]
            return Problem("bad_value", errors=_mistakes(wrong))
        case HTTPException():
            return Problem(_OF_STATUS.get(error.status_code, "no_json"))
    return None


def _of_ours(error: YibaoError) -> Problem:
    if error.code == "not_allowed":
        assert isinstance(error, Refused)
        hidden = error.details.get("word") == "elsewhere"
        return Problem("not_found" if hidden else "forbidden")
    if isinstance(error, BadValue):
        return Problem("bad_value", errors=_mistakes(error.errors))
    details = as_json(error)["details"] if isinstance(error, Refused) else {}
    return Problem(error.code, **details)


def _mistakes(found: Any) -> list[dict[str, str]]:
    return [{"where": _known(str(where)), "why": str(why)} for where, why in found]


def _named(loc: Any) -> str:
    return str(loc[1]) if len(loc) > 1 else str(loc[0])


def _known(where: str) -> str:
    """A place that is ours to name; a key that somebody made up is told by where it stood."""
    return where if where.partition(".")[0] in _PLACES else "values"


_PLACES: Final = frozenset(
    {key for kind in ASKED.values() for key in kind.model_fields}
    | {"values", "command", "known_at", "then", "now", "part", "by", "limit", "after", "lang"}
    | {"explain", "enrollment", "event_id", "reason", "ref", "year", "school", "category", "policy"}
    | {"instead_of", "edition", "lines", "key", "dry_run", "on", "actor", "number", "value"}
)


def problem_response(problem: Problem, request: Request, **headers: str) -> Response:
    """A problem as it is answered, in the language that is asked for."""
    told = told_problem(
        problem, language_of(request), f"{base_of(request)}/problems/{problem.code}"
    )
    told["trace"] = trace_of(request)
    if problem.status in _RETRY_AFTER:
        headers["Retry-After"] = _RETRY_AFTER[problem.status]
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, problem.status, headers, PROBLEM_TYPE)


def told_problem(problem: Problem, lang: Language, page: str) -> dict[str, Any]:
    """A problem as an object; errors of values say why in the language as well."""
    words = Words(lang)
    details = dict(problem.details)
    if isinstance(errors := details.get("errors"), list):
        details["errors"] = [{**each, "why": words.said(each["why"])} for each in errors]
    return {
        "type": page,
        "title": title_of(problem.code, words),
        "status": problem.status,
        "code": problem.code,
        **details,
    }


def title_of(code: str, words: Words) -> str:
    """What a code says."""
    sections = ("http", "refusal", "failure")
    return next(words(each, code) for each in sections if words.knows(each, code))


def base_of(request: Request) -> str:
    """Where our endpoints are, wherever a router was included; for whoever is told of another."""
    behind = request.scope.get(BEHIND)
    if behind is None:
        return f"{request.scope.get('root_path', '')}/v1"
    return "/".join(request.url.path.split("/")[:-behind])
