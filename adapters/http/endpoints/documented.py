"""What the OpenAPI document says of answers: their models, and problems."""

from typing import Any, Final

from pydantic import BaseModel

from yibao.adapters.http.wire import PROBLEM_TYPE

_PROBLEM: Final = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "code", "trace"],
    "properties": {
        "type": {"type": "string", "description": "The page that explains the code."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "trace": {"type": "string", "description": "By what the request stands in the log."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "why"],
                "properties": {"where": {"type": "string"}, "why": {"type": "string"}},
            },
        },
    },
}

#: Statuses that any operation may have, and what each is.
_ANY: Final = {
    400: "The request cannot be read.",
    401: "Who asks is not known.",
    403: "Who asks may never do this.",
    404: "There is nothing here, or not for who asks.",
    409: "It was refused.",
    422: "A value cannot be right.",
    503: "The store is away or busy.",
}
_OF_COMMANDS: Final = {
    412: "More was recorded than was seen.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    428: "What was seen before is to be named.",
    429: "Too many tries were refused.",
}


class Years(BaseModel):
    """The benefit years known of a student."""

    ref: str
    years: list[int]


def _problem(told: str) -> dict[str, Any]:
    return {"description": told, "content": {PROBLEM_TYPE: {"schema": _PROBLEM}}}


Responses = dict[int | str, dict[str, Any]]

#: Of every operation.
DOCUMENTED: Final[Responses] = {status: _problem(told) for status, told in _ANY.items()}
#: Of every operation that has a body.
DOCUMENTED_WITH_BODY: Final[Responses] = DOCUMENTED | {
    status: _problem(told) for status, told in _OF_COMMANDS.items()
}


def documented(status: int, model: Any, among: Responses = DOCUMENTED) -> Responses:
    """An answer of this shape, beside what else may come."""
    return {status: {"model": model, "description": "As asked."}, **among}
