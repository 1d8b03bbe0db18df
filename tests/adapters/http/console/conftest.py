"""Stories to look at through the console."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from given.console import CHROMIUM, SCHOOL, STORY, Site, opened, running
from playwright.sync_api import Browser, Error, sync_playwright

from yibao.adapters.service import Service


@pytest.fixture(scope="session")
def story() -> Iterator[Service]:
    """Of one student; nobody records anything in it."""
    with opened(STORY) as service:
        yield service


@pytest.fixture
def fresh() -> Iterator[Service]:
    """Of the same student, to be recorded in."""
    with opened(STORY) as service:
        yield service


@pytest.fixture(scope="session")
def school() -> Iterator[Service]:
    """Of thirty students, to be looked at."""
    with opened(SCHOOL) as service:
        yield service


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the environment says of a directory of people, which is not there yet."""
    folder = tmp_path_factory.mktemp("people")
    key = folder / "directory.key"
    key.write_bytes(bytes(range(64)))
    key.chmod(0o600)
    return {"YIBAO_DIRECTORY": str(folder / "people.db"), "YIBAO_DIRECTORY_KEY": str(key)}


@pytest.fixture
def office(people: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names that directory."""
    for name, value in people.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser that is really there; where there is none these tests are skipped."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser is at hand: {CHROMIUM} is not there")
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        except Error as error:
            pytest.skip(f"the browser does not start: {error}")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The console over the story of one student, over a socket; what is recorded there stays."""
    with opened(STORY) as service, running(service) as found:
        yield found
