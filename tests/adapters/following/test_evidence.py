"""The evidence on both stores: whatever is changed behind the store's back is found, and where."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yibao.adapters.following.evidence import (
    LOGS,
    Evidence,
    Verified,
    consistency,
    open_evidence,
    proofs,
    verify,
    verifying,
)
from yibao.adapters.following.evidence import following as evidence_following
from yibao.adapters.service.service import Service
from yibao.adapters.store import Halted, StoreError, open_store
from yibao.adapters.store.urls import is_postgres
from yibao.adapters.upkeep import backup, copy
from yibao.domain.calendar import read_instant
from yibao.domain.refusals import BadValue
from yibao.projections.evidence import Note, NotProven, Signer, VerifierKey

from ..helpers.autumn import ADA, BO, Clock, an_autumn, register
from ..helpers.stores import rows

ROOT = Path(__file__).parents[3]
ORIGIN = "insurance.example.edu.cn/yibao/main"
NOW = read_instant("2025-12-01 08:00")
FACTS, ATTEMPTS = LOGS
in_files = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are held against a note in several parts, as those of a large store are."""
    monkeypatch.setattr(verifying, "BATCH", 3)


def signer(seed: int = 1) -> Signer:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Signer(public, private.sign, "main.pem")


KEY = signer().key_of(f"{ORIGIN}/facts")


@contextmanager
def opened(url: str, *, to_keep: bool = True) -> Iterator[Evidence]:
    with (
        closing(open_store(url, to_ask=True)) as store,
        closing(open_evidence(store, to_keep=to_keep)) as evidence,
    ):
        yield evidence


def signed(url: str, log: Any = FACTS, now: Any = NOW, by: Signer | None = None) -> str:
    """Takes in what there is, and the note of it."""
    with opened(url) as evidence:
        evidence.begin(ORIGIN, by or signer())
        evidence.catch_up()
        for logged in LOGS:
            evidence.sign(logged, by or signer(), now)
        note = evidence.last_note(log)
    assert note is not None
    return note.note


def held(url: str, note: str, key: VerifierKey = KEY) -> Verified:
    """What becomes of a note when the store is held against it."""
    with opened(url, to_keep=False) as evidence:
        return verify(evidence.store, evidence, note, key)


@pytest.fixture
def note(store: str, service: Service, clock: Clock) -> str:
    """The note of an autumn, held outside."""
    an_autumn(service, clock)
    return signed(store)


def test_what_stands_is_told_to_stand_also_when_more_was_recorded(
    store: str, service: Service, clock: Clock, note: str
) -> None:
    first = held(store, note)
    assert first.ok
    assert (first.kind, first.leaf, first.position, first.warnings) == (None, None, None, ())
    assert first.size == first.rows == len(rows(store, "SELECT 1 FROM stored_events"))
    register(service, BO._replace(ref="dan"), clock.at("2025-12-02 09:00"))
    later = held(store, note)
    assert (later.ok, later.size, later.rows) == (True, first.size, first.rows + 1)


def test_both_logs_are_signed_and_held(store: str, service: Service, clock: Clock) -> None:
    an_autumn(service, clock)
    note = signed(store, ATTEMPTS)
    key = signer().key_of(f"{ORIGIN}/attempts")
    kept = len(rows(store, "SELECT 1 FROM refused_attempts"))
    assert kept > 1
    assert held(store, note, key) == (True, kept, kept, None, None, None, ())
    ((second,),) = rows(
        store, "SELECT attempt_id FROM refused_attempts ORDER BY 1 LIMIT 1 OFFSET 1"
    )
    rows(store, "UPDATE refused_attempts SET actor='x' WHERE attempt_id=?", second)
    found = held(store, note, key)
    assert (found.kind, found.leaf, found.position) == ("altered", 1, second)


def _at(url: str, leaf: int) -> int:
    statement = "SELECT notification_id FROM stored_events ORDER BY 1 LIMIT 1 OFFSET ?"
    return int(rows(url, statement, leaf)[0][0])


def _set(column: str, value: str) -> Callable[[str, int], int]:
    def tamper(url: str, position: int) -> int:
        rows(url, f"UPDATE stored_events SET {column}={value} WHERE notification_id=?", position)
        return position

    return tamper


