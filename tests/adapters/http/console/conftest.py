"""Stories to look at through the console."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from given.console import CHROMIUM, SCHOOL, STORY, Site, opened, running
from playwright.sync_api import Browser, Error, sync_playwright

from yibao.adapters.office.directory import Directory, DirectorySettings, open_directory
from yibao.adapters.service import Service, shanghai_now


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
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    """A directory of people, in which nobody is yet."""
    folder = tmp_path_factory.mktemp("people")
    key = folder / "directory.key"
    key.write_bytes(bytes(range(64)))
    key.chmod(0o600)
    settings = DirectorySettings(
        directory=str(folder / "people.db"), directory_key=key, directory_two_persons=True
    )
    made = open_directory(settings, shanghai_now, make=True)
    assert made is not None
    with made:
        yield made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser that is really there; where there is none these tests are skipped.

    Not for longer than a module: while it is driven this thread has a loop that runs, and tests
    that begin one of their own could not.
    """
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
def site(people: Directory) -> Iterator[Site]:
    """The console over the story of one student, over a socket; what is recorded there stays."""
    with opened(STORY) as service, running(service, people=people) as found:
        yield found
