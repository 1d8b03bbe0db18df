"""Several workers on one store know the same of whoever asks: whom they stop, and who has left."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from given.console import csrf

import yibao
from yibao.adapters.http import erasing
from yibao.adapters.office.directory import InProcess, Look, open_shared
from yibao.adapters.service import shanghai_now
from yibao.adapters.upkeep.postgres import migrate

from ..helpers.stores import lasting, rows
from ..helpers.web import Web, serving

EARLY = {"at": "2025-09-03 10:00", "channel": "proxy"}


@contextmanager
def two(url: str, folder: Path, **settings: Any) -> Iterator[tuple[Web, Web]]:
    """Two workers, as far as anybody sees."""
    with yibao.open(url, by="test"):
        pass
    settings = {"secret": "of both", **settings}
    with serving(url, folder, **settings) as one, serving(url, folder, **settings) as other:
        yield one, other


def signed_in(web: Web) -> httpx.Client:
    browser = httpx.Client(base_url=f"{web.base}/console")
    page = browser.get("/sign-in").text
    sent = browser.post("/sign-in", data={"token": "officer", "csrf": csrf(page), "to": ""})
    assert sent.status_code == 303
    return browser


@lasting
def test_refused_tries_are_counted_whoever_refuses_them(url: str, tmp_path: Path) -> None:
    with two(url, tmp_path, refused_tries=3) as (one, other):
        path = f"/enrollments/{one.student()}/2025/confirm"
        tried = [one, other, other, one, other, one, other]
        found = [web.post("officer", path, EARLY).status_code for web in tried]
        assert found == [409, 409, 409, 429, 429, 429, 429]
        assert other.post("both-officer", path, EARLY).status_code == 409


@lasting
def test_who_signs_out_ends_every_copy_of_the_session(url: str, tmp_path: Path) -> None:
    with two(url, tmp_path) as (one, other), closing(signed_in(one)) as browser:
        copies = [httpx.Client(base_url=f"{web.base}/console") for web in (one, other)]
        for copy in copies:
            copy.cookies.update(browser.cookies)
            assert copy.get("/").status_code == 200
        page = browser.get("/").text
        assert browser.post("/sign-out", data={"csrf": csrf(page)}).status_code == 303
        for copy in copies:
            sent = copy.get("/")
            assert (sent.status_code, sent.headers["location"][:17]) == (303, "/console/sign-in?")
            form = copy.post("/sign-out", data={"csrf": csrf(page)})
            assert form.status_code in (303, 403)
            copy.close()
        with closing(signed_in(other)) as again:
            assert again.get("/").status_code == 200


@lasting
def test_what_is_old_is_erased_while_a_server_runs(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "DAY", 0.05)
    with two(url, tmp_path, accesses_days=365) as (one, other):
        one.get("officer", f"/enrollments/{one.student()}/2025")
        opened = one.app.state.desk.opened()
        old = shanghai_now() - timedelta(days=366)
        opened.accesses.note([Look(old, "officer", "answer", "old-reference", None, 2025, None)])
        now = shanghai_now()
        opened.shared.end("over", now - timedelta(seconds=2))
        opened.shared.end("not over", now + timedelta(minutes=1))
        told: list[Any] = []
        for _ in range(200):
            told = other.get("privacy", "/accesses").json()["entries"]
            if len(told) == 1 and not opened.shared.has_ended("over"):
                break
            time.sleep(0.02)
        assert [each["ref"] for each in told] == ["s-1"]
        assert not opened.shared.has_ended("over")
        assert opened.shared.has_ended("not over")


def test_a_server_whose_erasing_fails_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "DAY", 0.01)
    failed: list[int] = []

    def away(before: object) -> int:
        failed.append(1)
        raise yibao.StoreError("is away")

    with serving("memory:", tmp_path) as web:
        monkeypatch.setattr(web.app.state.desk.opened().accesses, "erase", away)
        for _ in range(200):
            if len(failed) > 1:
                break
            time.sleep(0.02)
        assert len(failed) > 1
        assert web.get("officer", f"/enrollments/{web.student()}/2025").status_code == 200


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_database_of_an_earlier_release_is_served_each_process_by_itself(
    url: str, tmp_path: Path
) -> None:
    with yibao.open(url, by="test"):
        pass
    rows(url, "DROP TABLE yibao_accesses.ended, yibao_accesses.tries")
    rows(url, "UPDATE yibao_accesses.layout SET format = 1")
    assert isinstance(open_shared(url), InProcess)
    with two(url, tmp_path, refused_tries=1) as (one, other):
        path = f"/enrollments/{one.student()}/2025/confirm"
        assert one.post("officer", path, EARLY).status_code == 409
        assert one.post("officer", path, EARLY).status_code == 429
        assert other.post("officer", path, EARLY).status_code == 409
    migrate(url)
    shared = open_shared(url)
    assert not isinstance(shared, InProcess)
    shared.close()
