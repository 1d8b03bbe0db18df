"""Somebody is found by her number, told by her reference, and forgotten so that nothing is left."""

import os
import re
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import psycopg
import pytest
from pgserver import Server

import yibao
from yibao.adapters.office.directory import (
    Accessed,
    Directory,
    DirectorySettings,
    Entry,
    Person,
    WaitingProxy,
    accesses_there,
    draw,
    open_directory,
)
from yibao.adapters.office.directory.settings import read_key
from yibao.adapters.store import StoreError, is_postgres
from yibao.domain.refusals import BadValue

from ..conftest import NOW, key_file, opened

ADA = Entry("sjtu", "525001", "李雷", "resident_id_card", "11010519491231002X")
BO = Entry("sjtu", "525002", "韩梅梅", "passport", "E12345678")


def many(count: int) -> list[Entry]:
    return [Entry("sjtu", f"6{n:05}", f"某{n}", "passport", f"P{n:08}") for n in range(count)]


def added(directory: Directory, *entries: Entry) -> list[str]:
    """The references of people of whom something is recorded."""
    drawn = draw(entries)
    with directory.importing(lambda ref: True) as importing:
        importing.add(drawn)
        importing.keep(each.ref for each in drawn)
    return [each.ref for each in drawn]


def rows(settings: DirectorySettings, statement: str) -> list[tuple[object, ...]]:
    """What a statement finds behind the back of the directory, among people or keys."""
    if "FROM keys" in statement or "unsettled" in statement:
        return rows_in(settings.keys, statement)
    if is_postgres(settings.directory):
        with psycopg.connect(settings.directory) as connection:
            connection.execute("SET search_path TO yibao_directory")
            return connection.execute(statement.encode()).fetchall()
    return rows_in(settings.directory, statement)


def rows_in(file: str, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def of_one(settings: DirectorySettings, ref: str) -> list[bytes]:
    """All that is kept of somebody: what is sealed, by what she is found, and her key."""
    ((told, seal),) = rows(settings, f"SELECT lookup, sealed FROM people WHERE ref='{ref}'")
    ((key,),) = rows(settings, f"SELECT wrapped FROM keys WHERE ref='{ref}'")
    return [bytes(each) for each in (told, seal, key)]  # type: ignore[call-overload]


def everything(settings: DirectorySettings, folder: Path) -> bytes:
    """Every byte of every file there is, with SQLite's logs, and every row on a server."""
    found = b"".join(each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file())
    if is_postgres(settings.directory):
        with psycopg.connect(settings.directory) as connection:
            for (oid,) in connection.execute(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 't')"
            ).fetchall():
                with connection.cursor().copy(f"COPY (TABLE {oid}) TO STDOUT".encode()) as it:
                    found += b"".join(bytes(each) for each in it)
            # The file of the table itself, with what was deleted and not yet vacuumed.
            ((file,),) = connection.execute(
                "SELECT pg_read_binary_file(pg_relation_filepath('yibao_directory.people'))"
            ).fetchall()
            found += bytes(file)
    return found


def left_of(traces: list[bytes], found: bytes) -> list[bytes]:
    """Those that are there, as they are or in the digits in which a server shows bytes."""
    return [each for each in traces if each in found or each.hex().encode() in found]


def test_somebody_is_found_by_her_number_and_told_by_her_reference(
    each_settings: DirectorySettings,
) -> None:
    with opened(each_settings) as directory:
        ada, bo = added(directory, ADA, BO)
        assert directory.find("sjtu", "525001", by="officer-7") == ada
        assert directory.find("tongji", "525001", by="officer-7") is None
        assert directory.person(bo, by="officer-7") == BO
        assert directory.person("p-0000000000000000", by="officer-7") is None
        assert directory.known([("sjtu", "525002"), ("sjtu", "1")]) == [Person(bo, BO), None]
    with opened(each_settings) as again:
        assert again.person(ada, by="officer-7") == ADA


def test_who_looked_up_whom_is_noted_and_no_number_with_it(
    each_settings: DirectorySettings,
) -> None:
    with opened(each_settings) as directory:
        (ada,) = added(directory, ADA)
        directory.find("sjtu", "525001", by="officer-7", reason="she-asked")
        directory.find("sjtu", "525009", by="officer-7")
        directory.person(ada, by="officer-8")
        directory.forget(ada, by="officer-9", reason="left")
    assert rows(each_settings, "SELECT at, actor, what, ref, reason FROM accesses") == [
        (NOW.isoformat(), "officer-7", "find", ada, "she-asked"),
        (NOW.isoformat(), "officer-7", "find", None, None),
        (NOW.isoformat(), "officer-8", "person", ada, None),
        (NOW.isoformat(), "officer-9", "forget", ada, "left"),
    ]


