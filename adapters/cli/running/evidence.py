"""The evidence of a store: keys and logs, notes and proofs."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from yibao.adapters.cli.running.evidence_files import key_given, read_text
from yibao.adapters.cli.running.signals import ended_by_signals
from yibao.adapters.following import Standing, Stop, Supervisor, lead_of
from yibao.adapters.following.derived import instant_of
from yibao.adapters.following.evidence import (
    LOGS,
    Evidence,
    KeptNote,
    Logged,
    LogName,
    Prover,
    Verified,
    consistency,
    lacks,
    open_evidence,
    open_prover,
    proofs,
    publish,
    there_is_evidence,
    verify,
)
from yibao.adapters.following.evidence.keys import is_open_to_others, make_key, read_signer
from yibao.adapters.service import shanghai_now
from yibao.adapters.store import FactStore, StoreError, open_store
from yibao.adapters.store.files import written
from yibao.adapters.telemetry import open_telemetry, tell
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.evidence import (
    ORIGIN,
    SignedCheckpoint,
    Signer,
    UnreadableEvidence,
    VerifierKey,
)

LOGGER: Final = logging.getLogger("yibao.evidence")
#: Beside a key: the verifier keys of the logs it signs.
_PUBLIC: Final = ".pub"


def begin(origin: str, key: Path, sign_with: str | None, store: str | None) -> list[VerifierKey]:
    """Makes a key, or uses the one there; the verifier keys of its logs, of the facts first.

    They stand beside the key, and with a store its logs begin. Raises BadValue for an origin that
    is none, StoreError where the key or the store has another already.
    """
    if not ORIGIN.fullmatch(origin):
        raise BadValue("origin", "is written HOST/yibao/NAME")
    if not key.exists() and sign_with is None:
        make_key(key)
    signer = read_signer(key, sign_with)
    keys = [signer.key_of(f"{origin}/{logged.name}") for logged in LOGS]
    _keep_public(key, keys)
    if store is not None:
        with _opened(store, to_keep=True) as (_, evidence):
            evidence.begin(origin, signer)
    return keys


def _keep_public(key: Path, keys: Sequence[VerifierKey]) -> None:
    public = Path(f"{key}{_PUBLIC}")
    told = "".join(f"{each}\n" for each in keys)
    if public.exists():
        if public.read_text() != told:
            raise StoreError(f"{str(public)!r} holds the keys of other logs: take another key")
        return
    with written(public) as new:
        new.write_text(told)


def warning_of(key: Path, sign_with: str | None) -> str | None:
    """What is told of a key before it signs: that others may read it, if so."""
    if sign_with is None and key.exists() and is_open_to_others(key):
        return f"the key {str(key)!r} is open to others than its owner: chmod 600"
    return None


def _signer(key: Path, sign_with: str | None) -> Signer:
    signer = read_signer(key, sign_with)
    if sign_with is None and is_open_to_others(key):
        tell(LOGGER, logging.WARNING, "key-open-to-others", file=str(key))
    return signer


@contextmanager
def _opened(url: str, *, to_keep: bool = False) -> Iterator[tuple[FactStore, Evidence]]:
    with (
        closing(open_store(url, to_ask=True)) as store,
        closing(open_evidence(store, to_keep=to_keep)) as evidence,
    ):
        yield store, evidence


@contextmanager
def _opened_to_sign(
    url: str, key: Path, sign_with: str | None
) -> Iterator[tuple[Evidence, Signer]]:
    """The evidence of a store, begun under the origin beside the key where that is not done yet."""
    signer = _signer(key, sign_with)
    with _opened(url, to_keep=True) as (_, evidence):
        if not evidence.is_begun():
            evidence.begin(_origin_beside(key), signer)
        yield evidence, signer


def _origin_beside(key: Path) -> str:
    public = Path(f"{key}{_PUBLIC}")
    try:
        told = VerifierKey.parse(public.read_text().partition("\n")[0]).name
    except (OSError, UnreadableEvidence, UnicodeError):
        raise StoreError("the store has no log yet: `yibao evidence init` begins one") from None
    return told.rpartition("/")[0]


def sign_now(
    url: str, key: Path, sign_with: str | None, places: Sequence[str], log: LogName
) -> tuple[str, list[StoreError]]:
    """Takes in what is new and signs; the note of one log, and where it was not published."""
    failed: list[StoreError] = []
    with _opened_to_sign(url, key, sign_with) as (evidence, signer):
        evidence.catch_up()
        notes = {logged.name: _signed(evidence, signer, logged, places, failed) for logged in LOGS}
    return notes[log].note, failed


def _signed(
    evidence: Evidence,
    signer: Signer,
    logged: Logged,
    places: Sequence[str],
    failed: list[StoreError],
) -> KeptNote:
    """The note of all that a log has taken in, published where that was not done yet.

    Of a note that was published before, a folder tells whether it has it: a command does not.
    """
    now = shanghai_now()
    note = evidence.sign(logged, signer, now)
    is_new = note.published is None
    lacking = [each for each in places if is_new or lacks(each, note.size, logged.name)]
    found = publish(note.note, note.size, logged.name, lacking)
    failed += found
    if is_new and len(found) < len(lacking):
        evidence.published(logged, note.size, now)
    return note


class LogStatus(NamedTuple):
    """How far a log is: entries taken in, rows not taken in yet, and its notes.

    `signed` and `published` are the entries of the last note that was, None where none was;
    `unproven` are the entries that no published note has.
    """

    log: str
    origin: str
    vkey: str
    size: int
    behind: int
    signed: int | None
    signed_at: str | None
    published: int | None
    published_at: str | None
    unproven: int


def statuses(url: str) -> list[LogStatus]:
    """How far each log is; nothing is taken in and nothing signed."""
    with _opened(url) as (store, evidence):
        return [_status(store, evidence, logged) for logged in LOGS]


def _status(store: FactStore, evidence: Evidence, logged: Logged) -> LogStatus:
    there = evidence.progress(logged)
    with evidence.reading(logged) as kept:
        signed, published = kept.last_note(), kept.last_note(published=True)
    behind = sum(map(len, logged.batches(store, 10_000, there.position + 1)))
    proven = published.size if published else 0
    return LogStatus(
        logged.name,
        there.origin,
        there.vkey,
        there.size,
        behind,
        signed and signed.size,
        instant_of(signed.signed).isoformat() if signed else None,
        published and published.size,
        instant_of(published.published or 0).isoformat() if published else None,
        there.size + behind - proven,
    )


def follow(
    url: str,
    key: Path,
    sign_with: str | None,
    places: Sequence[str],
    *,
    once: bool,
    every: int,
) -> list[StoreError]:
    """Keeps the logs up with a store, signs and publishes, until the process is asked to end.

    Or `once`; then it is told where the last notes were not published.
    """
    stop = Stop()
    with _opened_to_sign(url, key, sign_with) as (evidence, signer):
        signing = _Signing(evidence, signer, places, timedelta(seconds=0 if once else every))
        supervisor = Supervisor(
            signing, lead_of(evidence.store, evidence.name), telemetry=open_telemetry()
        )
        if once:
            with supervisor.halt_told():
                while evidence.store.again(partial(supervisor.take_in, stop)):
                    pass  # a long backlog, told of now and then
            return signing.failed
        with ended_by_signals(stop):
            supervisor.follow(stop)
        return []


class _Signing:
    """The logs as a projection that also signs, some time after the last note."""

    def __init__(
        self, evidence: Evidence, signer: Signer, places: Sequence[str], every: timedelta
    ) -> None:
        self.name = evidence.name
        self.failed: list[StoreError] = []
        self._evidence = evidence
        self._signer = signer
        self._places = places
        self._every = every
        self._signed: datetime | None = None

    def catch_up(self, *, enough: Callable[[], bool]) -> int:
        taken_in = self._evidence.catch_up(enough=enough)
        if enough():
            return taken_in
        now = shanghai_now()
        if self._signed is None or now - self._signed >= self._every:
            self._sign()
            self._signed = now
        return taken_in

    def _sign(self) -> None:
        self.failed = []
        for logged in LOGS:
            before = self._evidence.last_note(logged)
            note = _signed(self._evidence, self._signer, logged, self._places, self.failed)
            if before is None or note.size > before.size:
                tell(LOGGER, logging.INFO, "signed", log=logged.name, size=note.size)
        for why in self.failed:
            tell(LOGGER, logging.ERROR, "not-published", reason=str(why))

    def standing(self) -> Standing:
        return self._evidence.standing()


def write_proofs(
    url: str, ref: str, year: int, version: int | None, folder: Path, *, force: bool
) -> tuple[int, int]:
    """Writes a proof for each fact of an enrollment; how many, and how many facts are newer."""
    with _opened(url) as (store, evidence):
        found = proofs(store, evidence, EnrollmentId(ref, year), version)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{str(folder)!r} cannot be written: {error.strerror}") from error
    proven = [each for each in found if each.proof]
    for each in proven:
        kind = "care-" if each.is_care else ""
        name = f"{quote(ref, safe='')}-{year}-{kind}{each.version}.tlog-proof"
        with written(folder / name, force=force) as new:
            new.write_text(str(each.proof), encoding="utf-8")
    return len(proven), len(found) - len(proven)


@contextmanager
def prover_of(url: str) -> Iterator[Prover]:
    """What proves facts of a store; raises StoreError where no note of it was signed yet."""
    with _opened(url) as opened, open_prover(*opened) as prover:
        yield prover


def verified(url: str, note: Path, vkey: str) -> Verified:
    """Holds every row of a store against a note; the evidence beside it is not needed for that."""
    with closing(open_store(url, to_ask=True)) as store:
        told = read_text(note)
        key = key_given(vkey, told)
        if not there_is_evidence(store):
            return verify(store, None, told, key)
        with closing(open_evidence(store)) as evidence:
            return verify(store, evidence, told, key)


def not_verified(why: str) -> dict[str, Any]:
    """What stands in the place of what `verified` found, where it could not look at all."""
    return {
        "ok": False,
        **dict.fromkeys(("size", "rows", "kind", "leaf", "position")),
        "warnings": [why],
    }


def write_consistency(
    url: str, earlier: Path, later: Path, vkey: str, out: Path, *, force: bool
) -> tuple[int, int]:
    """Writes what proves that a log went on; the sizes of both notes."""
    told = read_text(earlier), read_text(later)
    with _opened(url) as (_, evidence):
        keys = [key_given(vkey, each) for each in told]
        found = consistency(evidence, *told, *keys)
    with written(out, force=force) as new:
        new.write_text(str(found), encoding="utf-8")
    was, now = (SignedCheckpoint.parse(each).checkpoint.size for each in told)
    return was, now


def hand_over(
    url: str, key: Path, sign_with: str | None, old: Path | None, old_sign_with: str | None
) -> list[str]:
    """Hands both logs over to another key; the notes in which both say so."""
    if not key.exists() and sign_with is None:
        make_key(key)
    new = read_signer(key, sign_with)
    with _opened(url, to_keep=True) as (_, evidence):
        before = read_signer(old or Path(evidence.progress(LOGS[0]).key_file), old_sign_with)
        _keep_public(key, [new.key_of(evidence.progress(logged).origin) for logged in LOGS])
        return evidence.hand_over(before, new)
