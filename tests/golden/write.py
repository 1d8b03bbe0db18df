"""Writes what `test_shapes.py` compares with: run knowingly, at a release.

python tests/golden/write.py schemas        # schemas, names, digests, derivations
python tests/golden/write.py help           # the help of every command, in both languages
python tests/golden/write.py store v0.1.0   # a store with every event shape, and its answers;
                                            # and what is released, to compare later ones with
"""

import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import chdir, closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from click.testing import CliRunner
from held import BESIDE, GOLDEN, hold
from held import release as hold_as
from keys import ORIGIN, PEOPLE, SCHOOL, directory_in, signing_key

import yibao
from yibao.adapters.cli import main
from yibao.adapters.office.directory import WaitingProxy, open_directory
from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.stories.published import SCHEMAS
from yibao.adapters.upkeep.copying import copy
from yibao.adapters.upkeep.creating import init
from yibao.domain.calendar import SHANGHAI
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import EnrollmentId

END = datetime(2026, 2, 1, 12, 0, tzinfo=SHANGHAI)
#: The benefit year that follows 2025.
LATER = 2026


def write_schemas() -> None:
    for name, schema in SCHEMAS.items():
        text = json.dumps(schema(), indent=1, ensure_ascii=False, sort_keys=True)
        hold(f"{name}.json", text + "\n")
    sys.path.insert(0, str(GOLDEN.parent))
    from golden.test_derivations import HELD, derivations
    from golden.test_shapes import public_api
    from golden.test_surface import KIND, surface

    HELD.write_text("\n".join(derivations()) + "\n", encoding="utf-8")
    hold("api.txt", public_api())
    hold(KIND, surface())
    with yibao.open("memory:") as service:
        digests = {edition.edition: edition.digest for edition in service.editions}
        digests |= {f"{each.edition} benefits": each.benefits_digest for each in service.editions}
    (GOLDEN / "editions.json").write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")


def write_help() -> None:
    sys.path.insert(0, str(GOLDEN.parent))
    from golden.test_help import write

    write()


