"""Looks that wait go together: read in one turn, each judged, answered and noted by itself."""

import asyncio
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request

import yibao
from yibao.adapters.http.desk import Desk, Opened
from yibao.adapters.http.wire import Problem
from yibao.adapters.office.directory import Accessed, Accesses, open_accesses
from yibao.adapters.service import Service
from yibao.http import Role, Who
from yibao.projections.record import Record

from ..helpers.stores import rows
from ..helpers.web import REGISTRATION

OFFICER = Who("teacher-17", frozenset({Role.OFFICER}), frozenset({"sjtu"}))
ADA, BO, EVE, NOBODY = (yibao.EnrollmentId(each, 2025) for each in ("ada", "bo", "eve", "nobody"))
_REQUEST: ContextVar[str] = ContextVar("request")


async def identify(_: Request) -> Who | None:
    return OFFICER


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'facts.db'}"


@pytest.fixture
def service(url: str) -> Iterator[Service]:
    with yibao.open(url) as service:
        for each, school in ((ADA, "sjtu"), (BO, "sjtu"), (EVE, "fdu")):
            values: dict[str, Any] = REGISTRATION | {"ref": each.ref, "school": school}
            service.register(**values)
        yield service


@pytest.fixture
def accesses(url: str) -> Iterator[Accesses]:
    found = open_accesses(url)
    yield found
    found.close()


def looked(service: Service, accesses: Accesses, whom: Sequence[yibao.EnrollmentId]) -> list[Any]:
    """What those find who look at the same time: the facts of her, or what was raised."""
    desk = Desk(lambda: Opened(service, accesses), identify)

    def asked(_: Service, record: Record) -> tuple[str, int]:
        return _REQUEST.get(), len(record.enrolled.events)

    async def look(whose: yibao.EnrollmentId) -> Any:
        _REQUEST.set(f"of {whose.ref}")
        request = Request({"type": "http", "headers": []})
        try:
            return await desk.look(request, "answer", whose, asked, soon=True)
        except (Problem, yibao.YibaoError) as error:
            return getattr(error, "code", error)

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*map(look, whom))

    return asyncio.run(all_of_them())


def noted(accesses: Accesses) -> list[str]:
    """At whom somebody has looked, as it is kept."""
    return sorted(str(each.look.ref) for each in accesses.page(Accessed())[0])


def test_each_is_answered_in_the_context_of_its_own_request_and_noted_once(
    service: Service, accesses: Accesses
) -> None:
    found = looked(service, accesses, [ADA, BO, ADA])
    assert found == [("of ada", 1), ("of bo", 1), ("of ada", 1)]
    assert noted(accesses) == ["ada", "ada", "bo"]


def test_they_are_read_together(
    service: Service, accesses: Accesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[list[yibao.EnrollmentId]] = []
    read_each = Service.read_each

    def counted(self: Service, whom: Any) -> Any:
        turns.append(list(whom))
        return read_each(self, turns[-1])

    monkeypatch.setattr(Service, "read_each", counted)
    looked(service, accesses, [ADA, BO, ADA, BO])
    assert turns == [[ADA, BO, ADA, BO]]


def test_who_looks_at_what_is_not_theirs_takes_nothing_from_others(
    service: Service, accesses: Accesses
) -> None:
    assert looked(service, accesses, [EVE, ADA, NOBODY]) == [
        "not_found",
        ("of ada", 1),
        "not_found",
    ]
    assert noted(accesses) == ["ada"]


def test_what_cannot_be_read_of_one_is_told_to_who_asked_for_it(
    service: Service, accesses: Accesses, url: str
) -> None:
    rows(url, "UPDATE stored_events SET state=? WHERE originator_id=?", b"{}", BO.stream.hex)
    assert looked(service, accesses, [ADA, BO]) == [("of ada", 1), "unreadable_event"]
    assert noted(accesses) == ["ada"]
