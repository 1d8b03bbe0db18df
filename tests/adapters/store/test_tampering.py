"""What somebody does to a store behind our back is found, and nobody is told a receipt for it."""

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from golden.held import GOLDEN
from pgserver import Server

import yibao
from yibao.adapters.editions.files import Editions
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.facts import StoreError
from yibao.adapters.store.urls import is_postgres
from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.copying import copy
from yibao.domain.facts.commands import FileRemoteCare

from ..conftest import Run
from ..helpers.stores import lasting, rows
from ..helpers.writers import Step, filing, registration, told

ADA, BO = yibao.EnrollmentId("ada", 2025), yibao.EnrollmentId("bo", 2025)


def found(url: str) -> set[str]:
    return {finding.code for finding in check(url, Editions()).findings}


@pytest.fixture
def golden(url: str, tmp_path: Path) -> str:
    """A store with every shape there is, on either database."""
    path = tmp_path / "golden.db"
    shutil.copy(GOLDEN / "v0.4.0.db", path)
    with open_service(f"sqlite:///{path}", attempts_kept=1, by="counter-2") as service:
        for _ in range(3):
            with pytest.raises(yibao.Refused):
                service.confirm(ADA, at="2025-12-15 10:00", channel="app")
    copy(f"sqlite:///{path}", url)
    return url


def told_of(service: Service, *ids: str) -> list[int]:
    asked = [registration("ada", "r"), *map(filing, ids)]
    return told(service, Step("ada", asked)).versions


@lasting
@pytest.mark.parametrize("release", sorted(path.stem for path in GOLDEN.glob("*.db")))
def test_what_every_release_has_written_is_as_it_should_be(
    release: str, url: str, tmp_path: Path
) -> None:
    path = tmp_path / "golden.db"
    shutil.copy(GOLDEN / f"{release}.db", path)
    open_service(f"sqlite:///{path}").close()
    copy(f"sqlite:///{path}", url)
    assert found(f"sqlite:///{path}") == set()
    assert found(url) == set()


