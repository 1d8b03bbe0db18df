"""What is asked about one student."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from yibao.adapters.http.desk import Desk
from yibao.adapters.http.wire import etag_of
from yibao.adapters.service import Service, read_cutoff
from yibao.adapters.shapes import models
from yibao.adapters.views.objects import as_json
from yibao.adapters.views.words import Language
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.record import Record

Ref = Annotated[str, Path(max_length=64)]
Year = Annotated[int, Path(ge=2000, le=2999)]


def add(router: APIRouter, desk: Desk) -> None:
    """Adds them to a router."""

    @router.get("/enrollments/{ref}/{year}", responses={200: {"model": models.Answer}})
    async def answer(
        request: Request,
        ref: Ref,
        year: Year,
        at: str | None = None,
        known_at: str | None = None,
        explain: bool = False,
        lang: Language | None = None,
    ) -> JSONResponse:
        """What holds of her at an instant, as known by an instant or a version."""
        cutoff = None if known_at is None else read_cutoff(known_at)

        def asked(service: Service, record: Record) -> tuple[Any, str]:
            found = service.at(record, at, known_at=cutoff)
            return as_json(found, lang=lang, explain=explain), etag_of(service.at(record).seen)

        told, tag = await desk.look(request, "answer", EnrollmentId(ref, year), asked)
        return JSONResponse(told, headers={"ETag": tag})
