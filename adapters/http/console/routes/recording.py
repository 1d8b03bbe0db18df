"""One form a command; what would be refused is told before anybody types, and who was faster."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.pages import forms
from yibao.adapters.http.console.pages import student as model
from yibao.adapters.http.console.rendering import Page
from yibao.adapters.http.console.routes.signing_in import to_student
from yibao.adapters.http.console.routes.students import (
    Ref,
    Year,
    command_told,
    here,
)
from yibao.adapters.http.rights import Who, may
from yibao.adapters.http.wire import Problem, etag_of, expected_of, problem_of
from yibao.adapters.service import Service
from yibao.adapters.views.console import told_care
from yibao.adapters.views.telling import error_told
from yibao.adapters.views.words import Words
from yibao.domain.facts.commands import ASKED, Command
from yibao.domain.facts.events import CareReceived, Event
from yibao.domain.refusals import BadValue, Refused
from yibao.domain.vocabulary import EnrollmentId, Seen
from yibao.projections.record import Record

#: What is told of a fact that is there already.
_AMENDING = ("correct", "void")
_NOT_HERE = ("fix_window",)


class Sent(NamedTuple):
    """A form that was sent and not recorded, and why: it is shown again with what was typed."""

    given: Mapping[str, str]
    error: Refused
    expected: Seen | None


def add(router: APIRouter, console: Console) -> None:
    """Adds them to a router."""

    @router.get("/s/{ref}/{year}/do/{command}")
    async def form(request: Request, ref: Ref, year: Year, command: str) -> Response:
        page = await console.page(request)
        return await _form(console, page, EnrollmentId(ref, year), command, None)

    @router.post("/s/{ref}/{year}/do/{command}")
    async def send(request: Request, ref: Ref, year: Year, command: str) -> Response:
        page = await console.page(request)
        sent = await console.form(request, page.who)
        whose = EnrollmentId(ref, year)
        given = {key: value for key, value in sent.items() if isinstance(value, str)}
        expected = seen_in(given)
        values = await _values(console, page, whose, command, given)
        assert page.who is not None
        try:
            receipt, _ = await console.desk.tell(
                page.who, whose, command, values, key=key_sent(sent), expected=expected
            )
        except Refused as error:
            problem = problem_of(error)
            if problem is None or error.code == "not_allowed":
                raise
            return await _form(console, page, whose, command, Sent(given, error, expected))
        return to_student(page, whose, recorded=str(receipt.event_id))


def seen_in(given: Mapping[str, str]) -> Seen | None:
    """What was seen by whoever sent a form; raises Problem where it does not say."""
    if not given.get("seen"):
        raise Problem("if_match_missing")
    return expected_of(given["seen"])


def key_sent(sent: FormData) -> str:
    """The key of a form; raises Problem where it can be none."""
    key = sent.get("key")
    if not isinstance(key, str) or not (0 < len(key) <= 64):
        raise Problem("key_malformed")
    return key


async def _values(
    console: Console, page: Page, whose: EnrollmentId, command: str, given: Mapping[str, str]
) -> dict[str, Any]:
    """The values that a form tells; of a correction those that differ from the fact's."""
    kind = ASKED.get(command)
    if kind is None or command in _NOT_HERE:
        raise Problem("not_found")
    values = forms.values_sent(kind, given)
    if command == "register":
        values["ref"] = whose.ref
    if command not in _AMENDING:
        return values
    values["fact_id"] = given.get("fact", "")
    values.pop("occurred_at", None)
    if command == "correct":

        def fact(service: Service, record: Record) -> Event:
            return _fact(record, given.get("fact", ""))

        found = await console.desk.look(page.request, command, whose, fact)
        changes, occurred_at = forms.corrected(found, given)
        values["changes"] = changes
        if occurred_at:
            values["occurred_at"] = occurred_at
    return values


async def _form(
    console: Console, page: Page, whose: EnrollmentId, command: str, sent: Sent | None
) -> Response:
    kind = ASKED.get(command)
    if kind is None or command in _NOT_HERE:
        raise Problem("not_found")
    right = command if command != "confirm" or may(page.who, command) else "confirm_by_proxy"  # type: ignore[arg-type]

    def asked(service: Service, record: Record) -> Response:
        return _shown(page, service, record, kind, sent)

    return await console.desk.look(page.request, right, whose, asked)


