"""Enrollment in FastAPI: `YIBAO_STORE=… uvicorn --factory with_fastapi:portal --workers 4`."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, FastAPI, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

import yibao


def opened() -> yibao.Service:
    """The store of the portal, whichever it is."""
    return yibao.open(os.environ["YIBAO_STORE"], by="portal")


def portal(opened: Callable[[], yibao.Service] = opened) -> FastAPI:
    """The application; each worker opens a service of its own when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with opened() as app.state.service:
            yield

    app = FastAPI(title="Enrollment", lifespan=lifespan)
    app.add_exception_handler(yibao.YibaoError, told)
    app.include_router(router)
    return app


async def told(request: Request, error: Exception) -> JSONResponse:
    """Whatever yibao raises: its code, in words, and the HTTP status that goes with it."""
    assert isinstance(error, yibao.YibaoError)
    again = {"Retry-After": "5"} if error.retry == "later" and error.status == 503 else None
    return JSONResponse(yibao.as_json(error, lang="en"), error.status, again)


async def service_of(request: Request) -> yibao.Service:
    service: yibao.Service = request.app.state.service
    return service


async def enrollment_of(ref: str, year: int) -> yibao.EnrollmentId:
    return yibao.EnrollmentId(ref, year)


Service = Annotated[yibao.Service, Depends(service_of)]
Her = Annotated[yibao.EnrollmentId, Depends(enrollment_of)]
Key = Annotated[str, Header(alias="Idempotency-Key")]
Field = Annotated[str, Body(embed=True)]
Told = dict[str, Any]

router = APIRouter()


@router.get("/enrollments/{ref}/{year}", response_model=yibao.models.Answer)
def answer(
    her: Her,
    service: Service,
    at: str | None = None,
    known_at: str | None = None,
    lang: Literal["en", "zh"] = "en",
) -> Told:
    """What holds, at an instant, as known by an instant or a version."""
    cutoff = None if known_at is None else yibao.read_cutoff(known_at)
    return yibao.as_json(service.at(her, at, known_at=cutoff), lang=lang)


@router.get("/enrollments/{ref}/{year}/next")
async def next_step(her: Her, service: Service) -> Told:
    """The same in an async function, which must not wait by itself."""
    found = await run_in_threadpool(service.at, her)
    return {"next": found.next_step.code if found.next_step else None}


@router.post(
    "/enrollments/{ref}/{year}/confirmation", status_code=201, response_model=yibao.models.Receipt
)
def confirm(her: Her, service: Service, key: Key, channel: Field) -> Told:
    """She confirms now; posted again under its key it succeeds again and adds nothing."""
    return yibao.as_json(service.confirm(her, channel=channel, command_id=key))


@router.post(
    "/enrollments/{ref}/{year}/{command}", status_code=201, response_model=yibao.models.Receipt
)
def tell(
    command: str,
    her: Her,
    service: Service,
    key: Key,
    values: Annotated[Told, Body()],
    seen: Annotated[yibao.Seen | None, Body()] = None,
) -> Told:
    """Any command from plain values, on what its author has seen, if that is said."""
    return yibao.as_json(service.tell(her, command, values, command_id=key, expected=seen))


@router.post("/schools/{school}/{year}/roster")
def roster(school: str, year: int, rows: list[Told], service: Service) -> list[Any]:
    """A roster: of each row the student is registered and declared, or it says why not."""
    asked = [
        (
            yibao.EnrollmentId(row.get("ref", ""), year),
            [
                {**row, "command": "register", "school": school},
                {"command": "declare_roster"},
            ],
        )
        for row in rows
    ]
    return [yibao.as_json(reply, lang="en") for reply in service.record_each(asked)]
