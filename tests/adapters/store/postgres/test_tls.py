"""TLS to a real server with certificates of its own: by the URL, and by what is set."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pgserver import CARELESS, Server

from yibao.adapters.following.leading import lead_of
from yibao.adapters.service.service import open_service
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.postgres.settings import LONGEST, StoreSettings
from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.creating import init
from yibao.adapters.upkeep.postgres import grant, reading
from yibao.domain.vocabulary import EnrollmentId

from ...helpers.autumn import EDITIONS
from ...helpers.stores import rows
from ...helpers.writers import Step, registration, told

HERE = "127.0.0.1"
SECRET = "not-to-be-told"
COUNTER = f"counter:{SECRET}"
ADA = Step("s-1", [registration("s-1", "r")])

#: Whoever comes over the network needs TLS, a counter a password and an auditor a certificate.
HBA = f"""
local all all trust
hostssl all counter {HERE}/32 scram-sha-256
hostssl all auditor {HERE}/32 cert
"""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server(authority: trustme.CA) -> Iterator[Server]:
    with socket.create_server((HERE, 0)) as free:
        port = free.getsockname()[1]
    settings = {**CARELESS, "listen_addresses": HERE, "port": str(port), "ssl": "on"}
    server = Server(settings)
    try:
        server.create()
        own = authority.issue_cert(HERE)
        own.private_key_pem.write_to_path(server.data / "server.key")
        own.cert_chain_pems[0].write_to_path(server.data / "server.crt")
        authority.cert_pem.write_to_path(server.data / "clients.crt")
        server.configure(ssl_ca_file="clients.crt")
        for name in ("server.key", "server.crt", "clients.crt"):
            server.entrust(server.data / name)
        (server.data / "pg_hba.conf").write_text(HBA)
        server.start()
        server.sql(f"CREATE ROLE counter LOGIN PASSWORD '{SECRET}'", "CREATE ROLE auditor LOGIN")
        yield server
    finally:
        server.destroy()


@pytest.fixture
def owned(server: Server) -> str:
    """A store as its owner reaches it, on the machine itself."""
    url = server.database()
    init(url)
    grant(url, "counter", reads_only=False)
    grant(url, "auditor", reads_only=True)
    return url


@pytest.fixture
def vouching(authority: trustme.CA, tmp_path: Path) -> Path:
    """The certificate of whoever vouches for the server."""
    authority.cert_pem.write_to_path(tmp_path / "authority.crt")
    return tmp_path / "authority.crt"


def over_the_network(owned: str, server: Server, account: str, **options: Any) -> str:
    database = owned.partition("@/")[2].partition("?")[0]
    asked = "&".join(f"{name}={value}" for name, value in options.items())
    return f"postgresql://{account}@{HERE}:{server.settings['port']}/{database}?{asked}"


def connected(owned: str) -> set[tuple[Any, ...]]:
    """Who is connected to a database over the network, and whether by TLS."""
    return set(
        rows(
            owned,
            "SELECT usename, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) "
            "WHERE datname = current_database() AND client_addr IS NOT NULL",
        )
    )


def test_a_url_asks_for_tls_and_for_whose_server_it_is(
    server: Server, owned: str, vouching: Path
) -> None:
    url = over_the_network(owned, server, COUNTER, sslmode="verify-full", sslrootcert=vouching)
    with open_service(url, policies=EDITIONS) as service:
        assert told(service, ADA).versions == [1]
        assert connected(owned) == {("counter", True)}


def test_what_is_set_counts_for_every_connection_as_far_as_the_url_says_nothing_else(
    server: Server, owned: str, vouching: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIBAO_SSLMODE", "verify-full")
    monkeypatch.setenv("YIBAO_SSLROOTCERT", str(vouching))
    url = over_the_network(owned, server, COUNTER)
    with open_service(url, policies=EDITIONS) as service, service.audit_trail() as trail:
        assert told(service, ADA).versions == [1]
        lead = lead_of(trail.store, trail.projection.name)
        assert lead.is_mine()
        assert trail.projection.catch_up() == 2  # the edition is adopted
        assert connected(owned) == {("counter", True)}
        lead.release()
    assert check(url, EDITIONS).findings == ()
    plain = over_the_network(owned, server, COUNTER, sslmode="disable")
    with pytest.raises(StoreError, match="no encryption"):
        open_service(plain, policies=EDITIONS)


def test_a_server_for_which_nobody_vouches_is_told_nothing(
    server: Server, owned: str, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "another.crt")
    settings = StoreSettings(sslmode="verify-full", sslrootcert=tmp_path / "another.crt")
    url = over_the_network(owned, server, COUNTER)
    with pytest.raises(StoreError, match="certificate verify failed") as refused:
        open_service(url, policies=EDITIONS, settings=settings)
    assert SECRET not in str(refused.value)


def test_a_wrong_password_is_told_without_it(server: Server, owned: str, vouching: Path) -> None:
    settings = StoreSettings(sslmode="verify-full", sslrootcert=vouching)
    url = over_the_network(owned, server, "counter:mistyped")
    with pytest.raises(StoreError, match="password authentication failed") as refused:
        open_service(url, policies=EDITIONS, settings=settings)
    assert "mistyped" not in str(refused.value)


def test_a_client_shows_a_certificate_of_its_own(
    server: Server, owned: str, vouching: Path, authority: trustme.CA, tmp_path: Path
) -> None:
    with open_service(owned, policies=EDITIONS) as service:
        told(service, ADA)
    own = authority.issue_cert(common_name="auditor")
    own.cert_chain_pems[0].write_to_path(tmp_path / "auditor.crt")
    own.private_key_pem.write_to_path(tmp_path / "auditor.key")
    (tmp_path / "auditor.key").chmod(0o600)
    settings = StoreSettings(
        sslmode="verify-full",
        sslrootcert=vouching,
        sslcert=tmp_path / "auditor.crt",
        sslkey=tmp_path / "auditor.key",
    )
    url = over_the_network(owned, server, "auditor")
    with open_service(url, policies=EDITIONS, settings=settings) as service:
        assert len(service.facts(EnrollmentId("s-1", 2025))) == 1
        assert connected(owned) == {("auditor", True)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSLMODE", "verify"),
        ("POOL_MAX", "many"),
        ("POOL_MAX", "1"),
        ("CONNECT_TIMEOUT", "0"),
        ("CONNECT_TIMEOUT", "1000000000000"),
        *(
            (f"{time}_TIMEOUT", value)
            for time in ("STATEMENT", "LOCK", "IDLE_IN_TRANSACTION")
            for value in ("inf", "nan", "-1", "1e12", f"{LONGEST + 1}")
        ),
        ("RETRY_FOR", "inf"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"YIBAO_{name}", value)
    url = "postgresql:///nowhere?host=/nowhere"
    for use in (lambda: open_service(url, policies=EDITIONS), lambda: init(url)):
        with pytest.raises(StoreError, match=f"YIBAO_{name} in the environment: Input should be"):
            use()


def test_the_longest_time_that_can_be_set_is_one_that_a_server_takes(owned: str) -> None:
    settings = StoreSettings(
        connect_timeout=LONGEST,
        statement_timeout=LONGEST,
        lock_timeout=LONGEST,
        idle_in_transaction_timeout=LONGEST,
    )
    with open_service(owned, policies=EDITIONS, settings=settings) as service:
        assert told(service, ADA).versions == [1]


def test_a_service_has_the_time_outs_that_are_set_whatever_the_url_says_and_upkeep_has_none(
    owned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"STATEMENT": "7", "LOCK": "8", "IDLE_IN_TRANSACTION": "9"}
    for name, value in limits.items():
        monkeypatch.setenv(f"YIBAO_{name}_TIMEOUT", value)
    shown = (
        "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), "
        "current_setting('idle_in_transaction_session_timeout')"
    )
    other = f"{owned}&options=-c%20statement_timeout%3D5s%20-c%20lock_timeout%3D5s"
    with open_service(other, policies=EDITIONS) as service, service._store._facts.reading() as sql:
        assert sql.rows(shown) == [("7s", "8s", "9s")]
    with reading(owned) as store:
        assert list(store.each(shown)) == [("0", "0", "0")]