def test_nothing_of_a_person_can_be_read_in_any_file(
    each_settings: DirectorySettings, tmp_path: Path
) -> None:
    with opened(each_settings) as directory:
        added(directory, ADA)
        found = everything(each_settings, tmp_path)
    for told in (ADA.number, ADA.name, ADA.document_number, "resident_id_card"):
        assert told.encode() not in found


def test_who_is_forgotten_is_gone_from_every_file_table_and_log(
    each_settings: DirectorySettings, tmp_path: Path
) -> None:
    with opened(each_settings) as directory:
        # So many that rows have moved from page to page, which leaves copies of them behind.
        refs = added(directory, *many(1500))
        whom = refs[700]
        traces = of_one(each_settings, whom)
        before = everything(each_settings, tmp_path)
        assert left_of(traces, before) == traces
        assert directory.forget(whom, by="officer-7", reason="left-the-school") == "forgotten"
        after = everything(each_settings, tmp_path)
        assert left_of(traces, after) == []
        assert directory.find("sjtu", "600700", by="officer-7") is None
        assert directory.person(whom, by="officer-7") is None
        assert directory.forget(whom, by="officer-7", reason="again") == "nobody"
        assert directory.person(refs[701], by="officer-7") == many(702)[701]
    after = everything(each_settings, tmp_path)
    assert left_of(traces, after) == []


def test_what_a_server_keeps_in_its_log_cannot_be_read_without_the_key(
    settings: DirectorySettings, tmp_path: Path
) -> None:
    from cryptography.exceptions import InvalidTag

    from yibao.adapters.office.directory import sealing

    with opened(settings) as directory:
        (ada,) = added(directory, ADA)
        _, seal, wrapped = of_one(settings, ada)
        key = sealing.Wrapping(settings.key()).unwrapped(wrapped, ada)
        assert sealing.opened(seal, key, ada) == ADA
        directory.forget(ada, by="officer-7", reason="left")
        assert key not in everything(settings, tmp_path)
    others = [sealing.new_key(), settings.key(), directory._keys.secrets["lookup"]]
    for other in others:
        with pytest.raises((StoreError, InvalidTag), match="altered"):
            sealing.opened(seal, other, ada)


def test_a_forgotten_number_that_comes_again_is_a_new_reference(
    each_settings: DirectorySettings,
) -> None:
    with opened(each_settings) as directory:
        (ada,) = added(directory, ADA)
        directory.forget(ada, by="officer-7", reason="left")
        (again,) = added(directory, ADA)
        assert again != ada
        assert directory.find("sjtu", "525001", by="officer-7") == again


def test_a_copy_of_the_people_from_before_brings_nobody_back(
    settings: DirectorySettings, tmp_path: Path
) -> None:
    with opened(settings) as directory:
        (ada,) = added(directory, ADA)
        with directory.importing(lambda ref: True) as importing:
            importing.proxies_wait("sjtu", [WaitingProxy(ada, NOW.date())])
    backup = Path(settings.directory).read_bytes()
    with opened(settings) as directory:
        directory.forget(ada, by="officer-7", reason="left")
    Path(settings.directory).write_bytes(backup)
    with opened(settings) as directory:
        assert directory.find("sjtu", "525001", by="officer-7") is None
        assert directory.person(ada, by="officer-7") is None
        assert directory.waiting_proxies("sjtu") == []


def test_where_two_persons_are_asked_for_a_second_one_has_to_agree(
    each_settings: DirectorySettings,
) -> None:
    settings = each_settings.model_copy(update={"directory_two_persons": True})
    with opened(settings) as directory:
        (ada,) = added(directory, ADA)
        for _ in range(2):
            found = directory.forget(ada, by="officer-7", reason="left")
            assert found == "second_person_needed"
        assert directory.person(ada, by="officer-7") == ADA
        assert directory.forget(ada, by="officer-8", reason="left") == "forgotten"
        assert rows(settings, "SELECT * FROM to_forget") == []


