"""In which language somebody is told something."""

from typing import Final

from starlette.requests import Request

from yibao.adapters.views.words import LANGUAGES, Language

_DEFAULT: Final[Language] = "en"


def language_of(request: Request) -> Language:
    """What `lang` asks for, else the first of `Accept-Language` that there is, else English."""
    asked = [request.query_params.get("lang", "")]
    accepted = request.headers.get("accept-language", "")[:200].split(",")
    ranked = sorted(enumerate(accepted), key=lambda each: (-_weight(each[1]), each[0]))
    asked += [each.partition(";")[0].strip().lower()[:2] for _, each in ranked]
    for each in asked:
        for known in LANGUAGES:
            if known == each:
                return known
    return _DEFAULT


def _weight(accepted: str) -> float:
    try:
        return float(accepted.partition("q=")[2] or 1)
    except ValueError:
        return 0.0
