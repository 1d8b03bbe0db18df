"""What a URL of a store tells, and what of it is never told."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from yibao.adapters.following.trail.audit import trail_file
from yibao.adapters.service.service import open_service
from yibao.adapters.store.facts import StoreError
from yibao.adapters.store.urls import file_of, shown, url_of
from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.creating import init

from ..helpers.autumn import EDITIONS

SECRET = "geh-eim"


@pytest.mark.parametrize(
    "password",
    [
        f"{SECRET}%zz",
        f"%zz{SECRET}",
        f'"{SECRET}%zz{SECRET}"',
        f"{SECRET} {SECRET}",
        f"{SECRET}/{SECRET}",
        f"{SECRET}@{SECRET}",
        f"{SECRET}@[::1/{SECRET}",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_its_password(password: str) -> None:
    url = f"postgresql://counter:{password}@db.invalid/yibao"
    uses = (
        lambda: open_service(url, policies=EDITIONS),
        lambda: init(url),
        lambda: check(url, EDITIONS),
    )
    for use in uses:
        with pytest.raises(StoreError, match="special characters of an account") as refused:
            use()
        assert SECRET not in str(refused.value)


def test_a_url_is_shown_without_its_passwords() -> None:
    url = f"postgresql://counter:{SECRET}@db/yibao?sslpassword={SECRET}&password={SECRET}"
    assert shown(f"{url}&sslmode=require") == "postgresql://counter@db/yibao?sslmode=require"
    assert shown("sqlite:///facts.db") == "sqlite:///facts.db"


#: What is no store in a file, however near it comes.
NO_FILE = [
    "",
    "sqlite",
    "sqlite:",
    "sqlite:x.db",
    "sqlite:/x.db",
    "sqlite://x.db",
    "sqlite://host/x.db",
    "sqlite:///",
    "sqlite:///x.db?mode=ro",
    "sqlite:///x.db#part",
    "sqlite:///x\n.db",
    "sqlite:///x.db\n",
    "sqlite:///x\t.db",
    "sqlite:///\rx.db",
    "sqlite:///x\x1b.db",
    "sqlite:///x\x7f.db",
    "sqlite:///x\0.db",
    "sqlite:///x%00.db",
    "sqlite:///x%ff.db",
    "sqlite:///x\udcff.db",
    "sqlite:///:memory:",
    "sqlite:///x:memory:.db",
    "sqlite:///x%3Fmode=memory",
    "sqlite:///file:x.db",
    "\nsqlite:///x.db",
    " sqlite:///x.db",
    "sq\nlite:///x.db",
    "mysql:///x.db",
    "x.db",
    "/x.db",
]


@pytest.mark.parametrize("url", NO_FILE)
def test_what_is_no_store_in_a_file_is_refused_with_how_one_is_written(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for use in (file_of, init, lambda url: open_service(url, policies=EDITIONS).close()):
        with pytest.raises(StoreError, match=r"^a store is written sqlite:///relative/path, "):
            use(url)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "facts.db",
        "two words.db",
        " trailing ",
        "line\nbreak.db",
        "tab\t.db",
        "q?query#fragment.db",
        "50%.db",
        "%41.db",
        "a&b=c;d.db",
        "sqlite:x.db",
        "复旦.db",
        "'quoted\".db",
        "facts.db-wal-not",
    ],
)
def test_a_store_has_the_very_file_that_its_url_names(name: str, tmp_path: Path) -> None:
    path = tmp_path / "folder" / name
    path.parent.mkdir()
    assert file_of(url_of(path)) == str(path)
    assert init(url_of(path))
    with open_service(url_of(path), policies=EDITIONS) as service, service.audit_trail() as trail:
        trail.catch_up()
    assert check(url_of(path), EDITIONS).findings == ()
    made = {each.name for each in (tmp_path / "folder").iterdir()}
    assert made - {f"{path.name}-wal", f"{path.name}-shm"} == {path.name, f"{path.name}.trail"}


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///x.db", "x.db"),
        ("sqlite:////var/x.db", "/var/x.db"),
        ("SQLite:///x.db", "x.db"),
        ("sqlite:///a b.db", "a b.db"),
        ("sqlite:///a%20b.db", "a b.db"),
        ("sqlite:///a%0Ab.db", "a\nb.db"),
        ("sqlite:///a%3Fb%23c.db", "a?b#c.db"),
        ("sqlite:///50%.db", "50%.db"),
        ("sqlite:///./x.db ", "./x.db "),
    ],
)
def test_a_url_is_read_as_it_is_written(url: str, path: str) -> None:
    assert file_of(url) == trail_file(url) == path


@pytest.mark.parametrize(
    "no_file", ["sqlite:x.db", "sqlite://x.db", "sqlite:", "memory:x", "x://y", "a\0b", ""]
)
def test_what_is_no_file_of_a_trail_is_refused_with_how_one_is_written(no_file: str) -> None:
    with pytest.raises(StoreError, match=r"^a trail is kept in a file, told by its PATH or as"):
        trail_file(no_file)


def test_a_name_that_no_file_can_have_is_a_clear_line(run: Callable[..., Result]) -> None:
    long = f"sqlite:///{'x' * 300}"
    for asked in (
        ["explain", "--store", long, "--ref", "ada", "--year", "2025"],
        ["projections", "status", "--store", "sqlite:///x.db", "--trail", "x" * 300],
        ["db", "init", "--store", long],
    ):
        done = run(*asked)
        assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize("path", ["x.trail", "/var/x.trail", "a\nb", "a?b#c%41", " x ", "sqlite"])
def test_a_trail_has_the_very_file_that_its_path_names(path: str) -> None:
    assert trail_file(path) == path
