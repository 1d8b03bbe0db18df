"""Somebody new is registered, by a form."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.newcomers import Unfit, registered
from yibao.adapters.http.console.pages.registering import registration, with_refusal
from yibao.adapters.http.console.rendering import Page
from yibao.adapters.http.console.routes.recording import key_sent, reason_told
from yibao.adapters.http.console.routes.signing_in import to_student
from yibao.adapters.http.rights import may
from yibao.adapters.http.wire import Problem, problem_of
from yibao.adapters.service import Service
from yibao.domain.refusals import BadValue, Refused


def add(router: APIRouter, console: Console) -> None:
    """Adds it to a router."""

    @router.get("/register")
    async def form(request: Request) -> Response:
        page = await console.page(request)
        return await _form(console, page, {}, None)

    @router.post("/register")
    async def send(request: Request) -> Response:
        page = await console.page(request)
        sent = await console.form(request, page.who)
        _schools(page)
        given = {key: value for key, value in sent.items() if isinstance(value, str)}
        assert page.who is not None
        try:
            receipt, whose = await registered(console, page.who, key_sent(sent), given)
        except (Refused, Unfit) as error:
            if isinstance(error, Refused) and error.code == "not_allowed":
                raise
            return await _form(console, page, given, error)
        return to_student(page, whose, recorded=str(receipt.event_id))


def _schools(page: Page) -> list[str]:
    """The schools at which somebody may register; raises Problem where there is none."""
    assert page.who is not None
    if not may(page.who, "register"):
        raise Problem("forbidden")
    return sorted(page.who.schools)


async def _form(
    console: Console, page: Page, given: Mapping[str, str], error: Refused | Unfit | None
) -> Response:
    schools = _schools(page)

    def shown(service: Service) -> Response:
        words = page.words.among(service.editions)
        errors = list(error.errors) if isinstance(error, BadValue) else []
        choices = {
            "policy": [(each.edition, each.edition) for each in service.editions],
            "school": [(each, each) for each in schools],
        }
        with_her = console.people is not None
        fields = registration(words, given, errors, choices, with_her=with_her)
        if isinstance(error, Unfit):
            fields = with_refusal(fields, error.refused, words)
        problem = problem_of(error) if isinstance(error, Refused) else None
        wrong = bool(errors) or isinstance(error, Unfit)
        names = {each.name for each in fields}
        return page.render(
            "form.html.j2",
            page.t("register"),
            422 if wrong else problem.status if problem else 200,
            words=words,
            told=page.t("register"),
            whose=None,
            back=f"{page.base}/",
            action=f"{page.base}/register",
            key=Console.new_key(),
            seen="",
            fact=None,
            amends="",
            guarded=None,
            hint=page.t("register_help" if with_her else "register_help_alone"),
            fields=fields,
            errors=wrong,
            loose_errors=[(words.field(w), words.said(why)) for w, why in errors if w not in names],
            stale=None,
            refused="" if wrong or not isinstance(error, Refused) else reason_told(error, words),
        )

    return await console.desk.run(shown)