def test_who_asks_and_why_are_words_that_tell_of_nobody(settings: DirectorySettings) -> None:
    strict = settings.model_copy(update={"directory_reasons": True})
    with opened(strict) as directory:
        for by, reason in [("", "why"), ("13812345678", "why"), ("a", None), ("a", "No Word")]:
            with pytest.raises(BadValue):
                directory.find("sjtu", "1", by=by, reason=reason)
            with pytest.raises(BadValue):
                directory.person("p-1", by=by, reason=reason)
        with pytest.raises(BadValue, match="reason"):
            directory.forget("p-1", by="a", reason="11010519491231002x")
        assert directory.find("sjtu", "1", by="a", reason="why") is None


def test_what_a_kill_left_of_people_who_are_not_recorded_goes_with_the_next_import(
    each_settings: DirectorySettings, tmp_path: Path
) -> None:
    with opened(each_settings) as directory:
        ada, bo = draw([ADA, BO])
        with directory.importing(lambda ref: False) as importing:
            importing.add([ada, bo])  # and whoever imports goes no further
        traces = of_one(each_settings, bo.ref)
        with directory.importing(lambda ref: ref == ada.ref):
            pass
        assert directory.person(ada.ref, by="a") == ADA
        assert directory.person(bo.ref, by="a") is None
        found = everything(each_settings, tmp_path)
        assert left_of(traces, found) == []
        with directory.importing(lambda ref: False):  # she is settled
            pass
        assert directory.person(ada.ref, by="a") == ADA


@pytest.mark.parametrize("lost", ["people", "keys"])
def test_a_kill_between_the_two_files_is_cleaned_up(
    each_settings: DirectorySettings, lost: str
) -> None:
    with opened(each_settings) as directory:
        (ada,) = draw([ADA])
        if lost == "people":  # the key is there alone
            directory._keys.add({ada.ref: bytes(32)})
        else:  # she was to be forgotten, and her key is gone
            with directory.importing(lambda ref: True) as importing:
                importing.add([ada])
                importing.keep([ada.ref])
            directory._keys.destroy([ada.ref])
            assert directory.person(ada.ref, by="a") is None
            assert directory.find("sjtu", "525001", by="a") is None
        with directory.importing(lambda ref: True):
            pass
        assert directory.known([("sjtu", "525001")]) == [None]
    assert rows(each_settings, "SELECT * FROM people") == []
    assert rows(each_settings, "SELECT * FROM keys") == []
    assert rows(each_settings, "SELECT * FROM unsettled") == []


def test_refused_people_do_not_stay(each_settings: DirectorySettings, tmp_path: Path) -> None:
    with opened(each_settings) as directory:
        ada, bo = draw([ADA, BO])
        with directory.importing(lambda ref: True) as importing:
            importing.add([ada, bo])
            traces = of_one(each_settings, bo.ref)
            importing.keep([ada.ref])
            importing.remove([bo.ref])
        found = everything(each_settings, tmp_path)
    assert left_of(traces, found) == []


def test_what_is_known_of_her_now_takes_the_place_of_what_was(
    each_settings: DirectorySettings,
) -> None:
    with opened(each_settings) as directory:
        (ada,) = added(directory, ADA)
        married = ADA._replace(name="李蕾")
        with directory.importing(lambda ref: True) as importing:
            importing.replace([Person(ada, married)])
        assert directory.person(ada, by="a") == married


def test_a_proxy_waits_until_it_is_entered_or_she_is_forgotten(
    each_settings: DirectorySettings,
) -> None:
    first, second = date(2025, 9, 5), date(2025, 9, 6)
    with opened(each_settings) as directory:
        ada, bo, cy = added(directory, ADA, BO, *many(1))
        with directory.importing(lambda ref: True) as importing:
            importing.proxies_wait("sjtu", [WaitingProxy(ada, second), WaitingProxy(bo, second)])
            importing.proxies_wait("sjtu", [WaitingProxy(ada, first)])
            importing.proxies_wait("tongji", [WaitingProxy(cy, first)])
        assert directory.waiting_proxies("sjtu") == [(ada, first), (bo, second)]
        assert directory.waiting_proxies("tongji") == [(cy, first)]
        with directory.importing(lambda ref: True) as importing:
            importing.proxies_ended([ada])
        assert directory.waiting_proxies("sjtu") == [(bo, second)]
        directory.forget(bo, by="officer-7", reason="left")
        assert directory.waiting_proxies("sjtu") == []
    assert rows(each_settings, "SELECT ref FROM proxies") == [(cy,)]