def _removed(url: str, position: int) -> int:
    (following,) = rows(
        url,
        "SELECT MIN(notification_id) FROM stored_events WHERE notification_id>?",
        position,
    )
    rows(url, "DELETE FROM stored_events WHERE notification_id=?", position)
    return int(following[0])


def _removed_and_renumbered(url: str, position: int) -> int:
    _removed(url, position)
    for (later,) in rows(
        url,
        "SELECT notification_id FROM stored_events WHERE notification_id>? ORDER BY 1",
        position,
    ):
        _put(url, later, later - 1)
    return position


def _put(url: str, position: int, to: int) -> None:
    if is_postgres(url):
        rows(url, "ALTER TABLE stored_events ALTER notification_id SET GENERATED BY DEFAULT")
        names = "originator_id, originator_version, topic, state"
        rows(
            url,
            f"WITH gone AS (DELETE FROM stored_events WHERE notification_id=? RETURNING {names}) "
            f"INSERT INTO stored_events (notification_id, {names}) SELECT ?, gone.* FROM gone",
            position,
            to,
        )
    else:
        rows(
            url, "UPDATE stored_events SET notification_id=? WHERE notification_id=?", to, position
        )


def _swapped_states(url: str, position: int) -> int:
    other = position + 1
    states = {
        each: rows(url, "SELECT state FROM stored_events WHERE notification_id=?", each)[0][0]
        for each in (position, other)
    }
    for each in (position, other):
        statement = "UPDATE stored_events SET state=? WHERE notification_id=?"
        rows(url, statement, states[position + other - each], each)
    return position


def _swapped_positions(url: str, position: int) -> int:
    _put(url, position, 2**40)
    _put(url, position + 1, position)
    _put(url, 2**40, position + 1)
    return position


def _in_front(url: str, position: int) -> int:
    _put(url, position, -3)
    return -3


STATE_OF_SQLITE = "CAST(CAST(state AS TEXT) || ' ' AS BLOB)"
#: What is done to the fifth entry, whether either store takes it, and which leaf differs then.
TAMPERINGS: dict[str, tuple[Callable[[str, int], int], bool, int]] = {
    "a byte of a state": (_set("state", "'{}'"), True, 4),
    "the name": (_set("topic", "'card-issued'"), True, 4),
    "the stream": (_set("originator_id", "'00000000000000000000000000000000'"), True, 4),
    "the version": (_set("originator_version", "originator_version + 100"), True, 4),
    "two states swapped": (_swapped_states, True, 4),
    "two positions swapped": (_swapped_positions, True, 4),
    "removed": (_removed, True, 4),
    "removed and renumbered": (_removed_and_renumbered, True, 4),
    "put in front of all": (_in_front, True, 0),
    "white space in a state": (_set("state", STATE_OF_SQLITE), False, 4),
    "a text for the state": (_set("state", "CAST(state AS TEXT)"), False, 4),
    "a text for the version": (_set("originator_version", "'one'"), False, 4),
    "a name that is no text": (_set("topic", "CAST(x'ff' AS TEXT)"), False, 4),
    "a name that is bytes": (_set("topic", "CAST(topic AS BLOB)"), False, 4),
}


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_whatever_is_changed_is_found_and_where(store: str, note: str, kind: str) -> None:
    tamper, on_both, leaf = TAMPERINGS[kind]
    if is_postgres(store) and not on_both:
        return  # the columns of PostgreSQL take nothing of another type
    position = tamper(store, _at(store, 4))
    found = held(store, note)
    assert (found.ok, found.kind, found.leaf, found.position) == (False, "altered", leaf, position)


def test_a_position_into_a_gap_is_found(store: str, service: Service, clock: Clock) -> None:
    an_autumn(service, clock)
    last = rows(store, "SELECT MAX(notification_id) FROM stored_events")[0][0]
    if is_postgres(store):
        sequence = "pg_get_serial_sequence('stored_events', 'notification_id')"
        rows(store, f"SELECT setval({sequence}, ?)", last + 10)
    else:
        rows(store, "UPDATE sqlite_sequence SET seq=? WHERE name='stored_events'", last + 10)
    register(service, BO._replace(ref="dan"), clock.at("2025-12-02 09:00"))
    note = signed(store)
    _put(store, last + 11, last + 5)
    found = held(store, note)
    assert (found.kind, found.position) == ("altered", last + 5)


