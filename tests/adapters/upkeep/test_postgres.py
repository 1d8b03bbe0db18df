"""Looking after a store on PostgreSQL, from the command line, as its owner does."""

import json
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pgserver import PORT, Server
from psycopg.conninfo import conninfo_to_dict

import yibao
from yibao.adapters.following.trail import layout
from yibao.adapters.office.directory import Look, open_accesses
from yibao.adapters.service.service import open_service
from yibao.adapters.store.facts import StoreError
from yibao.adapters.store.migrations import HEAD
from yibao.adapters.store.urls import shown
from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.creating import grant, init, migrate
from yibao.domain.calendar import SHANGHAI

from ..conftest import Run
from ..helpers.autumn import ADA, EDITIONS
from ..helpers.stores import rows
from ..helpers.writers import Step, registration, together, told

OPERATING = Path(__file__).parents[3] / "docs" / "operating.md"


@pytest.fixture
def empty(postgres: Server) -> Iterator[str]:
    """A database with nothing in it."""
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="module")
def roles(postgres: Server) -> Iterator[None]:
    """The roles of the documentation, on the server, and one that nothing was granted to."""
    named = ("owner", "counter", "auditor", "stranger")
    for name in named:  # another test may have left one
        postgres.sql(f"DROP ROLE IF EXISTS {name}", f"CREATE ROLE {name} LOGIN")
    yield
    postgres.sql(*(f"DROP ROLE {name}" for name in named))


@pytest.fixture
def owners(postgres: Server, roles: None, empty: str) -> str:
    """An empty database as the one reaches it to whom it belongs."""
    postgres.sql(f"ALTER DATABASE {name_of(empty)} OWNER TO owner")
    return by("owner", empty)


@pytest.fixture
def owned(owners: str) -> str:
    """A store that belongs to its owner and to no superuser."""
    init(owners)
    return owners


def by(role: str, url: str) -> str:
    """A database as another role reaches it."""
    return f"postgresql://{role}@{url.partition('@')[2]}"