#: What keeps a fact from being stored, or drops it again, and still counts a row.
TRIGGERS = {
    "ignores": "BEFORE INSERT ON stored_events BEGIN SELECT RAISE(IGNORE); END",
    "deletes": "AFTER INSERT ON stored_events BEGIN "
    "DELETE FROM stored_events WHERE notification_id=NEW.notification_id; END",
    "writes elsewhere": "BEFORE INSERT ON stored_events BEGIN "
    "INSERT INTO notes VALUES (NEW.state, 'x'); SELECT RAISE(IGNORE); END",
}


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_planted_trigger_is_found_and_nobody_gets_a_receipt_for_nothing(
    trigger: str, run: Run, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    with open_service(url) as service:
        assert told_of(service, "one") == [1, 2]
        rows(url, f"CREATE TRIGGER planted {TRIGGERS[trigger]}")
        for ids in (["two"], ["two", "three"]):
            with pytest.raises(StoreError, match="nothing is recorded"):
                service.record_together(ADA, [_filing(command_id) for command_id in ids])
        assert len(service.facts(ADA)) == 2
    assert found(url) == {"trigger_planted"}
    with pytest.raises(StoreError, match="has a trigger or a rule: planted on stored_events"):
        open_service(url)
    for question in (("audit",), ("explain", "--ref", "ada", "--year", "2025")):
        done = run(*question, "--store", url)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("where", ["(topic)", "(topic) WHERE originator_version > 1"])
def test_an_index_that_lets_no_second_fact_of_a_kind_in_is_found_and_one_that_only_finds_is_not(
    where: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    with open_service(url) as service:
        assert told_of(service, "one") == [1, 2]
    rows(url, f"CREATE INDEX harmless ON stored_events {where}")
    assert found(url) == set()
    rows(url, f"CREATE UNIQUE INDEX planted ON stored_events {where}")
    assert found(url) == {"table_altered"}
    with pytest.raises(StoreError, match="has altered: stored_events; it takes no facts"):
        open_service(url)


def _filing(command_id: str) -> FileRemoteCare:
    return FileRemoteCare.model_validate(
        {"at": "2025-09-10 10:00", "province": "jiangsu", "command_id": command_id}
    )


#: The same on PostgreSQL.
_IGNORES = (
    "CREATE FUNCTION public.ignores() RETURNS trigger AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql"
)
PLANTED = {
    "a trigger": [
        _IGNORES,
        "CREATE TRIGGER planted BEFORE INSERT ON stored_events "
        "FOR EACH ROW EXECUTE FUNCTION public.ignores()",
    ],
    "a rule": ["CREATE RULE planted AS ON INSERT TO stored_events DO INSTEAD NOTHING"],
    "row security": ["ALTER TABLE stored_events ENABLE ROW LEVEL SECURITY"],
    "a view": [
        "ALTER TABLE stored_events RENAME TO hidden",
        "CREATE VIEW stored_events AS SELECT * FROM hidden WHERE topic <> 'withdrawn'",
    ],
    "an heir": ["CREATE TABLE public.heir () INHERITS (yibao.stored_events)"],
    "no unique": [
        "ALTER TABLE stored_events "
        "DROP CONSTRAINT stored_events_originator_id_originator_version_key"
    ],
    "no key": ["ALTER TABLE notes DROP CONSTRAINT notes_pkey"],
    "another column": ["ALTER TABLE stored_events ADD extra text DEFAULT 'x'"],
    "another default": ["ALTER TABLE stored_events ALTER topic SET DEFAULT 'x'"],
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_in_a_database_is_found_and_nothing_is_recorded_there(
    planted: str, postgres_url: str, run: Run
) -> None:
    with open_service(postgres_url) as service:
        assert told_of(service, "one") == [1, 2]
        for statement in PLANTED[planted]:
            rows(postgres_url, statement)
        if planted in ("a trigger", "a rule"):
            with pytest.raises(StoreError, match="`yibao db check` tells more"):
                service.record(ADA, _filing("two"))
        if planted == "a trigger":  # many are copied, and no rule applies to that
            with pytest.raises(StoreError, match="`yibao db check` tells more"):
                service.record_each([(ADA, _filing("two"))])
        if planted != "an heir":
            assert [fact.name for fact in service.facts(ADA)][2:] == []
    assert found(postgres_url) & {"trigger_planted", "table_altered"}
    with pytest.raises(StoreError, match="`yibao db check` tells more"):
        open_service(postgres_url)
    assert run("audit", "--store", postgres_url).exit_code == 2


@pytest.mark.parametrize(
    "alteration",
    [
        ("UNIQUE (originator_id, originator_version)", "CHECK (topic <> 'withdrawn')"),
        (", UNIQUE (originator_id, originator_version)", ""),
        ("state BLOB NOT NULL", "state BLOB NOT NULL, extra TEXT DEFAULT 'x'"),
        ("AUTOINCREMENT", ""),
    ],
)
def test_a_table_that_was_altered_in_a_file_is_found_and_takes_no_facts(
    alteration: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "facts.db"
    with open_service(f"sqlite:///{path}") as service:
        told_of(service, "one")
    with closing(sqlite3.connect(path)) as connection:
        ((sql,),) = connection.execute("SELECT sql FROM sqlite_master WHERE name='stored_events'")
        connection.executescript(
            "ALTER TABLE stored_events RENAME TO there;"
            f"{sql.replace(*alteration)};"
            "INSERT INTO stored_events (notification_id, originator_id, originator_version, topic, "
            "state) SELECT * FROM there; DROP TABLE there;"
        )
    assert "table_altered" in found(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="has altered: stored_events"):
        open_service(f"sqlite:///{path}")


@lasting
def test_an_index_that_is_missing_is_found_and_nobody_is_kept_out(url: str) -> None:
    open_service(url).close()
    rows(url, "DROP INDEX refused_attempts_by_actor")
    assert found(url) == {"index_missing"}
    open_service(url).close()


def replaced(before: str, after: str) -> str:
    """The assignment that puts other text into a state, on either database."""
    return f"state = CAST(replace(CAST(state AS TEXT), '{before}', '{after}') AS BLOB)"


OF_ADA, OF_BO = f"originator_id = '{ADA.stream.hex}'", f"originator_id = '{BO.stream.hex}'"
CARE = f"originator_id = '{ADA.care_stream.hex}'"
OTHER = "00000000000040008000000000000001"
#: What is done to the rows, and what is found; the same on both unless they cannot be alike.
TAMPERED = {
    "a care stream moved": (
        [f"UPDATE stored_events SET originator_id = '{OTHER}' WHERE {CARE}"],
        {"wrong_stream"},
    ),
    "an enrollment moved": (
        [f"UPDATE stored_events SET originator_id = '{OTHER}' WHERE {OF_ADA}"],
        {"wrong_stream"},
    ),
    "the first event of another kind": (
        [
            f"DELETE FROM stored_events WHERE {OF_BO} AND originator_version = 1",
            f"UPDATE stored_events SET originator_version = originator_version - 1 WHERE {OF_BO}",
        ],
        {"wrong_stream"},
    ),
    "a whole student gone": ([f"DELETE FROM stored_events WHERE {OF_BO}"], {"wrong_stream"}),
    "a number beyond": (
        [
            "UPDATE stored_events SET notification_id = 10000 "
            "WHERE notification_id = (SELECT MAX(notification_id) FROM stored_events)"
        ],
        {"number_behind"},
    ),
    "an attempt of another's hour": (
        ["UPDATE refused_attempts SET hour = '2020-01-01T00:00+0800'"],
        {"odd_row"},
    ),
    "an attempt on another's stream": (
        [f"UPDATE refused_attempts SET stream = '{OTHER}'"],
        {"odd_row"},
    ),
    "an attempt ahead of the facts": (
        ["UPDATE refused_attempts SET position = 10000"],
        {"attempt_ahead"},
    ),
    "a count below zero": (["UPDATE counted_attempts SET attempts = -5"], {"odd_row"}),
}


@lasting
@pytest.mark.parametrize("name", TAMPERED)
def test_rows_that_were_tampered_with_are_found(name: str, golden: str) -> None:
    assert found(golden) == set()
    statements, codes = TAMPERED[name]
    for statement in statements:
        rows(golden, statement)
    left = found(golden) - {"number_missing", "supersedes_nothing", "taken_out_of_order"}
    assert left - {"attempt_ahead"} == codes - {"attempt_ahead"}
    assert codes <= found(golden)


STATES = {
    "an id used twice": ("event_id", "event_id", "id_used_twice"),
    "a command answered twice": ("command_id", "command_id", "id_used_twice"),
    "a digest that is gone": ("command_digest", "", "digest_missing"),
    "a fact superseded that is not there": ("supersedes", str(BO.stream), "supersedes_nothing"),
}


@lasting
@pytest.mark.parametrize("name", STATES)
def test_states_that_were_tampered_with_are_found(name: str, golden: str) -> None:
    field, becomes, code = STATES[name]
    key = ADA.stream if is_postgres(golden) else ADA.stream.hex
    stream = rows(
        golden,
        "SELECT originator_version, state FROM stored_events WHERE originator_id=? ORDER BY 1",
        key,
    )
    states = {version: json.loads(bytes(state)) for version, state in stream}
    version = max(version for version, state in states.items() if state.get(field))
    value = states[1][field] if becomes == field else becomes
    state = json.dumps(states[version] | {field: value}, separators=(",", ":")).encode()
    rows(
        golden,
        "UPDATE stored_events SET state=? WHERE originator_id=? AND originator_version=?",
        state,
        key,
        version,
    )
    assert found(golden) == {code}


@pytest.mark.parametrize(
    ("statement", "codes"),
    [
        ("DELETE FROM stored_events WHERE notification_id IN (SELECT MAX(notification_id) "
         "FROM stored_events)", {"number_missing"}),
        ("DELETE FROM refused_attempts WHERE attempt_id=1", {"number_missing"}),
        ("DELETE FROM sqlite_sequence", {"number_behind"}),
        ("UPDATE stored_events SET state=CAST(state AS TEXT) WHERE notification_id=3", {"odd_row"}),
        ("UPDATE stored_events SET topic=CAST(topic AS BLOB) WHERE notification_id=3",
         {"unreadable"}),
        (f"UPDATE stored_events SET originator_id=upper(originator_id) WHERE {OF_ADA}",
         {"odd_row"}),
    ],
)  # fmt: skip
def test_what_only_a_file_can_tell_is_found(
    statement: str, codes: set[str], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    shutil.copy(GOLDEN / "v0.4.0.db", tmp_path / "facts.db")
    open_service(url).close()
    rows(url, statement)
    assert codes <= found(url)


def test_a_copy_from_a_database_has_gaps_that_nobody_made(
    postgres: Server, postgres_url: str, tmp_path: Path
) -> None:
    with open_service(postgres_url) as service:
        told_of(service, "one")
    rows(postgres_url, "SELECT nextval('stored_events_notification_id_seq')")
    with open_service(postgres_url) as service:
        told_of(service, "two")
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    copy(postgres_url, url)
    assert found(url) == set()


#: One for every kind of damage that a row can take.
CHANGES = (
    "DELETE FROM stored_events WHERE notification_id={n}",
    "UPDATE stored_events SET originator_id=(SELECT originator_id FROM stored_events "
    "WHERE notification_id={m}), originator_version=(SELECT MAX(originator_version)+1 FROM "
    "stored_events WHERE originator_id=(SELECT originator_id FROM stored_events "
    "WHERE notification_id={m})) WHERE notification_id={n}",
    "UPDATE stored_events SET state=(SELECT state FROM stored_events WHERE notification_id={m}), "
    "topic=(SELECT topic FROM stored_events WHERE notification_id={m}) WHERE notification_id={n}",
    "UPDATE stored_events SET originator_id='{other}' WHERE notification_id={n}",
    "UPDATE stored_events SET originator_version='two' WHERE notification_id={n}",
    "UPDATE stored_events SET topic=5 WHERE notification_id={n}",
    "UPDATE stored_events SET state=CAST(state AS TEXT) WHERE notification_id={n}",
    "UPDATE stored_events SET notification_id=-notification_id WHERE notification_id={n}",
    "UPDATE stored_events SET originator_version=originator_version+1000 WHERE notification_id>{n}",
    "UPDATE refused_attempts SET state='{{}}', position='x'",
    "UPDATE refused_attempts SET attempt_id=-attempt_id",
    "UPDATE refused_attempts SET attempt_id=9000+attempt_id, position=-{n}",
    "INSERT INTO counted_attempts VALUES (-1, 'x', 'no hour', 'y', 'z', -4, 'w')",
    "INSERT INTO counted_attempts VALUES (0, 'x', '2025-01-01T00:00+0800', 'y', 'z', -4, 'w')",
)
WHOM = ("--ref", "ada", "--year", "2025")
QUESTIONS = (
    ("explain", *WHOM),
    ("compare", *WHOM, "--known-at", "2"),
    ("review", *WHOM),
    ("history", *WHOM),
    ("timeline", *WHOM),
    ("dossier", *WHOM),
    ("audit", "--all", "--json"),
    ("projections", "status"),
    ("projections", "retry"),
    ("db", "check"),
)


@pytest.mark.parametrize("seed", range(24))
def test_no_question_about_a_tampered_store_ends_in_a_traceback(
    seed: int, run: Run, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    path = tmp_path / "facts.db"
    shutil.copy(GOLDEN / "v0.4.0.db", path)
    url = f"sqlite:///{path}"
    open_service(url).close()
    done = []
    while not done:
        for change in chance.sample(CHANGES, chance.randint(1, 3)):
            n, m = chance.randint(1, 40), chance.randint(1, 40)
            try:
                rows(url, change.format(n=n, m=m, other=OTHER))
                done.append(change)
            except sqlite3.IntegrityError:
                continue
    for question in QUESTIONS:
        ended = run(*question, "--store", url)  # anything else than ours would be raised here
        assert ended.exit_code in (0, 1, 2), (done, question)
        assert ended.stderr.count("\n") <= 2
    with open_service(url) if _opens(url) else open_service("memory:") as service:
        for ask in (lambda: list(service.everyone()), lambda: service.at(ADA)):
            try:
                ask()
            except yibao.YibaoError:
                continue


def _opens(url: str) -> bool:
    try:
        open_service(url).close()
    except yibao.YibaoError:
        return False
    return True