@pytest.mark.parametrize("last", [1, 3])
def test_the_last_ones_lost_are_told_as_truncated(store: str, note: str, last: int) -> None:
    size = len(rows(store, "SELECT 1 FROM stored_events"))
    rows(store, "DELETE FROM stored_events WHERE notification_id>=?", _at(store, size - last))
    found = held(store, note)
    assert found == (False, size, size - last, "truncated", size - last, None, ())
    with opened(store) as evidence, pytest.raises(Halted, match=f"entry {size - 1}"):
        evidence.sign(FACTS, signer(), NOW)


@in_files
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_one_to_five_random_rows_are_found_at_the_first(
    store: str, note: str, data: st.DataObject
) -> None:
    size = len(rows(store, "SELECT 1 FROM stored_events"))
    leaves = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=5))
    column = data.draw(st.sampled_from(["state", "topic", "originator_version"]))
    was = f"SELECT {column} FROM stored_events WHERE notification_id=?"
    before = {leaf: rows(store, was, _at(store, leaf))[0][0] for leaf in leaves}
    put = f"UPDATE stored_events SET {column}=? WHERE notification_id=?"
    for leaf in leaves:
        rows(store, put, 1000 + leaf if column.endswith("version") else b"x", _at(store, leaf))
    found = held(store, note)
    for leaf, value in before.items():
        rows(store, put, value, _at(store, leaf))
    assert (found.kind, found.leaf, found.position) == (
        "altered",
        min(leaves),
        _at(store, min(leaves)),
    )
    assert held(store, note).ok


def test_rebuilt_and_signed_with_the_stolen_key_only_the_note_held_outside_tells(
    store: str, note: str
) -> None:
    rows(
        store, "UPDATE stored_events SET topic='card-issued' WHERE notification_id=?", _at(store, 4)
    )
    with opened(store) as evidence:
        for logged in LOGS:
            with evidence.writing(logged) as kept:
                for table in ("tiles", "notes"):
                    kept._sql.run(f"DELETE FROM {kept._prefix}{table}")
                kept.reach(0, 0)
    forged = signed(store)
    assert held(store, forged).ok
    found = held(store, note)
    assert (found.ok, found.kind, found.leaf) == (False, "altered", None)
    assert any("tiles" in each for each in found.warnings)


def test_tiles_that_were_altered_alone_are_told_and_the_rows_stand(store: str, note: str) -> None:
    with opened(store) as evidence, evidence.writing(FACTS) as kept:
        tile = bytearray(kept.tile(0, 0))
        tile[40] ^= 1
        kept.put_tiles([(0, 0, None, bytes(tile))])
    found = held(store, note)
    assert (found.ok, found.leaf) == (True, None)
    assert len(found.warnings) == 1
    with opened(store) as evidence, pytest.raises(Halted, match="not that of its last note"):
        evidence.sign(FACTS, signer(), NOW)


@in_files
@pytest.mark.parametrize("spoilt", ["'a text'", "SUBSTR(hashes, 1, 40)", "x''"])
def test_tiles_that_hold_no_hashes_are_told_and_the_rows_stand(
    store: str, note: str, spoilt: str
) -> None:
    with opened(store) as evidence, evidence.writing(FACTS) as kept:
        kept._sql.run(f"UPDATE {kept._prefix}tiles SET hashes={spoilt}")
    found = held(store, note)
    assert (found.ok, len(found.warnings)) == (True, 1)


def test_without_tiles_the_note_and_the_rows_are_enough(store: str, note: str) -> None:
    with closing(open_store(store, to_ask=True)) as facts:
        assert verify(facts, None, note, KEY).ok
        rows(store, "UPDATE stored_events SET topic='x' WHERE notification_id=?", _at(store, 4))
        assert verify(facts, None, note, KEY).kind == "altered"


def test_where_no_log_is_kept_any_more_no_tiles_are_said_not_to_fit(store: str, note: str) -> None:
    with opened(store) as evidence, evidence.writing(FACTS) as kept:
        for table in ("progress", "tiles", "notes"):
            kept._sql.run(f"DELETE FROM {kept._prefix}{table}")
    found = held(store, note)
    assert (found.ok, found.warnings) == (True, ())