class _Noting:
    """The service's methods, with a command id for each call and a note of it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.calls: list[dict[str, Any]] = []

    def __getattr__(self, method: str) -> Callable[..., Receipt]:
        def call(*given: Any, **values: Any) -> Receipt:
            values["command_id"] = f"golden-{len(self.calls) + 1}"
            receipt: Receipt = getattr(self.service, method)(*given, **values)
            told = [{type(each).__name__: _written(each)} for each in given]
            answered = {"event_id": str(receipt.event_id), "version": receipt.version}
            self.calls.append({"method": method, "given": told, "values": values} | answered)
            return receipt

        return call


def _written(given: Any) -> str:
    return f"{given.ref}/{given.year}" if isinstance(given, EnrollmentId) else str(given)


class _Ticking:
    """A clock that goes on by a minute whenever it is read."""

    def __init__(self) -> None:
        self.now = END - timedelta(days=20)

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


def write_store(release: str) -> None:
    path = GOLDEN / f"{release}.db"
    if path.exists():
        raise SystemExit(f"{path.name} is released; it is never written again")
    with open_service(f"sqlite:///{path}", by="officer-7", clock=_Ticking()) as service:
        noting = _Noting(service)
        _live_through_an_autumn(noting)
        _go_on_studying(noting)
        _be_refused(service)
        refs = ("ada", "bo")
        students = {ref: EnrollmentId(ref, 2025) for ref in refs}
        events = {fact.name for student in students.values() for fact in service.facts(student)}
        events |= {fact.name for who in students.values() for fact in service.care_facts(who)}
        events |= {event.name for event in service.window_facts("shanghai-2025")}
        told = {
            "release": release,
            "at": END.isoformat(),
            "year": 2025,
            "events": sorted(events),
            "calls": noting.calls,
            "refused": {
                ref: [
                    kept.attempt.model_dump(mode="json", by_alias=True)
                    for kept in service.refused_attempts(student)
                ]
                for ref, student in students.items()
            },
            "students": {ref: _answers(service, student) for ref, student in students.items()},
            "later": {
                str(LATER): {ref: _answers(service, EnrollmentId(ref, LATER)) for ref in refs}
            },
        }
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
    _dump(path)
    told["note"], told["vkey"] = _put_beside(path)
    text = json.dumps(told, indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    hold_as(release)


def _answers(service: Service, student: EnrollmentId) -> dict[str, Any]:
    """What is answered of a student, at the end and by each version."""
    return {
        "latest": answer_json(service.at(student, END, known_at=END)),
        "states": [
            [c.state.value for c in service.at(student, END, known_at=v).timeline]
            for v in range(len(service.facts(student)) + 1)
        ],
    }


def _put_beside(path: Path) -> tuple[str, str]:
    """What cannot be made anew of the store: a directory and a signed log; its note and its key."""
    with TemporaryDirectory() as folder, chdir(folder):
        shutil.copy(path, "store.db")
        key = ("--key", signing_key(Path()).name)
        begun = _printed("init", "--origin", ORIGIN, *key, "--store", "store.db")
        note = _printed("checkpoint", *key, "--store", "store.db")
        made = open_directory(directory_in(Path()), _Ticking(), make=True)
        assert made is not None
        with closing(made) as directory:
            with directory.importing(lambda ref: True) as importing:
                importing.add(PEOPLE)
                importing.keep([each.ref for each in PEOPLE])
                importing.proxies_wait(SCHOOL, [WaitingProxy("bo", END.date())])
            directory.find(SCHOOL, PEOPLE[0].entry.number, by="officer-7", reason="counter")
        with closing(sqlite3.connect("store.db.evidence")) as connection:
            # Where it is on this machine nobody has to know.
            connection.execute("UPDATE progress SET key_file = '/srv/log.key'")
            connection.commit()
            connection.execute("VACUUM")
        BESIDE.mkdir(exist_ok=True)
        for name in ("store.db.evidence", "people.db", "people.db.keys"):
            shutil.copy(name, BESIDE / f"{path.stem}.{name}")
    return note, begun.partition("\n")[0]


def _printed(*arguments: str) -> str:
    return CliRunner().invoke(main, ["evidence", *arguments], catch_exceptions=False).stdout


def _dump(path: Path) -> None:
    """The same store on PostgreSQL, as statements for psql."""
    sys.path.insert(0, str(GOLDEN.parent))
    from pgserver import Server

    with Server() as server:
        url = server.database()
        init(url)
        copy(f"sqlite:///{path}", url)
        told = server.run("pg_dump", "--schema=yibao", "--no-owner", "--no-privileges", url)
    # Newer tools open a dump with a command that older ones do not know.
    lines = [
        line for line in told.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))
    ]
    path.with_suffix(".sql").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _live_through_an_autumn(service: _Noting) -> None:
    """Two students whose facts have, between them, every shape there is."""
    ada, bo = EnrollmentId("ada", 2025), EnrollmentId("bo", 2025)
    for ref, document in (("ada", "resident_id_card"), ("bo", "passport")):
        service.register(
            ref,
            at="2025-09-01 08:30",
            policy="shanghai-2025",
            on="2025-09-01",
            school="sjtu",
            category="undergraduate",
            document=document,
            correlation_id="import-1",
            causation_id="sheet-1",
        )
        service.declare_roster(EnrollmentId(ref, 2025), at="2025-09-02 17:00")
    fixed = service.fix_window(
        "shanghai-2025", at="2025-09-03 10:00", opens_at="2025-09-05 08:00", school="sjtu"
    )
    service.fix_window(
        "shanghai-2025", at="2025-11-20 10:00", closes_on="2025-12-20", category="undergraduate"
    )
    service.correct(
        "shanghai-2025",
        fixed.event_id,
        at="2025-09-04 10:00",
        reason="notice-misread",
        changes={"opens_at": "2025-09-05 09:00"},
    )
    service.declare_other_cover(ada, at="2025-09-04 09:00", kind="employee")
    service.confirm(ada, at="2025-09-06 14:20", channel="app", note="shown on the phone")
    check = service.verify_prior_coverage(
        ada, at="2025-09-06 14:50", lapsed_years=1, waiting_ends_on="2025-11-15"
    )
    service.correct(
        ada,
        check.event_id,
        at="2025-09-08 10:00",
        reason="sheet-misread",
        changes={"waiting_ends_on": None},
        occurred_at="2025-09-06 14:55",
    )
    service.stop_employee_cover(ada, at="2025-09-20 10:00", on="2025-10-01")
    service.change_school(ada, at="2025-10-10 10:00", school="fudan")
    service.build_account(ada, at="2025-12-02 10:00", on="2025-12-01")
    service.activate_evoucher(ada, at="2025-12-02 11:00", channel="alipay")
    service.file_remote_care(ada, at="2025-12-03 10:00", province="jiangsu")
    service.pay_premium(ada, at="2025-12-10 10:00", year=2026)
    service.declare_other_cover(bo, at="2025-09-04 09:00", kind="other_province")
    kept = service.keep_other_cover(bo, at="2025-09-07 09:00", reason="own-wish")
    service.void(bo, kept.event_id, at="2025-09-08 09:00", reason="wrong-student")
    service.confirm(bo, at="2025-09-09 10:00", channel="proxy", observed=True)
    service.issue_medical_card(bo, at="2025-09-12 10:00")
    service.withdraw(bo, at="2025-11-01 10:00", on="2025-11-10")
    _be_ill(service, ada)
    _be_ill(service, bo)


def _go_on_studying(service: _Noting) -> None:
    """The year that follows: paid for with an amount, repaired, fixed to the hour, and left."""
    edition = "shanghai-2026-continuing"
    service.fix_window(edition, at="2025-11-01 10:00", closes_at="2025-12-05 15:00", school="fudan")
    # Bo has left in November, and comes back.
    for ref, on, paid in (
        ("ada", "2025-09-01", "2025-11-20 10:00"),
        ("bo", "2025-11-18", "2026-01-08 10:00"),
    ):
        service.register(
            ref,
            at="2025-11-18 10:00",
            policy=edition,
            on=on,
            school="fudan",
            category="undergraduate",
            document="resident_id_card",
        )
        who = EnrollmentId(ref, LATER)
        service.declare_roster(who, at="2025-11-19 10:00")
        service.pay_premium(who, at=paid, year=LATER, amount="400.00", observed=True)
    service.verify_prior_coverage(
        EnrollmentId("bo", LATER), at="2026-01-09 10:00", lapsed_years=2, years_repaid=1
    )
    service.withdraw(
        EnrollmentId("ada", LATER), at="2026-01-10 10:00", on="2026-01-11", kind="graduated"
    )


def _be_refused(service: Service) -> None:
    """Attempts with everything that is kept of them, one of a value that cannot be read."""
    ada, bo = EnrollmentId("ada", 2025), EnrollmentId("bo", 2025)
    how: dict[str, Any] = {"by": "counter-2", "correlation_id": "desk-7", "causation_id": "call-1"}
    for who, values in ((ada, {"channel": "app"}), (bo, {"channel": "fax"})):
        with suppress(Refused):
            service.confirm(who, at="2025-12-14 10:00", reason="asked-again", **values, **how)
    with suppress(Refused):
        service.register(
            "ada",
            at="2025-12-14 11:00",
            policy="shanghai-2025",
            on="2025-09-02",
            school="fudan",
            category="undergraduate",
            document="passport",
            command_id="again-1",
        )


def _be_ill(service: _Noting, who: EnrollmentId) -> None:
    """Care that is settled, corrected, taken back and settled again, and some elsewhere."""
    visit = service.receive_care(
        who, at="2025-12-10 10:00", on="2025-12-09", setting="outpatient", level="third", cost="500"
    )
    service.settle_care(who, visit.event_id, at="2025-12-10 10:05", paid="90.00", observed=True)
    service.reverse_care(who, visit.event_id, at="2025-12-10 10:10", reason="wrong-amount")
    service.correct(
        who,
        visit.event_id,
        at="2025-12-10 10:15",
        reason="sheet-misread",
        changes={"cost": "480.50", "total_cost": "512.00"},
    )
    service.settle_care(who, visit.event_id, at="2025-12-10 10:20", observed=True)
    service.receive_care(
        who,
        at="2025-12-12 10:00",
        on="2025-12-11",
        setting="inpatient",
        level="first",
        cost="1200.00",
        province="jiangsu",
    )
    service.receive_care(
        who, at="2025-12-12 10:00", on="2025-12-12", setting="campus_clinic", cost="8.88"
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["schemas"]:
        write_schemas()
    elif sys.argv[1:] == ["help"]:
        write_help()
    elif sys.argv[1:2] == ["store"] and len(sys.argv) == 3:
        write_store(sys.argv[2])
    else:
        raise SystemExit(__doc__)
