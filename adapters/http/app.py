"""The router to embed in an application, and the application to run."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

import yibao
from yibao.adapters.http import console
from yibao.adapters.http.desk import Desk, Opened
from yibao.adapters.http.endpoints import endpoints, operating
from yibao.adapters.http.erasing import erased_daily
from yibao.adapters.http.identify import first_of, ways_of
from yibao.adapters.http.metrics import Metrics
from yibao.adapters.http.opening import directory_here, opened
from yibao.adapters.http.rights import Identify, Role, Who
from yibao.adapters.http.settings import HttpSettings, http_settings
from yibao.adapters.http.wire import METRICS, answered_anyway
from yibao.adapters.office.directory import Accesses, Directory, DirectorySettings
from yibao.adapters.service import Clock, Service, shanghai_now
from yibao.adapters.telemetry import SILENT, Telemetry

__all__ = ["HttpSettings", "Identify", "Role", "Who", "app", "router"]


def router(
    service: Service | Callable[[], Service],
    identify: Identify,
    *,
    accesses: Accesses | None = None,
    directory: Directory | None = None,
) -> APIRouter:
    """All endpoints, under `/v1`, to include in an application of one's own.

    `service` is one that is open, or a function that tells it when it is asked; `identify` tells
    who asks, and None where that is nobody. Who looks at whom is kept in `accesses`, by default
    those of the `directory`; without either it is kept nowhere, and nobody is found by number. Of
    what is raised nothing is left to the application.
    """
    kept = accesses or (directory.accesses if directory else None)

    def open_now() -> Opened:
        return Opened(service if isinstance(service, Service) else service(), kept, directory)

    return endpoints(Desk(open_now, identify))


def app(
    url: str,
    settings: HttpSettings | None = None,
    *,
    identify: Identify | None = None,
    directory: DirectorySettings | None = None,
    telemetry: Telemetry = SILENT,
    clock: Clock = shanghai_now,
    once: str | None = None,
) -> FastAPI:
    """The application on a store, which it opens as it starts and closes as it ends.

    Who asks is told by `identify`, if there is one, and then by the ways that the settings name
    (default: of the environment), as is the directory. `clock` is the service's, and `once` a token
    with which a link of the console signs in one time. Raises YibaoError where they cannot be read,
    and, as it starts, StoreError where the store cannot be opened.
    """
    settings = settings or http_settings()
    directory = directory or directory_here()
    metrics = Metrics(telemetry)
    held: list[Opened] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        assert settings is not None
        # What asks outside of the desk should not wait inside the pool of connections either.
        to_thread.current_default_thread_limiter().total_tokens = settings.threads
        with opened(url, settings, metrics, directory, clock) as found:
            held[:] = [found]
            app.state.service = found.service
            async with erased_daily(found, settings.accesses_days):
                yield

    told, registered = ways_of(settings)
    ways = [way for way in (identify, *told) if way]
    desk = Desk(
        lambda: held[0],
        first_of(*ways),
        threads=settings.threads,
        refused_tries=settings.refused_tries,
    )
    found = FastAPI(
        title="yibao",
        version=yibao.__version__,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    found.state.desk = desk
    setattr(found.state, METRICS, metrics)
    found.add_exception_handler(HTTPException, _no_route)
    # They are ours as they stand: included, each request would be looked for twice.
    found.router.routes.extend(endpoints(desk).routes)
    found.include_router(operating(desk, metrics, settings.operated_from))
    if settings.console:
        secret = settings.secret.get_secret_value() if settings.secret else None
        pages = console.router(desk, secret=secret, registered=registered, once=once)
        found.include_router(pages, prefix="/console", include_in_schema=False)
    return found


async def _no_route(request: Request, error: Exception) -> Response:
    """Of a path that leads nowhere, which may hold anything."""

    async def nowhere(_: Request) -> Response:
        raise error

    return await answered_anyway(nowhere, request, "nowhere")
