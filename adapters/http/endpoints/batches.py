"""Many commands at once: NDJSON, a group of commands a line, and a reply a line."""

from collections.abc import Iterable, Iterator
from json import dumps
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from yibao.adapters.http.desk import Desk, check_served
from yibao.adapters.http.endpoints.documented import DOCUMENTED_WITH_BODY
from yibao.adapters.http.rights import Who, allows, grants_of
from yibao.adapters.http.wire import (
    UPLOAD_LIMIT,
    Problem,
    base_of,
    json_object,
    language_of,
    problem_of,
    raw_body,
    told_problem,
)
from yibao.adapters.service import Service
from yibao.adapters.views.objects import as_json
from yibao.domain.facts.commands import Command, Register
from yibao.domain.facts.telling import told as command_told
from yibao.domain.refusals import BadValue, place, reason
from yibao.domain.vocabulary import EnrollmentId, GivenCommandId, GivenKey
from yibao.projections.answer import Answer
from yibao.projections.record import Record

#: As many lines as a batch has at most, and as many commands as a line.
LINES: Final = 5000
COMMANDS: Final = 20
_TYPE: Final = "application/x-ndjson"


class Line(BaseModel):
    """What is told of one student, whole or not at all.

    `key` is the id of its first command, those behind it are `KEY.2`, `KEY.3`, and so on.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    ref: GivenKey
    year: Annotated[int, Field(ge=2000, le=2999, strict=True)]
    key: GivenCommandId
    commands: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=COMMANDS)]


#: What is asked in a line, or why it cannot be asked.
Asked = tuple[EnrollmentId, list[Command]] | Exception
#: What a line says that has become of it.
Reply = dict[str, Any]


def add(router: APIRouter, desk: Desk) -> None:
    """Adds them to a router."""

    @router.post("/batches", responses=_REPLIES, openapi_extra=_LINES)
    async def batches(
        request: Request,
        dry_run: Annotated[bool, Query(description="The same replies; nothing is kept.")] = False,
    ) -> Response:
        """Records lines of commands, each whole or not at all, and replies to each in order."""
        who, _ = await desk.may(request, "batches")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _TYPE:
            raise Problem("not_json_type")
        lines = (await raw_body(request, UPLOAD_LIMIT)).splitlines()
        if len(lines) > LINES:
            raise Problem("too_large", limit=LINES)
        asked = [_asked(who, line) for line in lines]
        replies = await desk.run(_recorded, who, asked, dry_run)
        lang, base = language_of(request), base_of(request)

        def told(reply: Any) -> Reply:
            if not isinstance(reply, Exception):
                new = any(not each.repeated for each in reply)
                return {"status": 201 if new else 200, "receipts": as_json(reply)}
            problem = problem_of(reply) or Problem("failed")
            return told_problem(problem, lang, f"{base}/problems/{problem.code}")

        body = "".join(
            dumps({"line": number, **told(reply)}, ensure_ascii=False) + "\n"
            for number, reply in enumerate(replies, 1)
        )
        return Response(body, media_type=_TYPE)


def _asked(who: Who, given: bytes) -> Asked:
    """The commands of a line, each of which the roles of who asks may tell; or why not."""
    try:
        line = Line.model_validate(json_object(given))
        check_served(line.ref)
        return EnrollmentId(line.ref, line.year), [*_commands(who, line)]
    except ValidationError as error:
        return BadValue(place(error).partition(".")[0], reason(error))
    except (Problem, BadValue) as error:
        return error


def _commands(who: Who, line: Line) -> Iterator[Command]:
    for number, values in enumerate(line.commands, 1):
        name = values.get("command")
        beside = {key: value for key, value in values.items() if key != "command"}
        if name == "register":
            beside["ref"] = line.ref
        key = line.key if number == 1 else f"{line.key}.{number}"
        command = command_told(name, beside, by=who.actor, command_id=key)  # type: ignore[arg-type]
        if not grants_of(who, command):
            raise Problem("forbidden")
        yield command


def _recorded(service: Service, who: Who, asked: list[Asked], dry_run: bool) -> list[Any]:
    """What becomes of each line; those of one student go one after the other."""
    replies: list[Any] = [each if isinstance(each, Exception) else None for each in asked]
    for turn in _turns(asked, whole=dry_run):
        commands: dict[EnrollmentId, list[Command]] = {}
        for number in turn:
            whose, some = asked[number]  # type: ignore[misc]
            commands.setdefault(whose, []).extend(some)

        def allowed(_: Answer, record: Record, commands: Any = commands) -> str | None:
            return _allowed(who, commands[record.enrollment], record)

        told = service.record_each([asked[n] for n in turn], allowed=allowed, dry_run=dry_run)  # type: ignore[misc]
        for number, reply in zip(turn, told, strict=True):
            replies[number] = reply
    return replies


def _turns(asked: list[Asked], *, whole: bool) -> Iterator[list[int]]:
    """The numbers of lines that go together: none of a student twice, unless it is the whole."""
    turn: list[int] = []
    refs: set[str] = set()
    for number, each in enumerate(asked):
        if isinstance(each, Exception):
            continue
        ref = each[0].ref
        if ref in refs and not whole:
            yield turn
            turn, refs = [], set()
        turn.append(number)
        refs.add(ref)
    if turn:
        yield turn


def _allowed(who: Who, commands: Iterable[Command], record: Record) -> str | None:
    """Why any of what is told of a student is not allowed; None where all is."""
    commands = list(commands)
    begins = next((each.school for each in commands if isinstance(each, Register)), None)
    words = (allows(who, each, record, begins) for each in commands)
    return next((word for word in words if word), None)


_REPLIES: Final = DOCUMENTED_WITH_BODY | {
    200: {
        "description": "A reply a line, in order.",
        "content": {_TYPE: {"schema": {"type": "string"}}},
    }
}
_LINES: Final = {
    "requestBody": {"required": True, "content": {_TYPE: {"schema": {"type": "string"}}}}
}
