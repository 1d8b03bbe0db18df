"""A whole season through the pages: tables tried and recorded, lists, and students by number."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from queue import Queue
from typing import Any, NamedTuple

import pytest
from given.console import PEOPLE, Browsing, browsing, csrf, served

import yibao
from yibao.adapters.http.console.routes import office as routes
from yibao.adapters.http.rights import Role, Who
from yibao.adapters.office.demo import SCHOOL, UNTIL, season_of, write_sheet
from yibao.adapters.office.directory import Accessed, Directory, DirectorySettings, open_directory
from yibao.adapters.office.imports import Asked, record_table
from yibao.adapters.office.judging import HEADINGS
from yibao.adapters.office.reading import read_table
from yibao.adapters.office.season import LISTS, listed, this_morning
from yibao.adapters.service import CohortView
from yibao.testing import Clock, clock_at

OFFICER = Who("officer-1", frozenset({Role.OFFICER}), frozenset({SCHOOL}))


class Office(NamedTuple):
    """A store and a directory in which a season is recorded, and its clock."""

    service: yibao.Service
    people: Directory
    clock: Clock


@contextmanager
def office(folder: Path) -> Iterator[Office]:
    folder.mkdir()
    key = folder / "directory.key"
    key.write_bytes(bytes(range(64)))
    key.chmod(0o600)
    settings = DirectorySettings(directory=str(folder / "people.db"), directory_key=key)
    clock = clock_at("2025-08-01 09:00")
    people = open_directory(settings, clock, make=True)
    assert people is not None
    with people, yibao.open("memory:", by=OFFICER.actor, clock=clock) as service:
        yield Office(service, people, clock)


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path / "pages") as found:
        yield found


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path / "library") as found:
        yield found


def imported(browser: Browsing, file: Path, kind: str, corrects: bool) -> dict[str, int]:
    """How many rows of each verdict there are, once a table was tried and recorded."""
    page = browser.get("/console/import").text
    told = {"csrf": csrf(page), "kind": kind, "school": SCHOOL}
    told |= {"correct": "true"} if corrects else {}
    tried = browser.post(
        "/console/import", data=told, files={"file": (file.name, file.read_bytes())}
    )
    assert tried.status_code == 200, tried.text
    key = re.search(r'name="key" value="(\w+)"', tried.text)
    assert key
    done = browser.post("/console/import/confirm", data={"csrf": csrf(page), "key": key[1]})
    assert (done.status_code, counts(done.text, "verdict")) == (200, counts(tried.text, "verdict"))
    return counts(done.text, "verdict")


def counts(page: str, what: str) -> dict[str, int]:
    return {k: int(n) for k, n in re.findall(rf'data-{what}="([\w-]+)" data-count="(\d+)"', page)}


def test_a_season_through_the_pages_is_the_season_of_the_library(
    pages: Office, library: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PEOPLE, "season", OFFICER)
    browser = browsing(served(pages.service, pages.people)).sign_in("season")
    season = season_of(40, in_tables_alone=True)
    kinds = [sheet.kind for sheet in season.sheets]
    assert (kinds[0], {*kinds}) == ("roster", {*HEADINGS})
    for sheet in season.sheets:
        file = write_sheet(tmp_path, sheet)
        for each in (pages, library):
            each.clock.move_to(sheet.at)
        asked = Asked(SCHOOL, by=OFFICER.actor, correct=sheet.corrects)
        table = read_table(file, HEADINGS[sheet.kind])
        by_library = record_table(library.service, library.people, sheet.kind, table, asked)
        assert imported(browser, file, sheet.kind, sheet.corrects) == by_library.counts
        today = browser.get(f"/console/today?day={sheet.at:%Y-%m-%d}").text
        then = this_morning(library.service, library.people, SCHOOL, sheet.at.date())
        assert counts(today, "list") == dict(then.lists)
    today = browser.get(f"/console/today?day={UNTIL}").text
    morning = this_morning(library.service, library.people, SCHOOL, UNTIL)
    assert counts(today, "list") == dict(morning.lists)
    assert sum(counts(today, "list").values()) > 20
    for name in LISTS:
        page = browser.get(f"/console/lists/{name}?day={UNTIL}").text
        told = re.findall(r"<tr><td>(\d*)</td><td>([^<]*)</td>", page)
        found = listed(library.service, library.people, name, SCHOOL, UNTIL, by="officer-1")
        entries = [(e.person.number, e.person.name) for e in found.entries if e.person]
        assert told == entries
    unpaid = {each.pupil.number for each in season.lives if each.confirmed_at and not each.paid_at}
    renewing = f"/console/lists/next-premium?day={UNTIL}"
    assert {*re.findall(r"<tr><td>(\d+)</td>", browser.get(renewing).text)} == unpaid
    for left in range(len(unpaid), 0, -1):  # until the last has paid for the next year
        page = browser.get(renewing).text
        assert counts(browser.get(f"/console/today?day={UNTIL}").text, "list")[
            "next-premium"
        ] == left  # fmt: skip
        hers = re.findall(r'href="(/console/s/[^"?]+)', page)[0]
        paid = browser.fill_in(f"{hers}/do/pay_premium", year="2026", at="2025-12-15T09:00")
        assert paid.status_code == 303
    assert re.findall(r"<tr><td>(\d+)</td>", browser.get(renewing).text) == []


def test_a_student_is_found_by_her_number_which_stands_in_no_address(
    pages: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PEOPLE, "season", OFFICER)
    browser = browsing(served(pages.service, pages.people)).sign_in("season")
    season = season_of(30, in_tables_alone=True)
    sheet = season.sheets[0]
    pages.clock.move_to(sheet.at)
    imported(browser, write_sheet(tmp_path, sheet), sheet.kind, sheet.corrects)
    lists = [
        listed(pages.service, pages.people, name, SCHOOL, on, by="officer-1")
        for name in LISTS
        for on in (sheet.at.date(), UNTIL)
    ]
    person = next(entry.person for each in lists for entry in each.entries if entry.person)
    sent = browser.fill_in("/console/find", school=SCHOOL, number=person.number)
    assert sent.status_code == 303
    assert person.number not in sent.headers["location"]
    page = browser.get(sent.headers["location"]).text
    assert person.name in page
    assert person.number in page
    assert person.document_number not in page
    assert browser.fill_in("/console/find", school=SCHOOL, number="404404").status_code == 404
    filtered = browser.post(
        f"/console/lists/next-premium?day={UNTIL}",
        data={"csrf": csrf(page), "filter": person.number},
    )
    assert filtered.status_code == 200


def test_as_a_day_begins_its_page_is_made_ready(
    pages: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PEOPLE, "season", OFFICER)
    made = Queue[date]()

    def steps(cohort: CohortView, now: Any = CohortView.steps) -> Any:
        made.put(cohort.at.date())
        return now(cohort)

    monkeypatch.setattr(CohortView, "steps", steps)
    evening, morning = date(2025, 9, 14), date(2025, 9, 15)
    pages.clock.move_to("2025-09-14 23:59:59.5")
    with browsing(served(pages.service, pages.people)) as browser:
        browser.sign_in("season")
        for _ in range(2):
            browser.get("/console/today")
        assert made.get(timeout=10) == evening
        pages.clock.move_to("2025-09-15 00:00")
        assert made.get(timeout=10) == morning
        pages.clock.move_to("2025-09-15 08:00")
        assert browser.get("/console/today").status_code == 200
        assert made.empty()  # it was kept
        assert browser.get(f"/console/today?day={UNTIL}").status_code == 200
        assert made.get(timeout=10) == UNTIL


def test_of_a_list_those_alone_are_looked_up_who_are_shown(
    pages: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PEOPLE, "season", OFFICER)
    monkeypatch.setattr(routes, "SIZE", 7)
    browser = browsing(served(pages.service, pages.people)).sign_in("season")
    sheet = season_of(30, in_tables_alone=True).sheets[0]
    pages.clock.move_to(sheet.at)
    imported(browser, write_sheet(tmp_path, sheet), sheet.kind, sheet.corrects)
    on_it = listed(pages.service, pages.people, "not-confirmed", SCHOOL, UNTIL, by="test")
    numbers = {each.person.number for each in on_it.entries if each.person}
    page, address = "", f"/console/lists/not-confirmed?day={UNTIL}"

    def looked_up() -> list[str | None]:
        asked = Accessed(actor=OFFICER.actor)
        return [each.look.ref for each in pages.people.accesses.page(asked, limit=500)[0]]

    shown: list[str] = []
    while address:
        before = len(looked_up())
        page = browser.get(address).text
        some = re.findall(r"<tr><td>(\d+)</td>", page)
        assert len(looked_up()) - before == len(some) <= 7
        assert some == sorted(some)
        shown += some
        following = re.search(r'href="(/console/lists/[^"]*from=[^"]*)"', page)
        address = html.unescape(following[1]) if following else ""
    assert len(shown) == len(numbers)
    assert {*shown} == numbers
    before = len(looked_up())
    told = {"csrf": csrf(page), "filter": "25"}
    found = browser.post(f"/console/lists/not-confirmed?day={UNTIL}", data=told).text
    fitting = re.findall(r"<tr><td>(\d+)</td>", found)
    assert len(looked_up()) - before == len(fitting) == 7
    assert f">{len(numbers)}<" not in found
    assert 'name="filter" value="25"><button>' in found  # and on with the same
    for junk in ("²", "9" * 5000, "-1", "x"):
        assert browser.get(f"/console/lists/waiting?day={UNTIL}&from={junk}").status_code == 200


def test_who_is_in_no_directory_is_noted_on_a_list_as_well(
    pages: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PEOPLE, "season", OFFICER)
    pages.clock.move_to("2025-09-10 09:00")
    pages.service.register(
        "s-1", policy="shanghai-2025", on="2025-09-01", school=SCHOOL, category="undergraduate",
        document="passport",
    )  # fmt: skip
    browser = browsing(served(pages.service, pages.people)).sign_in("season")
    assert "s-1" in browser.get("/console/lists/not-declared").text
    (seen,) = pages.people.accesses.page(Accessed(ref="s-1"))[0]
    assert (seen.look.actor, seen.look.what, seen.look.year) == (OFFICER.actor, "list", 2025)


def test_a_table_that_is_held_no_longer_has_to_be_chosen_again(
    pages: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PEOPLE, "season", OFFICER)
    browser = browsing(served(pages.service, pages.people)).sign_in("season")
    page = browser.get("/console/import").text
    gone = browser.post("/console/import/confirm", data={"csrf": csrf(page), "key": "unknown"})
    assert gone.status_code == 409
    assert "choose it again" in gone.text


def test_a_file_that_is_no_table_is_one_sentence(
    pages: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PEOPLE, "season", OFFICER)
    browser = browsing(served(pages.service, pages.people)).sign_in("season")
    page = browser.get("/console/import").text
    told = {"csrf": csrf(page), "kind": "roster", "school": SCHOOL}
    for content, status in ((b"PK\x03\x04 broken", 422), (b"a" * (33 * 2**20), 413)):
        sent = browser.post("/console/import", data=told, files={"file": ("x.xlsx", content)})
        assert sent.status_code == status
    elsewhere = browser.post(
        "/console/import", data={**told, "school": "another"}, files={"file": ("x.csv", b"a")}
    )
    assert elsewhere.status_code == 404
