"""What is asked of everybody: the cohort, the audit trail, what falls due, and a what-if."""

from collections.abc import Iterable
from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from yibao.adapters.following.cohort import By, CohortEntry, CohortPage
from yibao.adapters.following.due import cloud_event
from yibao.adapters.following.trail import Key, Question, trail_entry_json
from yibao.adapters.http.desk import Desk, Theirs, whole_page
from yibao.adapters.http.endpoints.documented import DOCUMENTED, DOCUMENTED_WITH_BODY, documented
from yibao.adapters.http.endpoints.given import (
    Days,
    EntryId,
    Number,
    Optional,
    YearOrNone,
    instant_given,
    reason_given,
)
from yibao.adapters.http.endpoints.paging import Limit, next_page
from yibao.adapters.http.rights import Grant, Who
from yibao.adapters.http.wire import Problem, raw_body
from yibao.adapters.service import Service
from yibao.adapters.shapes import counts_json, page_json, what_if_json
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId

#: A count below this might tell who somebody is; who audits sees it with a reason.
_FEW: Final = 5
_YAML: Final = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")


def add(router: APIRouter, desk: Desk) -> None:
    """Adds them to a router."""

    @router.get("/cohort", responses=documented(200, dict[str, Any]))
    async def cohort(
        request: Request, at: Optional = None, known_at: Optional = None,
        school: Optional = None, category: Optional = None, policy: Optional = None,
        year: YearOrNone = None, state: Optional = None, next_step: Optional = None,
        days_left_below: Days = None, limit: Limit = 100, after: Optional = None,
    ) -> Response:  # fmt: skip
        """Enrollments in the order of reference and year, a page of them."""
        who, granted = await desk.may(request, "cohort")
        school, begins = _school_asked(who, granted, school), _enrollment(after)

        def asked(service: Service) -> tuple[dict[str, Any], list[EnrollmentId], Any]:
            view = service.cohort(
                at, known_at=known_at, school=school, category=category, policy=policy, year=year
            )

            def part(after: EnrollmentId | None, size: int) -> CohortPage:
                return view.page(
                    after=after, limit=size, state=state, next_step=next_step,
                    days_left_below=days_left_below,
                )  # fmt: skip

            theirs = Theirs(service, who, granted)

            def see(entry: CohortEntry) -> bool:  # who has moved away since is not theirs
                return known_at is None or theirs.see(entry.enrollment)

            found, more = whole_page(part, see, lambda e: e.enrollment, begins, limit)
            told = page_json(view.at, view.known_at, found, more)
            return dict(told), [each.enrollment for each in found], told["following"]

        told, whom, following = await desk.run(asked)
        await desk.note(request, who, "cohort", whom)
        return JSONResponse(told, headers=next_page(request, following))

    @router.get("/cohort/count", responses=documented(200, dict[str, Any]))
    async def cohort_count(
        request: Request, by: By = "state", at: Optional = None, known_at: Optional = None,
        school: Optional = None, category: Optional = None, policy: Optional = None,
        year: YearOrNone = None, reason: Optional = None,
    ) -> Response:  # fmt: skip
        """How many enrollments there are, by what they have in common.

        Counts under five are null for who audits, unless there is a reason to see them.
        """
        who, granted = await desk.may(request, "cohort_count")
        school, why = _school_asked(who, granted, school), reason_given(reason)
        is_hidden = granted == (Grant("all", "few_with_reason"),) and why is None

        def asked(service: Service) -> dict[str, Any]:
            view = service.cohort(
                at, known_at=known_at, school=school, category=category, policy=policy, year=year
            )
            counts = view.count(by)
            return dict(counts_json(view.at, view.known_at, by, **counts._asdict()))

        told = await desk.run(asked)
        return JSONResponse(_without_few(told) if is_hidden else told)

    @router.get("/audit", responses=documented(200, dict[str, Any]))
    async def audit(
        request: Request, ref: Optional = None, year: YearOrNone = None, edition: Optional = None,
        school: Optional = None, by: Optional = None, via: Optional = None, kind: Optional = None,
        code: Optional = None, correlation_id: Optional = None, changed: Optional = None,
        facts_only: bool = False, corrections: bool = False, voids: bool = False,
        late: Days = None, recorded_from: Optional = None, recorded_until: Optional = None,
        happened_from: Optional = None, happened_until: Optional = None,
        newest_first: bool = False, limit: Limit = 50, after: Optional = None,
    ) -> Response:  # fmt: skip
        """Who recorded what, when and why, what it changed, and what was refused."""
        who, granted = await desk.may(request, "audit")
        question = Question(
            ref=ref, year=year, edition=edition, school=_school_asked(who, granted, school), by=by,
            via=via, kind=kind, code=code, correlation_id=correlation_id, changed=changed,
            facts_only=facts_only, corrections=corrections, voids=voids, late=late,
            recorded_from=instant_given(recorded_from),
            recorded_until=instant_given(recorded_until),
            happened_from=instant_given(happened_from),
            happened_until=instant_given(happened_until),
            newest_first=newest_first,
        )  # fmt: skip
        begins = None if after is None else Key.read(after)

        def asked(service: Service) -> tuple[list[dict[str, Any]], list[EnrollmentId], Any]:
            theirs = Theirs(service, who, granted)
            with service.audit_trail() as trail:
                entries, following = whole_page(
                    lambda after, size: trail.page(question, after=after, size=size),
                    lambda e: theirs.see(e.enrollment), lambda e: e.key, begins, limit,
                )  # fmt: skip
            found = [trail_entry_json(each, service.editions) for each in entries]
            whom = dict.fromkeys(each.enrollment for each in entries if each.enrollment)
            return found, list(whom), following and str(following)

        found, whom, following = await desk.run(asked)
        await desk.note(request, who, "audit", whom)
        told = {"format": 1, "entries": found, "following": following}
        return JSONResponse(told, headers=next_page(request, following))

    @router.get("/due", responses=_CLOUD_EVENTS)
    async def due(request: Request, limit: Limit = 100, after: Number = None) -> Response:
        """What fell due and is not acknowledged, as a batch of CloudEvents."""
        who, granted = await desk.may(request, "due")

        def asked(service: Service) -> tuple[list[dict[str, Any]], list[EnrollmentId], Any]:
            theirs = Theirs(service, who, granted)
            found, following = whole_page(
                lambda after, size: service.due(after=after, limit=size, schools=theirs.schools),
                lambda e: theirs.see(e.enrollment), lambda e: e.id, after, limit,
            )  # fmt: skip
            events = [cloud_event(each, "/v1/due") for each in found]
            return events, [each.enrollment for each in found], following

        events, whom, following = await desk.run(asked)
        await desk.note(request, who, "due", dict.fromkeys(whom))
        return JSONResponse(events, headers=next_page(request, following), media_type=_EVENTS_TYPE)

    @router.post("/due/{entry_id}/ack", status_code=204, responses=DOCUMENTED)
    async def acknowledge(request: Request, entry_id: EntryId) -> Response:
        """An entry was delivered: it is not listed any more. Again it changes nothing."""
        who, granted = await desk.may(request, "due")

        def asked(service: Service) -> None:
            whose = service.whose_notice(entry_id)
            if whose is None or not Theirs(service, who, granted).see(whose):
                raise Problem("not_found")
            service.acknowledge(entry_id)

        await desk.run(asked)
        return Response(status_code=204)

    @router.post("/what-if", responses=_COUNTED, openapi_extra=_EDITION)
    async def what_if(
        request: Request, instead_of: str = "shanghai-2025", known_at: Optional = None
    ) -> Response:
        """What would change for everybody under an edited edition, in counts; nothing is kept."""
        await desk.may(request, "what_if")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _YAML:
            raise Problem("not_json_type")
        edition = await raw_body(request)

        def asked(service: Service) -> dict[str, Any]:
            cutoff = instant_given(known_at)
            with TemporaryDirectory(prefix="yibao-") as folder:
                file = File(folder, "edition.yaml")
                file.write_bytes(edition)
                found = service.what_if(edition=file, instead_of=instead_of, known_at=cutoff)
                told = what_if_json(found, cutoff)
            return {key: value for key, value in told.items() if key != "examples"}

        return JSONResponse(await desk.run(asked))