def test_a_directory_from_before_proxies_were_kept_is_opened(
    each_settings: DirectorySettings,
) -> None:
    with opened(each_settings) as directory:
        (ada,) = added(directory, ADA)
    if is_postgres(each_settings.directory):
        with psycopg.connect(each_settings.directory) as connection:
            connection.execute("DROP TABLE yibao_directory.proxies")
    else:
        rows_in(each_settings.directory, "DROP TABLE proxies")
    with opened(each_settings) as directory:
        assert directory.waiting_proxies("sjtu") == []
        assert directory.person(ada, by="a") == ADA


def test_who_may_not_have_a_directory_written_anew_does_not_open_it(
    settings: DirectorySettings, postgres: Server, postgres_url: str
) -> None:
    of_another = settings.model_copy(
        update={"directory": postgres_url.replace("postgres@", "librarian@")}
    )
    postgres.sql("DROP ROLE IF EXISTS librarian", "CREATE ROLE librarian LOGIN")
    with opened(settings.model_copy(update={"directory": postgres_url})) as directory:
        added(directory, ADA)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("GRANT USAGE ON SCHEMA yibao_directory TO librarian")
        connection.execute("GRANT SELECT ON yibao_directory.accesses TO librarian")
        connection.execute("GRANT SELECT ON yibao_directory.people TO librarian")
    with pytest.raises(StoreError, match="belongs to postgres, who alone can have it written anew"):
        opened(of_another)
    kept = accesses_there(of_another.url, of_another)  # which asks for no more
    assert kept is not None
    assert kept.page(Accessed())[0] == []
    kept.close()


def test_one_imports_at_a_time(settings: DirectorySettings) -> None:
    with opened(settings) as directory, opened(settings) as other:
        with directory.importing(lambda ref: True):
            waiting = other.importing(lambda ref: True)
            with pytest.raises(StoreError, match="somebody else imports"):
                waiting.__enter__()
        with other.importing(lambda ref: True):
            pass


def test_a_reference_that_looks_like_a_number_is_drawn_again() -> None:
    drawn = iter(["p-1", "13812345678", "p-1", "x-138-1234-5678", "p-2"])
    assert [each.ref for each in draw([ADA, BO], lambda: next(drawn))] == ["p-1", "p-2"]
    (ref,) = (each.ref for each in draw([ADA]))
    assert re.fullmatch("p-[0-9a-f]{16}", ref)


def test_with_another_key_everything_is_wrapped_anew_and_the_old_one_opens_nothing(
    each_settings: DirectorySettings, tmp_path: Path
) -> None:
    new = key_file(tmp_path / "new.key")
    with opened(each_settings) as directory:
        refs = added(directory, *many(30))
        seal, told = directory.keyed("a", "b"), of_one(each_settings, refs[3])
        assert directory.rekey(new) == 2
        assert directory.person(refs[3], by="a") == many(4)[3]
        # What is sealed stands as it was; the key that opens it is wrapped otherwise.
        assert [a == b for a, b in zip(told, of_one(each_settings, refs[3]), strict=True)] == [
            True,
            True,
            False,
        ]
        assert left_of([told[2]], everything(each_settings, tmp_path)) == []
    assert rows(each_settings, "SELECT DISTINCT key_version FROM people") == [(2,)]
    with pytest.raises(StoreError, match="not the one"):
        opened(each_settings)
    with opened(each_settings.model_copy(update={"directory_key": new})) as directory:
        assert directory.find("sjtu", "600003", by="a") == refs[3]
        assert directory.keyed("a", "b") == seal


def test_an_entry_cannot_be_passed_off_as_somebody_elses(settings: DirectorySettings) -> None:
    with opened(settings) as directory:
        ada, bo = added(directory, ADA, BO)
        with closing(sqlite3.connect(settings.directory)) as connection, connection:
            connection.execute(
                "UPDATE people SET sealed=(SELECT sealed FROM people WHERE ref=?) WHERE ref=?",
                (bo, ada),
            )
        with pytest.raises(StoreError, match=f"{ada} in the directory was altered"):
            directory.person(ada, by="a")


def test_keys_of_another_directory_are_told(
    each_settings: DirectorySettings, tmp_path: Path
) -> None:
    with opened(each_settings) as directory:
        added(directory, ADA)
    other = each_settings.model_copy(update={"directory_keys": tmp_path / "others.keys"})
    with pytest.raises(StoreError, match="are not there"):
        opened(other)
    opened(other.model_copy(update={"directory": str(tmp_path / "other.db")})).close()
    with pytest.raises(StoreError, match="belong to another directory"):
        opened(other)


