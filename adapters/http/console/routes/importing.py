"""A table imported: tried first, and recorded once somebody has seen what would become of it."""

from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from time import monotonic
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.rendering import Page
from yibao.adapters.http.rights import may
from yibao.adapters.http.wire import UPLOAD_LIMIT, Problem
from yibao.adapters.office.directory import Directory
from yibao.adapters.office.imports import (
    FINE,
    VERDICTS,
    Asked,
    Imported,
    record_table,
    row_told,
    verdict_told,
    warnings_told,
)
from yibao.adapters.office.judging import HEADINGS
from yibao.adapters.office.reading import UnreadableTable, read_table
from yibao.adapters.service import Service
from yibao.adapters.store import StoreError
from yibao.adapters.views.telling import error_told
from yibao.domain.refusals import BadValue

#: In seconds: how long a table is held between trying and recording; and how many at most.
HELD_FOR, HELD = 1800, 8
#: What a form has around a file.
_AROUND: Final = 2**16
#: So many rows to look at stand on a page.
_ROWS: Final = 500


class Table(NamedTuple):
    """A table that somebody has sent, and how it is to be recorded."""

    name: str
    content: bytes
    kind: str
    sheet: str | None
    asked: Asked


class _Held:
    """Tables between trying and recording: in memory alone, one of each actor."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, str, Table]] = {}
        self._turn = Lock()

    def put(self, actor: str, key: str, table: Table) -> None:
        with self._turn:
            self._held.pop(actor, None)
            self._held[actor] = monotonic(), key, table
            while len(self._held) > HELD:
                self._held.pop(next(iter(self._held)))

    def take(self, actor: str, key: str) -> Table | None:
        """The table, which is not held any longer then."""
        with self._turn:
            since, its_key, table = self._held.pop(actor, (0.0, "", None))
            is_it = its_key == key and monotonic() - since < HELD_FOR
            return table if is_it else None


def add(router: APIRouter, console: Console) -> None:
    """Adds it to a router."""
    held = _Held()

    @router.get("/import")
    async def choose(request: Request) -> Response:
        page = await console.page(request)
        return _choosing(page)

    @router.post("/import")
    async def try_it(request: Request) -> Response:
        page = await console.page(request)
        _schools(page)
        form = await console.form(request, page.who, UPLOAD_LIMIT + _AROUND)
        told = {key: value for key, value in form.items() if isinstance(value, str)}
        file = form.get("file")
        assert page.who is not None
        if not isinstance(file, UploadFile) or told.get("kind") not in HEADINGS:
            raise Problem("bad_value")
        school = told.get("school", "")
        if school not in _schools(page):
            raise Problem("not_found")
        content = await file.read()
        if len(content) > UPLOAD_LIMIT:
            raise Problem("too_large")
        kind = told["kind"]
        asked = Asked(
            school,
            by=page.who.actor,
            dry_run=True,
            all_or_nothing=told.get("all") == "true",
            correct=told.get("correct") == "true",
            reason=f"{kind}-correction",
        )
        name = Path(file.filename or "table").name[:100]
        table = Table(name, content, kind, told.get("sheet", "").strip() or None, asked)
        key = console.new_key()
        response = await _imported(console, page, table, key)
        if response.status_code == 200:
            held.put(page.who.actor, key, table)
        return response

    @router.post("/import/confirm")
    async def record(request: Request) -> Response:
        page = await console.page(request)
        schools = _schools(page)
        form = await console.form(request, page.who)
        assert page.who is not None
        table = held.take(page.who.actor, str(form.get("key", "")))
        if table is None or table.asked.school not in schools:
            return _choosing(page, page.t("import_gone"), 409)
        recorded = table._replace(asked=table.asked._replace(dry_run=False))
        return await _imported(console, page, recorded, "")


async def _imported(console: Console, page: Page, table: Table, key: str) -> Response:
    if console.people is None and not table.asked.dry_run:
        return _choosing(page, page.t("no_directory"), 409)
    try:
        found = await console.desk.run(_import, console.people, table)
    except (UnreadableTable, BadValue) as error:
        return _choosing(page, error_told(error, page.words), 422)
    except StoreError as error:  # such as that there is nowhere to keep people
        return _choosing(page, error_told(error, page.words), 503)
    return page.render(
        "imported.html.j2", page.t("import"), table=table, key=key, **_told(found, page)
    )


def _import(service: Service, people: Directory | None, table: Table) -> Imported:
    """What becomes of the rows; the file is on disk for no longer than it is read."""
    with TemporaryDirectory() as folder:
        file = Path(folder, f"table{Path(table.name).suffix[:8]}")
        file.touch(0o600)
        file.write_bytes(table.content)
        read = read_table(file, HEADINGS[table.kind], table.sheet)
    return record_table(service, people, table.kind, read, table.asked)


def _told(found: Imported, page: Page) -> dict[str, Any]:
    words, counts = page.words, found.counts
    to_look_at = [row for row in found.rows if row.verdict not in FINE]
    return {
        "dry_run": found.dry_run,
        "counts": [
            (verdict_told(verdict, found.kind, words), counts[verdict], verdict)
            for verdict in VERDICTS
        ],
        "warnings": list(warnings_told(found, words)),
        "rows": [
            (row.row, verdict_told(row.verdict, found.kind, words), *row_told(row, words))
            for row in to_look_at[:_ROWS]
        ],
        "more": max(len(to_look_at) - _ROWS, 0),
    }


def _schools(page: Page) -> list[str]:
    assert page.who is not None
    if not any(each.reach == "school" for each in may(page.who, "batches")):
        raise Problem("forbidden")
    return sorted(page.who.schools)


def _choosing(page: Page, problem: str = "", status: int = 200) -> Response:
    return page.render(
        "import.html.j2",
        page.t("import"),
        status,
        schools=_schools(page),
        kinds=[(kind, page.t(f"import_{kind}")) for kind in HEADINGS],
        problem=problem,
    )
