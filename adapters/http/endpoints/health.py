"""For those who run it: whether it lives, whether it can answer, and its figures."""

from ipaddress import ip_address, ip_network

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from yibao.adapters.http.desk import Desk
from yibao.adapters.http.endpoints.documented import DOCUMENTED
from yibao.adapters.http.metrics import CONTENT_TYPE, Metrics
from yibao.adapters.http.wire import Route
from yibao.adapters.service import Service


def operating(desk: Desk, metrics: Metrics, networks: tuple[str, ...]) -> APIRouter:
    """At the root: for operators, and for whoever asks from one of these networks."""
    router = APIRouter(route_class=Route, responses=DOCUMENTED)
    known = [ip_network(each) for each in networks]

    async def check(request: Request) -> None:
        """Raises Problem where who asks is no operator, and asks from elsewhere."""
        try:
            here = ip_address(request.client.host if request.client else "")
        except ValueError:
            here = None
        if here is None or not any(here in each for each in known):
            await desk.may(request, "operate")

    @router.get("/healthz", response_class=PlainTextResponse)
    async def alive(request: Request) -> Response:
        """The process lives."""
        await check(request)
        return PlainTextResponse("alive\n")

    @router.get("/readyz", response_class=PlainTextResponse)
    async def ready(request: Request) -> Response:
        """The store answers; else 503."""
        await check(request)
        await desk.run(lambda service: Service.enrollments(service, "ready"))
        return PlainTextResponse("ready\n")

    @router.get("/metrics", response_class=PlainTextResponse)
    async def figures(request: Request) -> Response:
        """The figures of this process, as Prometheus reads them."""
        await check(request)
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return router