def _school_asked(who: Who, granted: Iterable[Grant], school: str | None) -> str | None:
    """The school that is asked about; raises Problem where it is not theirs to ask about.

    Who has one school need not name it.
    """
    if any(each.reach == "all" for each in granted):
        return school
    if school is None and len(who.schools) == 1:
        return next(iter(who.schools))
    if school is None:
        raise BadValue("school", "is to be named, where there are several")
    if school not in who.schools:
        raise Problem("forbidden")
    return school


def _enrollment(cursor: str | None) -> EnrollmentId | None:
    """Where a page goes on; raises BadValue."""
    if cursor is None:
        return None
    ref, _, year = cursor.rpartition("/")
    if not ref or not (year.isascii() and year.isdigit() and len(year) == 4):
        raise BadValue("after", "is not where a page ends")
    return EnrollmentId(ref, int(year))


def _without_few(told: dict[str, Any]) -> dict[str, Any]:
    """The same without small counts, and without what they could be worked out from."""
    counts: dict[str, int] = told["counts"]
    few = {key for key, count in counts.items() if count < _FEW}
    if not few:
        return told
    if len(few) == 1 and len(counts) > 1:  # else it is the total less the others
        few.add(min(counts.keys() - few, key=lambda key: counts[key]))
    return {**told, "counts": {k: None if k in few else n for k, n in counts.items()}}


_EVENTS_TYPE: Final = "application/cloudevents-batch+json"
_CLOUD_EVENTS: Final = DOCUMENTED | {
    200: {
        "description": "CloudEvents 1.0.",
        "content": {_EVENTS_TYPE: {"schema": {"type": "array", "items": {"type": "object"}}}},
    }
}
_EDITION: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/yaml": {"schema": {"type": "string"}}},
    }
}
_COUNTED: Final = documented(200, dict[str, Any], DOCUMENTED_WITH_BODY)