def test_looking_makes_nothing(each_settings: DirectorySettings, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    assert open_directory(each_settings, lambda: NOW, make=False) is None
    assert sorted(tmp_path.iterdir()) == before
    opened(each_settings).close()
    found = open_directory(each_settings, lambda: NOW, make=False)
    assert found is not None
    assert found.find("sjtu", "525001", by="a") is None
    found.close()
    Path(each_settings.keys).unlink()
    with pytest.raises(StoreError, match="are not there"):
        open_directory(each_settings, lambda: NOW, make=False)


def test_its_files_are_its_owners_alone(settings: DirectorySettings, tmp_path: Path) -> None:
    with opened(settings) as directory, directory.importing(lambda ref: True) as importing:
        importing.add(draw([ADA]))
        modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    assert {"people.db", "people.db-wal", "people.db.keys", "people.db.keys-wal"} <= modes.keys()
    assert {*modes.values()} == {0o600}


@pytest.mark.parametrize("which", ["directory.key", "people.db", "people.db.keys"])
def test_a_file_that_others_may_read_is_refused(
    settings: DirectorySettings, tmp_path: Path, which: str
) -> None:
    opened(settings).close()
    (tmp_path / which).chmod(0o640)
    with pytest.raises(StoreError, match=f"{which}' is open to other users: chmod 600 it"):
        opened(settings)


@pytest.mark.parametrize("which", ["directory.key", "people.db", "people.db.keys"])
def test_a_file_of_another_user_is_refused(
    settings: DirectorySettings, tmp_path: Path, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(settings).close()
    if os.geteuid() == 0:
        os.chown(tmp_path / which, 12345, -1)
    else:  # nobody else can give a file away
        here = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: here + 1)
        which = "directory.key"
    with pytest.raises(StoreError, match=f"{which}' belongs to another user"):
        opened(settings)


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 31, b"x" * 65537])
def test_a_key_is_long_enough(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(StoreError, match="must have 32 to 65536 bytes"):
        read_key(key_file(tmp_path / "k", key))


def test_a_key_that_is_not_there_or_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read: No such file"):
        read_key(tmp_path / "k")
    with pytest.raises(StoreError, match="is no file"):
        read_key(tmp_path)


@pytest.mark.parametrize("which", ["directory", "directory_keys"])
def test_a_file_that_holds_something_else_is_refused_and_left_alone(
    settings: DirectorySettings, tmp_path: Path, which: str
) -> None:
    other = tmp_path / "facts.db"
    yibao.open(f"sqlite:///{other}").close()
    opened(settings).close()
    content = other.read_bytes()
    wrong = settings.model_copy(
        update={
            "directory_keys": Path(settings.keys),
            which: str(other) if which == "directory" else other,
        }
    )
    with pytest.raises(StoreError, match="needs a file of its own; this one holds"):
        opened(wrong)
    assert other.read_bytes() == content


def test_a_directory_of_a_newer_version_is_told(settings: DirectorySettings) -> None:
    opened(settings).close()
    with closing(sqlite3.connect(settings.directory)) as connection, connection:
        connection.execute("UPDATE directory SET layout=2")
    with pytest.raises(StoreError, match="newer version"):
        opened(settings)


@pytest.mark.parametrize("which", ["directory", "keys"])
def test_what_a_reader_keeps_in_the_log_goes_when_the_directory_is_next_opened(
    settings: DirectorySettings, tmp_path: Path, which: str
) -> None:
    with opened(settings) as directory:
        (ada,) = added(directory, ADA)
        traces = of_one(settings, ada)
        file = settings.directory if which == "directory" else settings.keys
        with closing(sqlite3.connect(file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM sqlite_master").fetchall()
            assert directory.forget(ada, by="officer-7", reason="left") == "forgotten"
            assert directory.person(ada, by="officer-7") is None
            assert left_of(traces, everything(settings, tmp_path)) != []
    opened(settings).close()
    assert left_of(traces, everything(settings, tmp_path)) == []


def test_where_the_directory_is_something_else_no_keys_are_made(
    settings: DirectorySettings, tmp_path: Path
) -> None:
    yibao.open(f"sqlite:///{tmp_path / 'facts.db'}").close()
    wrong = settings.model_copy(update={"directory": str(tmp_path / "facts.db")})
    before = sorted(tmp_path.iterdir())
    for make in (True, False):
        with pytest.raises(StoreError, match="needs a file of its own"):
            open_directory(wrong, lambda: NOW, make=make)
    assert sorted(tmp_path.iterdir()) == before