def _shown(
    page: Page, service: Service, record: Record, kind: type[Command], sent: Sent | None
) -> Response:
    assert page.who is not None
    latest = service.at(record)
    words = page.words.among(service.editions).of(latest.policy)
    given: Mapping[str, str] = sent.given if sent else {}
    fact: model.FactTold | None = None
    fields: list[forms.Field] = []
    errors = list(sent.error.errors) if sent and isinstance(sent.error, BadValue) else []
    if kind.name in _AMENDING:
        asked = given.get("fact") or page.request.query_params.get("fact", "")
        event = _fact(record, asked)
        fact = next(
            each for each in model.facts_told(record, None, words) if each.event_id == asked
        )
        amended = forms.kind_of(event)
        if kind.name == "correct":
            if amended is None:
                raise Problem("not_found")
            before = forms.values_of(event)
            of_fact = forms.fields_of(
                amended,
                words,
                {**before, **given},
                errors,
                _choices(page, service, record, kind, words),
                optional=True,
            )
            fields = [
                each for each in of_fact if each.name in event.payload() and each.name != "policy"
            ]
            given = {**before, **given}
    choices = _choices(page, service, record, kind, words)
    fields += forms.fields_of(kind, words, given or _told_by(page.who, kind), errors, choices)
    shown_at = {field.name for field in fields}
    status, stale, refused = _came(record, sent, words)
    guarded = _guarded(service, record, kind, words)
    return page.render(
        "form.html.j2",
        command_told(kind.name, words),
        status,
        words=words,
        told=command_told(kind.name, words),
        whose=record.enrollment,
        back=here(page, record.enrollment),
        action=f"{here(page, record.enrollment)}/do/{kind.name}",
        key=Console.new_key(),
        seen=etag_of(latest.seen),
        fact=fact,
        amends=kind.name,
        guarded=guarded,
        hint="" if guarded or fact else page.t("form_depends"),
        fields=fields,
        errors=errors,
        loose_errors=[(words.field(w), words.said(why)) for w, why in errors if w not in shown_at],
        stale=stale,
        refused=refused,
    )


def _came(
    record: Record, sent: Sent | None, words: Words
) -> tuple[int, list[model.FactTold] | None, str]:
    """With which status a form is shown, what was recorded meanwhile, and why it was refused."""
    if sent is None:
        return 200, None, ""
    problem = problem_of(sent.error)
    assert problem is not None
    if sent.error.code == "version_conflict":
        return 412, _since(record, sent.expected, words), ""
    if isinstance(sent.error, BadValue):
        return 422, None, ""
    return problem.status, None, reason_told(sent.error, words)


def reason_told(error: Refused, words: Words) -> str:
    """Why something was refused, as a page says it."""
    if words.language == "en":
        return words("refusal", error.code)
    return error_told(error, words)


def _since(record: Record, expected: Seen | None, words: Words) -> list[model.FactTold]:
    """What was recorded since somebody looked, and by whom."""
    if expected is None:
        return []
    facts = model.facts_told(record, None, words)
    enrolled = len(record.enrolled.events)
    return [*facts[:enrolled][expected.facts :], *facts[enrolled:][expected.care :]]


def _fact(record: Record, event_id: str) -> Event:
    """A fact that can be amended; raises Problem for none."""
    try:
        asked = UUID(event_id)
    except ValueError:
        raise Problem("not_found") from None
    for event in (*record.enrolled.events, *record.received.events):
        if event.event_id == asked:
            return event
    raise Problem("not_found")


def _guarded(
    service: Service, record: Record, kind: type[Command], words: Words
) -> model.Doable | None:
    """What stands in the way now; None of what is always recorded."""
    if getattr(kind, "always_report", False):
        return None
    found = [each for each in service.possible(record) if each.command == kind.name]
    return model.doable(found, lambda _: True, words)[0] if found else None


def _choices(
    page: Page, service: Service, record: Record, kind: type[Command], words: Words
) -> dict[str, list[forms.Choice]]:
    """What may be chosen where a schema cannot know: editions, schools of one's own, care."""
    assert page.who is not None
    found: dict[str, list[forms.Choice]] = {
        "policy": [(each.edition, each.edition) for each in service.editions],
        "care": [
            (str(event.event_id), f"#{event.originator_version} {told_care(event, words)}")
            for event in record.received.events
            if isinstance(event, CareReceived)
        ],
    }
    if kind.name == "register" and page.who.schools:  # elsewhere it would be refused
        found["school"] = [(each, each) for each in sorted(page.who.schools)]
    return found


def _told_by(who: Who, kind: type[Command]) -> dict[str, str]:
    """Of who may only report, that it is a report."""
    grants = may(who, kind.name)
    only = bool(grants) and all(each.only == "observed" for each in grants)
    return {"observed": "true"} if only else {}
