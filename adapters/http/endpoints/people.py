"""Who stands behind a reference, and who has looked."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response

from yibao.adapters.http.desk import Desk
from yibao.adapters.http.endpoints.documented import DOCUMENTED_WITH_BODY, documented
from yibao.adapters.http.endpoints.given import Number, Optional, instant_given, reason_given
from yibao.adapters.http.endpoints.paging import Limit, next_page
from yibao.adapters.http.rights import Grant, Who, school_of
from yibao.adapters.http.wire import Problem, json_body
from yibao.adapters.office.directory import Accessed, Directory
from yibao.adapters.service import Service
from yibao.domain.refusals import BadValue, place, reason
from yibao.domain.vocabulary import EnrollmentId, GivenReason


class Find(BaseModel):
    """A student by her number: in a body, since no number stands in a URL or a log."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    school: str = Field(max_length=64)
    number: str = Field(min_length=1, max_length=64)
    reason: GivenReason | None = None


class Forget(BaseModel):
    """Why somebody is forgotten."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    reason: GivenReason


def add(router: APIRouter, desk: Desk) -> None:
    """Adds them to a router."""

    def directory() -> Directory:
        found = desk.opened().directory
        if found is None:
            raise Problem("not_found")
        return found

    @router.post("/people/find", responses=_FOUND, openapi_extra=_body_of(Find))
    async def find(request: Request) -> Response:
        """The reference behind a student number of a school."""
        who, granted = await desk.may(request, "find_person")
        asked = await _given(request, Find)
        _check_reason(granted, asked.reason)
        if not _is_school_of(who, granted, asked.school):
            raise Problem("forbidden")
        people = directory()

        def found(service: Service) -> str | None:
            ref = people.find(asked.school, asked.number, by=who.actor, reason=asked.reason)
            return ref if ref and _may_see(service, who, granted, ref) else None

        ref = await desk.run(found)
        if ref is None:
            raise Problem("not_found")
        return JSONResponse({"ref": ref})

    @router.get("/people/{ref}", responses=documented(200, dict[str, Any]))
    async def person(request: Request, ref: str, reason: Optional = None) -> Response:
        """Who stands behind a reference: name, numbers and document."""
        who, granted = await desk.may(request, "person")
        why = reason_given(reason)
        if who.ref != ref:
            _check_reason(granted, why)
        people = directory()

        def found(service: Service) -> dict[str, Any] | None:
            if not _may_see(service, who, granted, ref):
                return None
            entry = people.person(ref, by=who.actor, reason=why)
            return None if entry is None else {"ref": ref, **entry._asdict()}

        told = await desk.run(found)
        if told is None:
            raise Problem("not_found")
        return JSONResponse(told)

    @router.post("/people/{ref}/forget", responses=_FORGOTTEN, openapi_extra=_body_of(Forget))
    async def forget(request: Request, ref: str) -> Response:
        """Somebody is forgotten, once a second person has asked for it as well."""
        who, _ = await desk.may(request, "forget")
        asked = await _given(request, Forget)
        people = directory()
        outcome = await desk.run(
            lambda service: people.forget(ref, by=who.actor, reason=asked.reason)
        )
        if outcome == "nobody":
            raise Problem("not_found")
        return JSONResponse(
            {"ref": ref, "outcome": outcome}, 200 if outcome == "forgotten" else 202
        )

    @router.get("/accesses", responses=documented(200, dict[str, Any]))
    async def accesses(
        request: Request, ref: Optional = None, actor: Optional = None, since: Optional = None,
        until: Optional = None, limit: Limit = 100, after: Number = None,
    ) -> Response:  # fmt: skip
        """Who has looked at whom, the newest first; of days `until` is not inclusive."""
        await desk.may(request, "accesses")
        asked = Accessed(
            ref=ref, actor=actor, since=instant_given(since), until=instant_given(until)
        )
        kept = desk.opened().accesses
        if kept is None:
            raise Problem("not_found")
        found, following = await desk.run(lambda _: kept.page(asked, after=after, limit=limit))
        entries = [
            {"number": number, **look._asdict(), "at": look.at.isoformat()}
            for number, look in found
        ]
        told = {"format": 1, "entries": entries, "following": following}
        return JSONResponse(told, headers=next_page(request, following))


def _check_reason(granted: tuple[Grant, ...], why: str | None) -> None:
    """Raises BadValue where a reason is asked for, and there is none."""
    if why is None and all(each.only == "reason" for each in granted):
        raise BadValue("reason", "is asked for here: a word that says why")


def _is_school_of(who: Who, granted: tuple[Grant, ...], school: str) -> bool:
    return any(each.reach == "all" or school in who.schools for each in granted)


def _may_see(service: Service, who: Who, granted: tuple[Grant, ...], ref: str) -> bool:
    """Whether somebody is theirs to know: by the school where she is, in the latest year known."""
    if any(each.reach == "all" or (each.reach == "own" and who.ref == ref) for each in granted):
        return True
    if not (years := service.enrollments(ref)):
        return False
    return school_of(service.read(EnrollmentId(ref, years[-1]))) in who.schools


async def _given(request: Request, shape: type[Any]) -> Any:
    """A body of this shape; raises Problem and BadValue."""
    values = await json_body(request)
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        where = place(error)
        raise BadValue(where if where in shape.model_fields else "values", reason(error)) from None


def _body_of(shape: type[BaseModel]) -> dict[str, Any]:
    schema = shape.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


_FOUND = documented(200, dict[str, str], DOCUMENTED_WITH_BODY)
_FORGOTTEN = documented(202, dict[str, str], documented(200, dict[str, str], DOCUMENTED_WITH_BODY))
