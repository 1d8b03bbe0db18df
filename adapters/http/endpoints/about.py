"""What is asked of no student: editions, schemas, and what the code of a problem means."""

from typing import Any, Final

from fastapi import APIRouter, Request
from jinja2 import Environment
from starlette.responses import JSONResponse, Response

from yibao.adapters.http.desk import Desk
from yibao.adapters.http.endpoints.documented import documented
from yibao.adapters.http.wire import PROBLEMS, Problem, language_of, title_of, wants_a_page
from yibao.adapters.service import Service
from yibao.adapters.shapes import command_schema
from yibao.adapters.stories.published import SCHEMAS
from yibao.adapters.views.words import LANGUAGES, Words
from yibao.domain.facts.commands import ASKED


def add(router: APIRouter, desk: Desk) -> None:
    """Adds them to a router. They tell of nobody, and are told to everybody."""

    @router.get("/policies", responses=documented(200, dict[str, Any]))
    async def policies(request: Request) -> Response:
        """The editions at hand."""

        def asked(service: Service) -> list[dict[str, Any]]:
            return [
                {"id": each.edition, "year": each.year, "digest": each.digest}
                for each in service.editions
            ]

        return JSONResponse({"policies": await desk.run(asked)})

    @router.get("/policies/{policy}", responses=documented(200, dict[str, Any]))
    async def policy(request: Request, policy: str) -> Response:
        """An edition: each value with where it stands in the notice."""

        def asked(service: Service) -> dict[str, Any]:
            if policy not in service.editions.names():
                raise Problem("not_found")
            found = service.editions.get(policy)
            return {"digest": found.digest, **found.model_dump(mode="json", by_alias=True)}

        return JSONResponse(await desk.run(asked))

    @router.get("/schemas/{name}", responses=documented(200, dict[str, Any]))
    async def schema(request: Request, name: str) -> Response:
        """A JSON Schema: `answer`, `commands`, … or that of one command."""
        if name in SCHEMAS:
            return JSONResponse(SCHEMAS[name](), media_type=_SCHEMA_TYPE)
        if name in ASKED:
            return JSONResponse(command_schema(ASKED[name]), media_type=_SCHEMA_TYPE)
        raise Problem("not_found")

    @router.get("/problems/{code}", responses=_EXPLAINED)
    async def problem(request: Request, code: str) -> Response:
        """What a code means, in both languages; as a page, where one is asked for."""
        if code not in PROBLEMS:
            raise Problem("not_found")
        status, retry = PROBLEMS[code]
        titles = {lang: title_of(code, Words(lang)) for lang in LANGUAGES}
        told = {"code": code, "status": status, "retry": retry, "title": titles}
        if not wants_a_page(request):
            return JSONResponse(told)
        words = Words(language_of(request))
        page = _PAGE.render(
            lang=words.language, title=titles[words.language], retry=words("retry", retry), **{
                key: told[key] for key in ("code", "status")
            }
        )  # fmt: skip
        return Response(page, media_type="text/html")


_SCHEMA_TYPE: Final = "application/schema+json"
_PAGE: Final = Environment(autoescape=True).from_string(
    """<!doctype html>
<html lang="{{ lang }}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ code }}</title>
<h1>{{ code }}</h1>
<p>{{ title }}</p>
<p>{{ status }}</p>
<p>{{ retry }}</p>
</html>
"""
)
_EXPLAINED: Final = documented(200, dict[str, Any])
_EXPLAINED[200]["content"] = {"text/html": {"schema": {"type": "string"}}}
