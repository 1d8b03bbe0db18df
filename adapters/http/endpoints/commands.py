"""Commands: an operation each, made of the declarations that read their values."""

from collections.abc import Iterable
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import JSONResponse, Response

from yibao.adapters.http.desk import Desk
from yibao.adapters.http.endpoints.documented import DOCUMENTED_WITH_BODY, documented
from yibao.adapters.http.endpoints.students import Ref, Year
from yibao.adapters.http.wire import KEY, base_of, etag_of, if_match_of, json_body, key_of, trace_of
from yibao.adapters.shapes import command_schema, models
from yibao.adapters.views.objects import as_json
from yibao.domain.facts.commands import ASKED
from yibao.domain.vocabulary import EnrollmentId

#: Those with a path of their own.
_APART: Final = ("register", "correct", "void", "fix_window")
#: Those that say what was seen before, since they take something back.
_CAREFUL: Final = frozenset({"correct", "void", "withdraw"})

EventId = Annotated[UUID, Path(description="The event of the fact.")]
_HERS: Final = "/enrollments/{ref}/{year}"


def add(router: APIRouter, desk: Desk) -> None:
    """Adds them to a router."""

    async def told(
        request: Request, target: EnrollmentId | str | None, name: str, **beside: Any
    ) -> Response:
        """Records what a body tells, and answers with the receipt."""
        who = await desk.who(request)
        desk.check_may(who, name)
        key = key_of(request)
        expected = if_match_of(request, needed=name in _CAREFUL)
        values = await json_body(request)
        if misplaced := beside.keys() & values.keys():  # it stands in the path, and there alone
            values = {**values, "values": misplaced}
        receipt, whose = await desk.tell(
            who, target, name, values | beside, key=key, expected=expected, trace=trace_of(request)
        )
        headers = {"ETag": etag_of(receipt.seen)}
        if isinstance(whose, EnrollmentId):
            headers["Location"] = f"{base_of(request)}/enrollments/{quote(whose.ref)}/{whose.year}"
        return JSONResponse(as_json(receipt), 200 if receipt.repeated else 201, headers)

    @router.post("/enrollments", **_of("register"))
    async def register(request: Request) -> Response:
        return await told(request, None, "register")

    for name in ASKED:
        if name not in _APART:
            _add_one(router, name, told)

    @router.post(f"{_HERS}/facts/{{event_id}}/correct", **_of("correct"))
    async def correct(request: Request, ref: Ref, year: Year, event_id: EventId) -> Response:
        return await told(request, EnrollmentId(ref, year), "correct", fact_id=str(event_id))

    @router.post(f"{_HERS}/facts/{{event_id}}/void", **_of("void"))
    async def void(request: Request, ref: Ref, year: Year, event_id: EventId) -> Response:
        return await told(request, EnrollmentId(ref, year), "void", fact_id=str(event_id))

    @router.post("/editions/{policy}/fix-window", **_of("fix_window"))
    async def fix_window(request: Request, policy: str) -> Response:
        return await told(request, policy, "fix_window")


def _add_one(router: APIRouter, name: str, told: Any) -> None:
    """The operation of a command on an enrollment, or on her care."""

    async def command(request: Request, ref: Ref, year: Year) -> Response:
        response: Response = await told(request, EnrollmentId(ref, year), name)
        return response

    path = f"{_HERS}/{name.replace('_', '-')}"
    router.add_api_route(path, command, methods=["POST"], **_of(name))


def _of(name: str) -> dict[str, Any]:
    """What the OpenAPI document says of a command: its body, its headers and its answers."""
    kind = ASKED[name]
    schema = command_schema(kind)
    schema["properties"].pop("fact_id", None)
    schema["required"] = [each for each in schema["required"] if each != "fact_id"]
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {
        "name": name,
        "operation_id": name,
        "status_code": 201,
        "description": schema["description"],
        "responses": {
            200: {"model": models.Receipt, "description": "Recorded already, under this key."},
            **documented(201, models.Receipt, DOCUMENTED_WITH_BODY),
        },
        "openapi_extra": {"requestBody": body, "parameters": list(_headers(name))},
    }


def _headers(name: str) -> Iterable[dict[str, Any]]:
    yield {
        "name": KEY,
        "in": "header",
        "required": True,
        "description": "The id of the command: told again with the same content it adds nothing.",
        "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,64}$"},
    }
    yield {
        "name": "If-Match",
        "in": "header",
        "required": name in _CAREFUL,
        "description": "What was seen: the ETag of an answer or a receipt, or `*`.",
        "schema": {"type": "string"},
    }