def test_a_fact_that_comes_with_an_old_stamp_is_warned_of(
    store: str, service: Service, clock: Clock, note: str
) -> None:
    register(service, BO._replace(ref="dan"), clock.at("2025-12-01 07:59"))
    assert held(store, note).warnings == ()  # it may have been on its way
    state = rows(store, "SELECT state FROM stored_events ORDER BY notification_id DESC LIMIT 1")[0][
        0
    ]
    planted = state.replace(b"2025-12-01T07:59", b"2025-11-30T07:59")
    assert planted != state
    rows(store, "UPDATE stored_events SET state=? WHERE state=?", planted, state)
    (warning,) = held(store, note).warnings
    assert "2025-11-30T07:59" in warning


def test_nothing_is_signed_twice_and_the_later_note_goes_on(
    store: str, service: Service, clock: Clock, note: str
) -> None:
    assert signed(store) == note
    register(service, BO._replace(ref="dan"), clock.at("2025-12-02 09:00"))
    later = signed(store)
    with opened(store, to_keep=False) as evidence:
        found = consistency(evidence, note, later, KEY)
        assert found.check(KEY).checkpoint.size == held(store, note).size + 1
        for wrong in [(later, note), (note, signed(store, ATTEMPTS))]:
            with pytest.raises(NotProven):
                consistency(evidence, *wrong, KEY)


def test_the_last_entry_of_the_last_note_must_still_stand(
    store: str, service: Service, clock: Clock, note: str
) -> None:
    size = held(store, note).size
    position = _at(store, size - 1)
    register(service, BO._replace(ref="dan"), clock.at("2025-12-02 09:00"))
    rows(store, "UPDATE stored_events SET topic='x' WHERE notification_id=?", position)
    with opened(store) as evidence:
        evidence.catch_up()
        with pytest.raises(Halted, match=f"entry {size - 1}, at position {position}"):
            evidence.sign(FACTS, signer(), NOW)


def test_every_fact_of_a_student_is_proven_and_what_is_newer_is_told(
    store: str, service: Service, clock: Clock, note: str
) -> None:
    with opened(store, to_keep=False) as evidence:
        found = proofs(evidence.store, evidence, ADA)
        assert [(each.is_care, each.version) for each in found] == sorted(
            (each.is_care, each.version) for each in found
        )
        assert {each.is_care for each in found} == {False, True}
        assert all(each.proof and each.proof.check(KEY) for each in found)
        second = proofs(evidence.store, evidence, ADA, 2)
        assert [each.version for each in second] == [2]
        for whom, version in ((ADA, 99), (ADA._replace(ref="nobody"), None)):
            with pytest.raises(BadValue):
                proofs(evidence.store, evidence, whom, version)
    register(service, BO._replace(ref="dan"), clock.at("2025-12-02 09:00"))
    with opened(store, to_keep=False) as evidence:
        (newer,) = proofs(evidence.store, evidence, BO._replace(ref="dan"))
    assert newer.proof is None


def test_a_fact_that_was_changed_is_not_proven(store: str, note: str) -> None:
    rows(store, "UPDATE stored_events SET topic='card-issued' WHERE originator_version=2")
    with opened(store, to_keep=False) as evidence, pytest.raises(NotProven):
        proofs(evidence.store, evidence, ADA, 2)


def test_the_tiles_are_the_same_however_many_are_taken_in_at_a_time(
    store: str, service: Service, clock: Clock, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_following, "BATCH", 3)
    with opened(store) as evidence, evidence.writing(FACTS) as kept:
        kept._sql.run(f"DELETE FROM {kept._prefix}tiles WHERE log='facts'")
    with opened(store) as evidence, pytest.raises(Halted, match="lacks hashes"):
        evidence.sign(FACTS, signer(), NOW)
    with opened(store) as evidence, evidence.writing(FACTS) as kept:
        kept.reach(0, 0)
    with opened(store) as evidence:
        evidence.catch_up()
    assert held(store, note).ok
    assert signed(store) == note


