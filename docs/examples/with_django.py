"""Enrollment in Django: `YIBAO_STORE=… gunicorn with_django:application --workers 4`."""

import json
import os
from functools import cache
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

import yibao

if not settings.configured:  # in a project of your own these stand in its settings
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=[f"{__name__}.Told"],
        YIBAO={"url": os.environ.get("YIBAO_STORE", "memory:"), "by": "portal"},
    )


@cache
def service() -> yibao.Service:
    """The service of this process, opened by its first request: after every fork."""
    return yibao.open(**settings.YIBAO)


class Told:
    """A middleware: whatever yibao raises becomes its code, in words, and its HTTP status."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, yibao.YibaoError):
            return None
        return JsonResponse(yibao.as_json(error, lang="zh"), status=error.status)


@require_GET
def answer(request: HttpRequest, ref: str, year: int) -> HttpResponse:
    """What holds now, or at an instant."""
    found = service().at(yibao.EnrollmentId(ref, year), request.GET.get("at"))
    return JsonResponse(yibao.as_json(found, lang="zh"))


@require_GET
def possible(request: HttpRequest, ref: str, year: int) -> HttpResponse:
    """What can be done now, and from when what cannot."""
    found = service().possible(yibao.EnrollmentId(ref, year))
    return JsonResponse([yibao.as_json(each) for each in found], safe=False)


@require_POST
def tell(request: HttpRequest, ref: str, year: int, command: str) -> HttpResponse:
    """Any command from the values of a form, for officers of her school alone."""
    school = request.headers["X-School"]  # in a project of your own: of whoever is logged in

    def allowed(found: yibao.Answer, record: yibao.Record) -> str | None:
        return None if found.school == school else "other_school"

    receipt = service().tell(
        yibao.EnrollmentId(ref, year),
        command,
        request.POST.dict(),
        by=request.headers["X-Officer"],
        command_id=request.headers["Idempotency-Key"],
        allowed=allowed,
    )
    return JsonResponse(yibao.as_json(receipt), status=201)


@require_POST
def roster(request: HttpRequest, school: str) -> HttpResponse:
    """A school declares its students, each judged by herself, and sent again once."""
    key = request.headers["Idempotency-Key"]
    replies = service().record_each(
        (
            yibao.EnrollmentId(row["ref"], row["year"]),
            yibao.commands.DeclareRoster(by=school, command_id=f"{key}/{number}"),
        )
        for number, row in enumerate(json.loads(request.body))
    )
    return JsonResponse([yibao.as_json(reply) for reply in replies], safe=False)


urlpatterns = [
    path("enrollments/<ref>/<int:year>", answer),
    path("enrollments/<ref>/<int:year>/possible", possible),
    path("enrollments/<ref>/<int:year>/<command>", tell),
    path("schools/<school>/roster", roster),
]

django.setup()
application = get_wsgi_application()