def name_of(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


def codes(url: str) -> list[str]:
    return [finding.code for finding in check(url, EDITIONS).findings]


def test_a_store_is_created_where_there_is_none_and_only_there(run: Run, empty: str) -> None:
    for ask in (lambda: open_service(empty), lambda: check(empty, EDITIONS)):
        with pytest.raises(StoreError, match=r"no store yet|there is no store"):
            ask()
    created = run("db", "init", "--store", empty)
    assert (created.exit_code, created.output) == (0, f"created, at layout {HEAD}\n")
    assert run("db", "init", "--store", empty).exit_code == 2
    with open_service(empty) as service:
        assert told(service, Step("ada", [registration("ada", "r")])).versions == [1]
    assert run("db", "check", "--store", empty).output.startswith(f"layout {HEAD}: 2 facts")


def test_several_who_create_a_store_at_once_leave_one(empty: str) -> None:
    def create() -> str:
        try:
            return init(empty)
        except StoreError as error:
            return str(error)

    found = together([create] * 4)
    assert HEAD in found
    assert all(each == HEAD or "already" in each for each in found)
    assert together([lambda: migrate(empty)] * 4) == [(HEAD, HEAD)] * 4
    with open_service(empty) as service, service.audit_trail() as audit:
        assert audit.count(yibao.Question()) == 0


def test_who_may_create_no_schema_is_told_so_in_one_line(
    run: Run, postgres: Server, roles: None, empty: str
) -> None:
    owners, name = by("owner", empty), name_of(empty)
    of_others = run("db", "init", "--store", owners)
    assert of_others.exit_code == 2
    assert of_others.output.splitlines() == [
        f"yibao: the store {postgres.folder}/{name} could not be brought to layout {HEAD}: "
        f"permission denied for database {name}"
    ]
    postgres.sql(f"GRANT CREATE ON DATABASE {name} TO owner")
    assert run("db", "init", "--store", owners).output == f"created, at layout {HEAD}\n"
    assert run("db", "migrate", "--store", owners).exit_code == 0


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_name_is_refused_and_found(
    postgres: Server, postgres_url: str, encoding: str
) -> None:
    name = f"in_{encoding.lower()}"
    postgres.sql(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE 'C' ENCODING '{encoding}'")
    url = postgres.url(name)
    with pytest.raises(StoreError, match="`createdb --encoding=UTF8 --template=template0`"):
        init(url)
    assert rows(url, "SELECT to_regnamespace('yibao')") == [(None,)]
    dump = postgres.folder / f"{name}.dump"
    postgres.run("pg_dump", "-Fc", "-d", postgres_url, "-f", dump)
    postgres.run("pg_restore", "-d", url, dump)
    assert check(url, EDITIONS).findings == (("other_encoding", encoding),)
    postgres.drop(url)


def test_where_there_is_no_store_nothing_is_migrated_and_nothing_created(
    run: Run, empty: str, tmp_path: Path
) -> None:
    for url in (empty, f"sqlite:///{tmp_path / 'facts.db'}"):
        done = run("db", "migrate", "--store", url)
        assert done.exit_code == 2
        assert "there is no store" in done.output
        assert "`yibao db init` creates one" in done.output
    assert rows(empty, "SELECT to_regnamespace('yibao')") == [(None,)]
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_a_newer_yibao_has_written_is_refused_and_left_alone(
    run: Run, postgres_url: str
) -> None:
    rows(postgres_url, "UPDATE yibao.alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="a newer yibao"):
        open_service(postgres_url)
    assert run("db", "migrate", "--store", postgres_url).exit_code == 2
    assert codes(postgres_url) == ["other_layout"]
    assert rows(postgres_url, "SELECT * FROM yibao.alembic_version") == [("9999",)]


def test_a_store_of_an_older_layout_is_migrated_by_its_owner_and_by_nobody_else(
    postgres_url: str,
) -> None:
    rows(postgres_url, "UPDATE yibao.alembic_version SET version_num = '0002'")
    with pytest.raises(StoreError, match="`yibao db migrate` brings it to"):
        open_service(postgres_url)


def test_a_trail_of_another_layout_is_made_anew_and_followed_again_by_whoever_did(
    run: Run, postgres: Server, postgres_url: str
) -> None:
    postgres.sql("CREATE ROLE clerk LOGIN", "CREATE ROLE reader LOGIN")
    grant(postgres_url, "clerk")
    grant(postgres_url, "reader", reads_only=True)
    as_reader = postgres_url.replace("postgres@", "reader@")
    with open_service(postgres_url.replace("postgres@", "clerk@")) as service:
        told(service, Step("ada", [registration("ada", "r")]))
        with service.audit_trail() as audit:
            assert audit.count(yibao.Question()) == 2
        rows(postgres_url, "UPDATE yibao_trail.layout SET format = 1")
        with pytest.raises(StoreError, match="`yibao db migrate` makes it anew"):
            service.audit_trail()
        assert run("db", "migrate", "--store", postgres_url).exit_code == 0
        with service.audit_trail() as audit:
            assert audit.count(yibao.Question()) == 2
    with open_service(as_reader) as service, service.audit_trail() as audit:
        assert audit.count(yibao.Question()) == 2
    assert rows(postgres_url, "SELECT format FROM yibao_trail.layout") == [(layout.FORMAT,)]


@pytest.mark.parametrize("who", ["counter", "auditor", "stranger"])
def test_nobody_but_its_owner_grants_or_migrates_a_store(run: Run, owned: str, who: str) -> None:
    grant(owned, "counter")
    grant(owned, "auditor", reads_only=True)
    for command in (("grant", "stranger"), ("migrate",)):
        done = run("db", *command, "--store", by(who, owned))
        assert done.exit_code == 2
        assert f"belongs to owner, for whom {who} may not act" in done.output
    with pytest.raises(StoreError, match="permission denied"):
        open_service(by("stranger", owned))


def test_what_a_superuser_grants_and_migrates_holds_for_what_the_owner_makes_anew(
    owned: str,
) -> None:
    as_superuser = by("postgres", owned)
    grant(as_superuser, "counter")
    grant(as_superuser, "auditor", reads_only=True)
    for remaking in (as_superuser, owned, as_superuser):
        rows(as_superuser, "UPDATE yibao_trail.layout SET format = 1")
        migrate(remaking)
        for role in ("counter", "auditor"):
            with open_service(by(role, owned)) as service, service.audit_trail() as audit:
                assert audit.count(yibao.Question()) == 0
    tables = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname LIKE 'yibao%%'"
    assert rows(as_superuser, tables) == [("owner",)]


RIGHTS = (
    "SELECT relname, relacl::text FROM pg_class WHERE relnamespace IN "
    "('yibao'::regnamespace, 'yibao_trail'::regnamespace) UNION "
    "SELECT nspname, nspacl::text FROM pg_namespace UNION "
    "SELECT 'later', defaclacl::text FROM pg_default_acl ORDER BY 1"
)


def test_a_role_that_may_only_read_from_now_on_may_no_longer_append(owned: str) -> None:
    grant(owned, "auditor", reads_only=True)
    only_reads = rows(owned, RIGHTS)
    grant(owned, "auditor")
    appends = rows(owned, RIGHTS)
    assert appends != only_reads
    with open_service(by("auditor", owned)) as service:
        assert told(service, Step("ada", [registration("ada", "r")])).versions == [1]
        grant(owned, "auditor", reads_only=True)
        with pytest.raises(StoreError, match="permission denied"):
            service.declare_roster(ADA, at="2025-09-02 17:00")
        assert [fact.name for fact in service.facts(ADA)] == ["registered"]
    assert rows(owned, RIGHTS) == only_reads
    grant(owned, "auditor")
    assert rows(owned, RIGHTS) == appends


def test_nobody_is_said_to_read_only_who_may_append_by_other_ways(
    postgres: Server, owned: str
) -> None:
    grant(owned, "counter")
    postgres.sql("GRANT counter TO stranger")
    try:
        for role in ("stranger", "postgres"):
            with pytest.raises(StoreError, match=f"{role} would still append"):
                grant(owned, role, reads_only=True)
    finally:
        postgres.sql("REVOKE counter FROM stranger")


def test_nothing_is_taken_from_the_owner_by_granting_it_less(owned: str) -> None:
    with pytest.raises(StoreError, match="belongs to owner: grant it to another role"):
        grant(owned, "owner", reads_only=True)
    assert migrate(owned) == (HEAD, HEAD)
    assert check(owned, EDITIONS).findings == ()


def a_look() -> Look:
    return Look(datetime(2025, 9, 1, 9, tzinfo=SHANGHAI), "clerk-7", "answer", "s-1", None, 2025)


def test_who_appends_notes_who_looked_at_whom_and_erases_it_and_who_reads_sees_it(
    run: Run, owned: str
) -> None:
    for role, reads_only in (("counter", False), ("auditor", True)):
        grant(owned, role, reads_only=reads_only)
    counter, auditor = by("counter", owned), by("auditor", owned)
    with closing(open_accesses(counter)) as accesses:
        accesses.note([a_look()])
    asked = run("audit", "--store", auditor, "--accesses", "--json")
    assert [each["ref"] for each in json.loads(asked.output)["entries"]] == ["s-1"]
    with (
        closing(open_accesses(auditor)) as accesses,
        pytest.raises(StoreError, match="permission denied"),
    ):
        accesses.note([a_look()])
    assert run("audit", "--store", by("stranger", owned), "--accesses").exit_code == 2
    with closing(open_accesses(counter)) as accesses:
        assert accesses.erase(a_look().at + timedelta(days=1)) == 1


def test_a_database_from_before_accesses_were_kept_is_given_their_table_by_its_owner(
    run: Run, owned: str
) -> None:
    rows(owned, "DROP SCHEMA yibao_accesses CASCADE")
    asked = run("audit", "--store", owned, "--accesses", "--json")
    assert json.loads(asked.output)["entries"] == []
    with pytest.raises(StoreError, match="`yibao db migrate` adds it"):
        open_accesses(owned)
    migrate(owned)
    open_accesses(owned).close()


#: What a role that appends may not do to what stands beside the facts.
DENIED = {
    "due.entries": {"DELETE", "TRUNCATE"},
    "evidence.notes": {"DELETE", "TRUNCATE"},
    "accesses.accesses": {"UPDATE", "TRUNCATE"},
    "accesses.ended": {"TRUNCATE"},
    "accesses.tries": {"TRUNCATE"},
}
WAYS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")


def test_who_appends_may_write_to_what_stands_beside_the_facts_and_who_reads_may_not(
    owned: str,
) -> None:
    grant(owned, "counter")
    grant(owned, "auditor", reads_only=True)
    tables = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname ~ '^yibao_'"
    found = {f"{schema[6:]}.{table}" for schema, table in rows(owned, tables)}
    beside = {each.partition(".")[0] for each in found}
    assert beside == {"trail", "cohort", "due", "evidence", "accesses"}
    may = "SELECT " + ", ".join(f"has_table_privilege(%s, %s, '{way}')" for way in WAYS)
    for table in sorted(found):
        only_read = {"INSERT", "UPDATE", "DELETE", "TRUNCATE"}
        denied = only_read if table.endswith(".layout") else DENIED.get(table, set())
        for role, kept_from in (("counter", denied), ("auditor", only_read)):
            asked = [role, f"yibao_{table}"] * len(WAYS)
            expected = tuple(way not in kept_from for way in WAYS)
            assert rows(owned, may, *asked) == [expected], (table, role)


def test_who_may_act_for_the_owner_grants_in_the_owners_name(postgres: Server, owned: str) -> None:
    postgres.sql("GRANT owner TO stranger")
    grant(by("stranger", owned), "counter")
    postgres.sql("REVOKE owner FROM stranger")
    with open_service(by("counter", owned)) as service:
        assert told(service, Step("ada", [registration("ada", "r")])).versions == [1]


def test_a_store_in_two_hands_is_not_granted_by_halves(owned: str) -> None:
    rows(by("postgres", owned), "ALTER SCHEMA yibao_trail OWNER TO postgres")
    with pytest.raises(StoreError, match="belongs to owner and to postgres: give all of it to one"):
        grant(by("postgres", owned), "counter")


def test_where_there_is_no_store_nothing_is_granted(owners: str) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        grant(owners, "counter")


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        ("UPDATE stored_events SET originator_version = 3 WHERE originator_version = 2", ["gap"]),
        (
            "UPDATE stored_events SET topic = 'unheard-of' WHERE topic = 'registered'",
            ["unreadable"],
        ),
        ("UPDATE stored_events SET state = '{}' WHERE topic = 'registered'", ["unreadable"]),
        (
            "UPDATE stored_events SET notification_id = 100 WHERE topic = 'registered'",
            ["number_behind", "taken_out_of_order"],
        ),
    ],
)
def test_what_is_not_right_in_a_database_is_named(
    run: Run, postgres_url: str, spoil: str, found: list[str]
) -> None:
    with open_service(postgres_url) as service:
        told(service, Step("ada", [registration("ada", "r")]))
        service.declare_roster(ADA, at="2025-09-02 17:00")
    assert codes(postgres_url) == []
    rows(postgres_url, spoil)
    done = run("db", "check", "--store", postgres_url, "--json")
    assert done.exit_code == 1
    assert [finding["code"] for finding in json.loads(done.output)["findings"]] == found


@pytest.mark.parametrize(
    "table", ["stored_events", "notes", "refused_attempts", "counted_attempts"]
)
def test_a_table_that_is_missing_in_a_database_is_named(
    run: Run, postgres_url: str, table: str
) -> None:
    rows(postgres_url, f"DROP TABLE {table}")
    done = run("db", "check", "--store", postgres_url)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[1:] == [f"a table is missing: {table}"]


def test_roles_belong_to_a_server_and_copies_are_made_by_its_own_tools(
    run: Run, postgres_url: str
) -> None:
    with pytest.raises(StoreError, match="a file has no roles"):
        grant("sqlite:///facts.db", "clerk")
    with pytest.raises(StoreError, match='role "nobody-knows" does not exist'):
        grant(postgres_url, "nobody-knows")
    assert run("db", "backup", "--store", postgres_url, "copy.db").exit_code == 2


def test_no_password_is_shown(run: Run, postgres_url: str) -> None:
    secret = postgres_url.replace("postgres@", "postgres:se%40cret@") + "&password=se%40cret"
    assert "cret" not in shown(secret)
    assert shown(postgres_url) == postgres_url
    with open_service(secret) as service:
        told(service, Step("ada", [registration("ada", "r")]))
    for command in ("audit", "db check", "projections status"):
        done = run(*command.split(), "--store", secret)
        assert done.exit_code == 0
        assert "cret" not in done.output
    away = run("audit", "--store", secret.replace("host=", "host=/nowhere"))
    assert away.exit_code == 2
    assert "cret" not in away.output


@pytest.mark.parametrize("url", ["postgresql://h/d?no_such_option=1", "postgresql://[/x"])
def test_a_url_that_is_none_is_told_as_such(url: str) -> None:
    with pytest.raises(StoreError, match="this is no URL of a PostgreSQL database"):
        init(url)
    with pytest.raises(StoreError, match="this is no URL of a PostgreSQL database"):
        open_service(url)


def documented(program: str, ending: str = "", **places: object) -> list[str]:
    """A command line of the documentation, each place in it put where it is here."""
    lines = OPERATING.read_text(encoding="utf-8").splitlines()
    (line,) = (each for each in lines if each.startswith(f"{program} -") and each.endswith(ending))
    of_this = {
        "yibao.dump": "dump",
        "postgresql://owner@db.example.org/yibao": "from",
        "postgresql://owner@db.example.org/restored": "to",
    }
    return [str(places[of_this[each]]) if each in of_this else each for each in shlex.split(line)]


@pytest.mark.parametrize("on_a_fresh_server", [True, False])
def test_a_store_is_restored_as_documented(
    run: Run, postgres: Server, owned: str, on_a_fresh_server: bool
) -> None:
    grant(owned, "counter")
    grant(owned, "auditor", reads_only=True)
    with open_service(by("counter", owned)) as service:
        told(service, Step("ada", [registration("ada", "r")]))
    dump = postgres.folder / "yibao.dump"
    postgres.run(*documented("pg_dump", **{"from": owned, "dump": dump}))
    with ExitStack() as stack:
        server = stack.enter_context(Server()) if on_a_fresh_server else postgres
        where = ("-h", server.folder, "-p", PORT, "-U", "postgres")
        if on_a_fresh_server:
            for role in ("owner", "counter", "auditor"):
                server.run("createuser", *where, role)
        server.run(*documented("createdb", "restored"), *where)
        url = server.url("restored", "owner")
        stack.callback(server.drop, url)
        server.run(*documented("pg_restore", to=url, dump=dump))
        migrate(url)
        assert codes(url) == []
        grant(url, "counter")
        grant(url, "auditor", reads_only=True)
        with open_service(by("counter", url)) as service, service.audit_trail() as audit:
            service.declare_roster(ADA, at="2025-09-02 17:00")
            audit.catch_up()
        with open_service(by("auditor", url)) as service, service.audit_trail() as audit:
            assert [fact.name for fact in service.facts(ADA)] == ["registered", "roster-declared"]
            assert audit.count(yibao.Question()) == 3
