"""The officer's day: what is to be done, who is on which list, and a student by her number."""

import sys
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.mornings import Mornings
from yibao.adapters.http.console.pages.asked import number_in
from yibao.adapters.http.console.rendering import Page
from yibao.adapters.http.console.routes.signing_in import to_student
from yibao.adapters.http.rights import may
from yibao.adapters.http.wire import Problem
from yibao.adapters.office.directory import Directory, Entry
from yibao.adapters.office.reading import Unfit, text_in
from yibao.adapters.office.season import (
    LISTS,
    Due,
    Entered,
    entered,
    on_list,
    shown_by_number,
    this_morning,
)
from yibao.adapters.office.workbooks import list_heads, list_row
from yibao.adapters.service import Service
from yibao.adapters.shapes import plain
from yibao.domain.calendar import read_day
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId

#: So many of a list stand on a page.
SIZE: Final = 200


def add(router: APIRouter, console: Console) -> None:
    """Adds it to a router."""
    mornings = Mornings(console.desk)

    @router.get("/today")
    async def today(request: Request) -> Response:
        page = await console.page(request)
        school, on = _asked(console, page)

        def asked(service: Service) -> Response:
            found = this_morning(service, console.people, school, on)
            return page.render(
                "today.html.j2",
                page.t("morning"),
                schools=schools_of(page),
                school=school,
                on=on,
                lists=[
                    (name, page.words("office_list", name), number) for name, number in found.lists
                ],
                parked=page.words("cohort", "parked", count=found.parked) if found.parked else "",
            )

        response = await console.desk.run(asked)
        mornings.expect(school)
        return response

    @router.get("/lists/{name}")
    async def one(request: Request, name: str) -> Response:
        return await _list(console, await console.page(request), name, "")

    @router.post("/lists/{name}")
    async def filtered(request: Request, name: str) -> Response:
        page = await console.page(request)
        form = await console.form(request, page.who)
        return await _list(console, page, name, str(form.get("filter", "")).strip()[:100])

    @router.get("/find")
    async def ask(request: Request) -> Response:
        page = await console.page(request)
        _check_finds(page)
        return _finding(page)

    @router.post("/find")
    async def find(request: Request) -> Response:
        page = await console.page(request)
        _check_finds(page)
        form = await console.form(request, page.who)
        school, reason = str(form.get("school", "")), str(form.get("reason", "")).strip() or None
        assert page.who is not None
        grants = may(page.who, "find_person")
        if not any(each.reach == "all" or school in page.who.schools for each in grants):
            raise Problem("not_found")
        if reason is None and all(each.only == "reason" for each in grants):
            return _finding(page, page.t("find_reason"), 422)
        try:
            number = text_in(str(form.get("number", "")))
        except Unfit:
            return _finding(page, page.t("found_nobody"), 404)
        by = page.who.actor

        def asked(service: Service) -> Any:
            if console.people is None:
                return None
            day = service.now().date()
            return shown_by_number(
                service, console.people, school, number, day, by=by, reason=reason
            )

        try:
            found = await console.desk.run(asked)
        except BadValue as error:
            return _finding(page, page.errors(error), 422)
        if found is None:
            return _finding(page, page.t("found_nobody"), 404)
        return to_student(page, found.answers[-1].enrollment)


def schools_of(page: Page) -> list[str]:
    """The schools whose season somebody works on; raises Problem where there is none."""
    assert page.who is not None
    if not any(each.reach == "school" for each in may(page.who, "cohort")):
        raise Problem("forbidden")
    if not page.who.schools:
        raise Problem("forbidden")
    return sorted(page.who.schools)


def _asked(console: Console, page: Page) -> tuple[str, date]:
    """The school and the day that are asked about: by default the first, and this one."""
    schools, query = schools_of(page), page.request.query_params
    school = query.get("school") or schools[0]
    if school not in schools:
        raise Problem("not_found")
    today = console.desk.opened().service.now().date()
    try:
        on = read_day(query["day"]) if query.get("day") else today
    except ValueError:
        on = today
    return school, on


async def _list(console: Console, page: Page, name: str, words: str) -> Response:
    school, on = _asked(console, page)
    if name not in LISTS:
        raise Problem("not_found")
    query = page.request.query_params
    years = query.get("year", "")
    begin = number_in(query.get("from"), sys.maxsize) or 0
    assert page.who is not None
    by = page.who.actor

    def asked(service: Service) -> tuple[Response, list[EnrollmentId]]:
        found, _ = on_list(service, console.people, name, school, on)
        of_year = found
        if years:
            of_year = [each for each in found if str(each.enrollment.year) == years]
        fitting = _fitting(console.people, school, of_year, words.casefold())
        # Who they are is looked up, and noted, of those alone who are shown.
        some = fitting[begin : begin + SIZE]
        shown = entered(console.people, school, some, by=by)
        unnamed = [each.due.enrollment for each in shown if each.person is None]
        answered = page.render(
            "list.html.j2",
            page.words("office_list", name),
            name=name,
            schools=schools_of(page),
            school=school,
            on=on,
            filter=words,
            year=years,
            years=sorted({str(each.enrollment.year) for each in found}),
            count=len(found),
            fitting=len(fitting),
            heads=list_heads(name, page.words),
            rows=[(each.due.enrollment, _cells(name, each)) for each in shown],
            following=begin + SIZE if len(fitting) > begin + SIZE else None,
        )
        return answered, unnamed

    answered, unnamed = await console.desk.run(asked)
    # Who is named was noted by the directory.
    await console.desk.note(page.request, page.who, "list", unnamed)
    return answered


def _cells(name: str, entered: Entered) -> list[str]:
    return ["" if cell is None else str(plain(cell)) for cell in list_row(name, entered)]


def _fitting(
    people: Directory | None, school: str, found: Sequence[Due], words: str
) -> Sequence[Due]:
    """Those of whom number, name or reference contains what was typed."""
    if not words:
        return found

    def fits(entry: Entry) -> bool:
        return words in entry.number.casefold() or words in entry.name.casefold()

    refs = {each.enrollment.ref for each in found}
    of_them = people.fitting(school, refs, fits) if people else set[str]()
    return [
        each
        for each in found
        if each.enrollment.ref in of_them or words in each.enrollment.ref.casefold()
    ]


def _check_finds(page: Page) -> None:
    assert page.who is not None
    if not may(page.who, "find_person"):
        raise Problem("forbidden")


def _finding(page: Page, problem: str = "", status: int = 200) -> Response:
    assert page.who is not None
    grants = may(page.who, "find_person")
    return page.render(
        "find.html.j2",
        page.t("find"),
        status,
        schools=sorted(page.who.schools),
        is_anywhere=any(each.reach == "all" for each in grants),
        needs_reason=all(each.only == "reason" for each in grants),
        problem=problem,
    )
