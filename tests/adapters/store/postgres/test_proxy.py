"""The proxy cuts where it says: before a commit nothing is there, after it everything."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from pgserver import Server
from psycopg import Connection

from ...helpers.proxy import SOCKET, Cut, Proxy

Write = Callable[[Connection, int], None]

ROWS = "SELECT value FROM written ORDER BY value"
INSERT = "INSERT INTO written VALUES (%s)"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def database(server: Server) -> str:
    """The URL, not through the proxy, of a database with an empty table."""
    url = server.database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE written (value int PRIMARY KEY)")
    return url


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.folder) as proxy:
        yield proxy


@pytest.fixture
def url(proxy: Proxy, database: str) -> str:
    return proxy.through(database)


def rows(database: str) -> list[int]:
    with psycopg.connect(database) as connection:
        return [value for (value,) in connection.execute(ROWS)]


def by_hand(connection: Connection, value: int) -> None:
    connection.execute("BEGIN")
    connection.execute(INSERT, [value])
    connection.execute("COMMIT")


def by_context(connection: Connection, value: int) -> None:
    with connection.transaction():
        connection.execute(INSERT, [value])


def by_pipeline(connection: Connection, value: int) -> None:
    with connection.pipeline(), connection.transaction():
        connection.execute(INSERT, [value])


def by_hand_in_a_pipeline(connection: Connection, value: int) -> None:
    with connection.pipeline():
        by_hand(connection, value)


def by_one_query(connection: Connection, value: int) -> None:
    asked = f"BEGIN; INSERT INTO written VALUES ({value}); commit"
    connection.execute(asked.encode(), prepare=False)


WAYS = [by_hand, by_context, by_pipeline, by_hand_in_a_pipeline, by_one_query]
ways = pytest.mark.parametrize("write", WAYS)
#: Prepared at the first execution, after some, and never.
thresholds = pytest.mark.parametrize("threshold", [0, 5, None])


@ways
@thresholds
def test_what_is_cut_after_the_commit_is_there(
    proxy: Proxy, database: str, url: str, write: Write, threshold: int | None
) -> None:
    with psycopg.connect(url, autocommit=True, prepare_threshold=threshold) as connection:
        for value in range(8):
            write(connection, value)
        proxy.cut_after_commit()
        with pytest.raises(psycopg.OperationalError):
            write(connection, 8)
    assert rows(database) == list(range(9))
    assert proxy.cuts == {Cut.AFTER_COMMIT: 1}


@ways
@thresholds
def test_what_is_cut_before_the_commit_is_not_there(
    proxy: Proxy, database: str, url: str, write: Write, threshold: int | None
) -> None:
    with psycopg.connect(url, autocommit=True, prepare_threshold=threshold) as connection:
        for value in range(8):
            write(connection, value)
        proxy.cut_before_commit()
        with pytest.raises(psycopg.OperationalError):
            write(connection, 8)
    assert rows(database) == list(range(8))
    assert proxy.cuts == {Cut.BEFORE_COMMIT: 1}


def test_a_connection_that_does_not_commit_by_itself_is_cut_as_well(
    proxy: Proxy, database: str, url: str
) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(INSERT, [1])
        proxy.cut_after_commit()
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
    assert rows(database) == [1]


def test_the_client_hears_of_a_cut_before_the_commit_when_the_server_holds_no_lock_any_more(
    proxy: Proxy, database: str, url: str
) -> None:
    for value in range(20):
        proxy.cut_before_commit()
        with (
            psycopg.connect(url, autocommit=True) as connection,
            pytest.raises(psycopg.OperationalError),
        ):
            by_hand(connection, value)
        with psycopg.connect(database) as connection:
            connection.execute("LOCK TABLE written IN ACCESS EXCLUSIVE MODE NOWAIT")


def test_so_many_commits_are_cut_as_was_said_and_no_more(
    proxy: Proxy, database: str, url: str
) -> None:
    proxy.cut_after_commit(2)
    for value in range(2):
        with (
            psycopg.connect(url, autocommit=True) as connection,
            pytest.raises(psycopg.OperationalError),
        ):
            by_hand(connection, value)
    with psycopg.connect(url, autocommit=True) as connection:
        by_hand(connection, 2)
    assert rows(database) == [0, 1, 2]
    assert proxy.cuts[Cut.AFTER_COMMIT] == 2


def test_a_commit_that_rolls_back_is_no_commit(proxy: Proxy, database: str, url: str) -> None:
    proxy.cut_after_commit()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("BEGIN")
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM nowhere")
        connection.execute("COMMIT")
    assert not proxy.cuts


def test_what_only_speaks_of_a_commit_is_not_cut(proxy: Proxy, database: str, url: str) -> None:
    proxy.cut_before_commit()
    proxy.cut_after_commit()
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
        connection.execute("SELECT 'COMMIT'")
        connection.execute("SELECT %s", ["COMMIT"])
        connection.execute("CREATE TEMPORARY TABLE commit (commit text)")
    assert not proxy.cuts


def test_a_statement_that_was_a_commit_is_none_any_more_when_it_means_something_else(
    proxy: Proxy, database: str, url: str
) -> None:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        by_hand_in_a_pipeline(connection, 1)  # where every statement is the unnamed one
        proxy.cut_before_commit()
        with connection.pipeline():
            connection.execute("SELECT 1")
    assert not proxy.cuts


def test_every_connection_can_be_cut_now(proxy: Proxy, database: str, url: str) -> None:
    one, another = (psycopg.connect(url, autocommit=True) for _ in range(2))
    with one, another:
        one.execute("BEGIN")
        one.execute(INSERT, [1])
        proxy.cut_now()
        for connection in (one, another):
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
    assert rows(database) == []
    assert proxy.cuts == {Cut.NOW: 2}


def test_a_client_that_waits_for_an_answer_can_be_cut_now(proxy: Proxy, url: str) -> None:
    timer = threading.Timer(0.2, proxy.cut_now)
    with psycopg.connect(url, autocommit=True) as connection:
        timer.start()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(60)")
    timer.join()


def test_a_proxy_that_refuses_lets_nobody_in_until_it_does_not(
    proxy: Proxy, database: str, url: str
) -> None:
    with psycopg.connect(url, autocommit=True) as before:
        proxy.refuse()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        before.execute("SELECT 1")
    proxy.refuse(False)
    with psycopg.connect(url) as after:
        after.execute("SELECT 1")
    assert proxy.cuts == {Cut.REFUSED: 1}


def test_before_a_server_that_is_not_there_nobody_gets_in(tmp_path: Path) -> None:
    with Proxy(tmp_path) as proxy, pytest.raises(psycopg.OperationalError):
        psycopg.connect(proxy.url())


def test_an_error_with_which_the_server_hangs_up_arrives(proxy: Proxy, url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(proxy.url("nowhere"))
    with (
        psycopg.connect(url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.AdminShutdown),
    ):
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_what_is_large_and_what_is_copied_passes_unchanged(
    proxy: Proxy, database: str, url: str
) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        (text,) = connection.execute("SELECT %s || repeat('y', 3000000)", ["x" * 3_000_000])
        assert text == ("x" * 3_000_000 + "y" * 3_000_000,)
        with connection.cursor().copy("COPY written FROM STDIN") as copy:
            for value in range(10_000):
                copy.write_row([value])
    assert rows(database) == list(range(10_000))


def test_a_query_can_be_cancelled_through_it(proxy: Proxy, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        timer = threading.Timer(0.2, connection.cancel_safe)
        timer.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(60)")
        timer.join()


@pytest.mark.parametrize("code", [80877103, 80877104])
def test_encryption_is_declined_and_the_client_goes_on(proxy: Proxy, code: int) -> None:
    startup = struct.pack("!i", 196608) + b"user\0postgres\0\0"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(proxy.folder / SOCKET))
        client.sendall(struct.pack("!ii", 8, code))
        assert client.recv(1) == b"N"
        client.sendall(struct.pack("!i", len(startup) + 4) + startup)
        assert client.recv(1) == b"R"  # Authentication


def test_a_proxy_leaves_no_thread_and_no_folder(server: Server, database: str) -> None:
    with Proxy(server.folder) as proxy:
        left = psycopg.connect(proxy.through(database))
        psycopg.connect(proxy.through(database)).close()
    assert not [each for each in threading.enumerate() if each.name.startswith("proxy")]
    assert not proxy.folder.exists()
    left.close()
