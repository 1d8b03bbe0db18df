"""What the tests of the adapters share: files on disk, the command line, replayed stories."""

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent, indent

import pytest
from click.testing import CliRunner, Result

from yibao.adapters.cli import main
from yibao.adapters.editions.files import Editions
from yibao.adapters.stories.reading import read_story
from yibao.adapters.stories.replaying import Replay, replay

Write = Callable[..., Path]
Run = Callable[..., Result]

#: Lines 1 to 7 of every story that `tell` writes; its own steps begin on line 8, column 5.
HEAD = """\
title: A story
policy: shanghai-2025
student: {ref: s1, school: sjtu, category: undergraduate, document: resident_id_card}
story:
  - id: registration
    at: 2025-09-01 08:30
    register: {on: 2025-09-01}
"""
#: Of two students, on lines 1 to 8.
TWO = """\
title: Two of them
policy: shanghai-2025
students:
  ada: {ref: a1, school: sjtu, category: undergraduate, document: resident_id_card}
  bo: {ref: b1, school: sjtu, category: postgraduate, document: passport}
story:
  - {student: ada, at: 2025-09-01 08:30, register: {on: 2025-09-01}}
  - {student: bo, at: 2025-09-01 08:31, register: {on: 2025-09-01}}
"""


@pytest.fixture(autouse=True)
def _nothing_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests neither see the editions nor speak the language of whoever runs them."""
    monkeypatch.delenv("YIBAO_POLICIES", raising=False)
    monkeypatch.delenv("YIBAO_LANG", raising=False)
    monkeypatch.delenv("YIBAO_STORE", raising=False)
    monkeypatch.delenv("YIBAO_BY", raising=False)
    for name in ("", "_KEY", "_KEYS", "_REASONS", "_TWO_PERSONS"):
        monkeypatch.delenv(f"YIBAO_DIRECTORY{name}", raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("YIBAO_ACCEPT_STAMPS_UNTIL", raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file under the test's own folder."""

    def write(text: str, name: str = "story.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def tell(write: Write) -> Write:
    """Writes a story about one registered student; the steps given follow the registration."""

    def tell(steps: str = "", name: str = "story.yaml", head: str = HEAD) -> Path:
        return write(head + indent(dedent(steps).strip("\n") + "\n", "  "), name)

    return tell


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Calls the command line; whatever it raises unexpectedly fails the test."""

    def run(*args: object) -> Result:
        return CliRunner().invoke(main, [str(arg) for arg in args], catch_exceptions=False)

    return run


@pytest.fixture(scope="session")
def replayed() -> Iterator[Callable[[Path], Replay]]:
    """Replays a file under `scenarios/`, once for all tests."""
    editions, done = Editions(), dict[Path, Replay]()

    def replayed(file: Path) -> Replay:
        if file not in done:
            done[file] = replay(read_story(file, editions), editions)
        return done[file]

    yield replayed
    for ran in done.values():
        ran.service.close()
