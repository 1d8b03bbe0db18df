"""The console over two stories: of one student who was told two things, and of thirty."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from threading import Thread
from typing import Any, NamedTuple

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, ViewportSize
from starlette.testclient import TestClient

from yibao.adapters.editions import Editions
from yibao.adapters.http import console
from yibao.adapters.http.desk import Desk, Opened
from yibao.adapters.http.identify import Tokens
from yibao.adapters.http.rights import Role, Who
from yibao.adapters.office.directory import Directory
from yibao.adapters.service import Service
from yibao.adapters.stories import read_story, replay
from yibao.domain.vocabulary import EnrollmentId

ROOT = Path(__file__).parents[2]
STORY = ROOT / "scenarios/audit/the-counter-was-right-in-september-on-a-check-that-was-wrong.yaml"
SCHOOL = ROOT / "scenarios/a-school/thirty-students-of-one-autumn.yaml"
ADA = EnrollmentId("s-90a1", 2025)

#: Whoever asks, by the token with which she signs in.
PEOPLE = {
    "officer": Who("officer-3", frozenset({Role.OFFICER}), frozenset({"sjtu"})),
    "elsewhere": Who("officer-9", frozenset({Role.OFFICER}), frozenset({"ecnu"})),
    "student": Who("app-1", frozenset({Role.STUDENT}), ref=ADA.ref),
    "another": Who("app-2", frozenset({Role.STUDENT}), ref="s-tc1e7"),
    "clinic": Who("clinic-1", frozenset({Role.CLINIC}), frozenset({"sjtu"})),
    "bureau": Who("bureau-1", frozenset({Role.BUREAU})),
    "auditor": Who("auditor-1", frozenset({Role.AUDITOR})),
    "keeper": Who("keeper-1", frozenset({Role.KEEPER})),
    "privacy": Who("privacy-1", frozenset({Role.PRIVACY})),
    "second-privacy": Who("privacy-2", frozenset({Role.PRIVACY})),
}


def opened(story: Path) -> Service:
    """The service of a story, at its end."""
    editions = Editions()
    return replay(read_story(story, editions), editions).service


def served(service: Service, people: Directory | None = None, **how: Any) -> FastAPI:
    """The console on a service, for all of these people."""
    tokens = Tokens({hashlib.sha256(key.encode()).hexdigest(): who for key, who in PEOPLE.items()})
    now = Opened(service, people.accesses if people else None, people)
    app = FastAPI(openapi_url=None)
    pages = console.router(Desk(lambda: now, tokens), secret="of the tests", **how)
    app.include_router(pages, prefix="/console")
    return app


class Browsing(TestClient):
    """A browser without scripts: it keeps cookies, and sends the forms of pages."""

    def sign_in(self, token: str) -> "Browsing":
        page = self.get("/console/sign-in").text
        sent = self.post("/console/sign-in", data={"token": token, "csrf": csrf(page), "to": ""})
        assert sent.status_code == 303, sent.text
        return self

    def fill_in(self, path: str, **values: str) -> Any:
        """Sends the form of a page, filled in; what is hidden in it goes along."""
        page = self.get(path).text
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        hidden = {key: value.replace("&#34;", '"') for key, value in hidden.items()}
        return self.post(path.partition("?")[0], data={**hidden, **values})


def csrf(page: str) -> str:
    """The token in a page."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found, page
    return found[1]


def browsing(app: FastAPI) -> Browsing:
    return Browsing(app, base_url="http://localhost", follow_redirects=False)


#: Debian's, where `.ci/run` installs it, or the one that the environment names.
CHROMIUM = os.environ.get("YIBAO_CHROMIUM") or which("chromium") or "/usr/bin/chromium"


def signed_in(browser: Browser, site: str, token: str, size: ViewportSize) -> Page:
    """A page on which somebody has signed in, as one does: by the form."""
    page = browser.new_page(viewport=size, locale="en-GB")
    page.goto(f"{site}/sign-in")
    page.locator("#token").fill(token)
    page.locator("form.card button").click()
    page.wait_for_url(f"{site}/")
    return page


class Site(NamedTuple):
    """A console that is really there."""

    url: str
    service: Service


@contextmanager
def running(service: Service, **how: Any) -> Iterator[Site]:
    """The console on a service, over a socket."""
    config = uvicorn.Config(
        served(service, **how), "127.0.0.1", 0, log_config=None, ws="none", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Site(f"http://127.0.0.1:{port}/console", service)
    finally:
        server.should_exit = True
        thread.join()