def test_a_key_is_handed_over_by_a_note_that_both_sign(store: str, note: str) -> None:
    new = signer(2)
    with opened(store) as evidence:
        told, _ = evidence.hand_over(signer(), new)
        with pytest.raises(StoreError, match="another key"):
            evidence.sign(FACTS, signer(), NOW)
        with pytest.raises(StoreError, match="already"):
            evidence.hand_over(new, new)
        assert evidence.sign(FACTS, new, NOW).note == note  # nothing is new
    handed = Note.parse(told)
    handed.check_signed(KEY, new.key_of(KEY.name))
    assert handed.text.split("\n")[:3] == ["yibao-handover-v1", str(KEY), str(new.key_of(KEY.name))]


def test_a_log_whose_last_entry_no_longer_stands_is_not_handed_over(store: str, note: str) -> None:
    size = held(store, note).size
    put = "UPDATE stored_events SET topic='x' WHERE notification_id=?"
    rows(store, put, _at(store, size - 1))
    with opened(store) as evidence:
        with pytest.raises(Halted, match=f"entry {size - 1}"):
            evidence.hand_over(signer(), signer(2))
        assert evidence.progress(FACTS).vkey == str(KEY)


def test_a_store_without_logs_says_so_and_looking_makes_none(
    store: str, service: Service, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StoreError, match="no log yet"), opened(store, to_keep=False) as evidence:
        evidence.progress(FACTS)
    assert sorted(tmp_path.iterdir()) == before


def test_a_store_is_begun_once_under_one_name(store: str, note: str) -> None:
    with opened(store) as evidence:
        assert evidence.begin(ORIGIN, signer())[0] == KEY
        for origin, by in (("elsewhere/yibao/main", signer()), (ORIGIN, signer(2))):
            with pytest.raises(StoreError, match="has a log already"):
                evidence.begin(origin, by)


def test_a_copy_in_the_other_kind_of_store_has_the_same_root(
    service: Service, clock: Clock, store: str, note: str, tmp_path: Path, postgres_url: str
) -> None:
    to = f"sqlite:///{tmp_path / 'copy.db'}" if is_postgres(store) else postgres_url
    copy(store, to)
    assert held(to, note).ok  # the tiles came along
    assert signed(to) == note
    with opened(to) as evidence, evidence.writing(FACTS) as kept:
        for table in ("tiles", "notes"):
            kept._sql.run(f"DELETE FROM {kept._prefix}{table} WHERE log='facts'")
        kept.reach(0, 0)
    assert signed(to) == note  # and would be the same made anew


@in_files
def test_a_backup_that_is_put_back_stands_as_it_was_and_is_truncated_against_a_later_note(
    service: Service, clock: Clock, store: str, note: str, tmp_path: Path
) -> None:
    backup(store, tmp_path / "backup.db")
    restored = f"sqlite:///{tmp_path / 'backup.db'}"
    assert held(restored, note).ok
    assert signed(restored) == note
    register(service, BO._replace(ref="dan"), clock.at("2025-12-02 09:00"))
    later = held(restored, signed(store))
    assert (later.ok, later.kind, later.leaf) == (False, "truncated", later.size - 1)


def test_of_two_followers_each_entry_is_taken_in_once(store: str, note: str) -> None:
    with opened(store) as one, opened(store) as other:
        for evidence in (one, other, one):
            evidence.catch_up()
        sizes = {evidence.progress(FACTS).size for evidence in (one, other)}
    assert sizes == {held(store, note).size}


_KILLED = """
import sys
from contextlib import closing
from tests.adapters.helpers.outbox import killed_at
from yibao.adapters.following.evidence import following, open_evidence
from yibao.adapters.store import open_store
following.BATCH = 4
with closing(open_store(sys.argv[1], to_ask=True)) as store:
    with closing(open_evidence(store, to_keep=True)) as evidence:
        killed_at(int(sys.argv[2]))
        evidence.catch_up()
"""


def test_killed_at_any_statement_it_ends_as_if_it_had_run_once(
    store: str, service: Service, clock: Clock
) -> None:
    an_autumn(service, clock)
    with opened(store) as evidence:
        evidence.begin(ORIGIN, signer())
    kills = 0
    while True:
        done = subprocess.run(
            [sys.executable, "-c", _KILLED, store, str(kills % 23)],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
            check=False,
        )
        kills += 1
        if done.returncode == 0:
            break
        assert kills < 300
    assert kills > 5
    with opened(store) as evidence:
        size = evidence.progress(FACTS).size
    assert size == len(rows(store, "SELECT 1 FROM stored_events"))
    assert held(store, signed(store)).ok
