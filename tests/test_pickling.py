"""What is raised and what is answered can be sent to another process, and stays what it was."""

import copy
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, Final
from uuid import UUID

import pytest
from given import sheet

import yibao
from yibao import commands
from yibao.adapters.editions.yaml_source import SourceError
from yibao.adapters.office.reading import UnreadableTable
from yibao.domain.calendar import read_instant
from yibao.domain.facts.commands import ASKED
from yibao.domain.money import Fen
from yibao.domain.refusals import BadValue, NotCorrectable, NotPermitted, OutOfStep, Refused
from yibao.domain.vocabulary import Word
from yibao.projections.answer import answer

ADA = yibao.EnrollmentId("s1", 2025)

AGAIN: list[Callable[[Any], Any]] = [
    *[lambda it, way=way: pickle.loads(pickle.dumps(it, way)) for way in range(6)],
    copy.copy,
    copy.deepcopy,
]


def kinds() -> list[type[yibao.YibaoError]]:
    """Every class of what yibao raises on purpose, in whatever module it is."""
    for module in walk_packages(yibao.__path__, "yibao."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)
    found = [yibao.YibaoError]
    for kind in found:
        found += kind.__subclasses__()
    return found


#: The enumerations.
WORDS: Final = Word.__subclasses__()

RAISED: dict[type[yibao.YibaoError], yibao.YibaoError] = {
    Refused: Refused("no_such_fact"),
    NotPermitted: NotPermitted("withdrawn"),
    NotCorrectable: NotCorrectable("superseded"),
    OutOfStep: OutOfStep("version_conflict", expected=1, found=2),
    BadValue: BadValue("on", "day is out of range for month"),
    SourceError: SourceError("story.yaml", 8, 5, "unknown key 'at'"),
    UnreadableTable: UnreadableTable("it is damaged").of("roster.xlsx"),
}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_whatever_is_raised_is_pickled_and_copied_as_it_is(kind: type[yibao.YibaoError]) -> None:
    error = RAISED.get(kind) or kind("the store failed")
    error.add_note("while importing")
    for again in AGAIN:
        back = again(error)
        assert type(back) is kind
        assert (str(back), back.args, vars(back)) == (str(error), error.args, vars(error))


def test_answers_receipts_and_what_else_is_returned_are_pickled_and_copied() -> None:
    for it in (*returned(), *made()):
        for again in AGAIN:
            back = again(it)
            assert (type(back), back) == (type(it), it)


def test_nothing_public_is_left_out() -> None:
    """A class is told here, or raised, or one of a few words; or it is nothing to be sent."""
    told = {type(one) for it in (*returned(), *made()) for one in within(it)}
    told |= {yibao.Record, *kinds(), *(kind for kind in WORDS)}
    public = {getattr(yibao, name) for name in yibao.__all__}
    public |= {getattr(commands, name) for name in commands.__all__}
    stay = {yibao.Service, yibao.AuditTrail, yibao.Editions, yibao.Telemetry}
    # Of what these have found the parts are told.
    stay |= {yibao.CohortView, yibao.WhatIf}
    assert {
        kind.__name__
        for kind in public - stay
        if inspect.isclass(kind) and not any(issubclass(each, kind) for each in told)
    } == set()


def within(it: Any) -> Iterator[Any]:
    """A value, and those that it is made of."""
    yield it
    parts = list(it) if isinstance(it, list | tuple) else list(vars(it).values() if has(it) else ())
    parts += [getattr(it, name) for name in getattr(it, "__slots__", ()) if hasattr(it, name)]
    for part in parts:
        yield from within(part)


def has(it: Any) -> bool:
    return hasattr(it, "__dict__") and type(it).__module__.startswith("yibao.")


@pytest.mark.parametrize("kind", WORDS, ids=lambda kind: kind.__name__)
def test_a_word_is_one_and_the_same(kind: type[Word]) -> None:
    for word in kind:
        for again in AGAIN:
            assert again(word) is word


def test_a_record_answers_where_it_is_sent_as_it_did_where_it_was_read() -> None:
    with yibao.open("memory:", by="officer", clock=lambda: NOW) as service:
        service.register("s1", **sheet(note="by hand"))
        service.declare_roster(ADA, at="2025-09-02 17:00")
        service.confirm(ADA, at="2025-09-06 14:20", channel="app")
        service.fix_window("shanghai-2025", at="2025-09-07 10:00", closes_on="2025-12-19")
        with pytest.raises(NotCorrectable):
            service.void(ADA, UUID(int=1), at="2025-11-01 10:00", reason="misread")
        record = service.read(ADA)
        for it in (record, service.read(yibao.EnrollmentId("s2", 2025))):
            for again in AGAIN:
                back = again(it)
                assert answer(back, NOW, back.latest) == answer(it, NOW, it.latest)
                assert (back.now, back.attempts, back.notes) == (it.now, it.attempts, it.notes)
                assert back.known_by(0) == it.known_by(0)
    assert len(record.attempts) == 1


def test_a_record_that_was_sent_equals_itself_and_no_other() -> None:
    with yibao.open("memory:", by="officer", clock=lambda: NOW) as service:
        service.register("s1", **sheet(note="by hand"))
        early = service.read(ADA)
        service.declare_roster(ADA, at="2025-09-02 17:00")
        service.fix_window("shanghai-2025", at="2025-09-07 10:00", closes_on="2025-12-19")
        record = service.read(ADA)
        with pytest.raises(NotCorrectable):
            service.void(ADA, UUID(int=1), at="2025-11-01 10:00", reason="misread")
        tried, next_year = service.read(ADA), service.read(yibao.EnrollmentId("s1", 2026))
        service.fix_window("shanghai-2025", at="2025-09-08 10:00", closes_on="2025-12-20")
        fixed = service.read(ADA)
    others = [early, record, tried, next_year, fixed]
    for number, it in enumerate(others):
        for again in AGAIN:
            assert again(it) == it
            assert hash(again(it)) == hash(it)
        assert [other == it for other in others].count(True) == 1, number
    assert record != "s1"


@pytest.mark.parametrize("again", AGAIN, ids=range(len(AGAIN)))
def test_what_is_a_process_s_own_says_so(again: Callable[[Any], Any]) -> None:
    with yibao.open("memory:") as service, service.audit_trail() as trail:
        for own in (service, trail):
            with pytest.raises(TypeError, match="process's own: open"):
                again(own)


def test_an_edition_that_was_pickled_still_has_its_digests() -> None:
    with yibao.open("memory:") as service:
        policy = service.editions.get("shanghai-2025")
        back = pickle.loads(pickle.dumps(policy))
        assert (back.digest, back.benefits_digest) == (policy.digest, policy.benefits_digest)


def returned() -> Iterator[Any]:
    """Something of each kind that the service returns."""
    with yibao.open("memory:", by="officer", clock=lambda: NOW) as service:
        fact = service.register("s1", **sheet())
        service.declare_roster(ADA, at="2025-09-02 17:00")
        service.confirm(ADA, at="2025-09-06 14:20", channel="app")
        service.fix_window("shanghai-2025", at="2025-09-07 10:00", closes_on="2025-12-19")
        bill: dict[str, Any] = {
            "on": "2025-10-10",
            "setting": "outpatient",
            "level": "third",
            "cost": "900.00",
        }
        service.verify_prior_coverage(ADA, at="2025-09-06 15:00", lapsed_years=0)
        service.confirm(ADA, at="2025-09-08 10:00", channel="app", observed=True)
        care = service.receive_care(ADA, at="2025-10-10 10:00", **bill)
        service.settle_care(ADA, care.event_id, at="2025-10-10 10:05")
        service.correct(
            ADA, care.event_id, at="2025-11-01 10:00", reason="misread", changes={"cost": "800.00"}
        )
        yield care
        yield service.correct(
            ADA, fact.event_id, at="2025-11-01 10:00", reason="misread", changes={"school": "ecnu"}
        )
        with pytest.raises(NotCorrectable):
            service.void(ADA, UUID(int=1), at="2025-11-01 10:00", reason="misread")
        yield service.at(ADA)
        yield service.at(yibao.EnrollmentId("s2", 2025))
        yield service.compare(ADA, 1)
        yield service.review(ADA)
        yield service.quote(ADA, **bill)
        yield service.history(ADA, "coverage")
        yield service.trail_of(ADA)
        yield service.refused_attempts(ADA)
        yield service.possible(ADA)
        yield service.moments(ADA)
        yield service.possible(ADA)
        yield service.moments(ADA)
        yield service.read(ADA).notes
        yield service.facts(ADA)
        yield service.possible(ADA)
        with service.audit_trail() as trail:
            yield trail.page(yibao.Question())
        yield service.due()
        cohort = service.cohort()
        yield cohort.count()
        yield cohort.page()
        answered = service.at(ADA)
        outcome = yibao.Outcome(ADA, "sjtu", None, None, 31, Fen(0), Fen(800))
        yield yibao.Effects().with_one(outcome), yibao.Example(outcome, answered, answered)


def made() -> Iterator[Any]:
    """Something of each kind that one makes oneself."""
    for kind in ASKED.values():
        values = VALUES | ({"kind": "graduated"} if kind.name == "withdraw" else {})
        values = {key: value for key, value in values.items() if key in kind.model_fields}
        yield kind.model_validate(values)
    yield yibao.Question(ref="s1")
    yield yibao.StoreSettings(pool_max=4)
    yield yibao.WaitingPeriod(NOW.date(), NOW.date(), None)


#: What a command of any kind may be told.
VALUES: Final = {
    "at": "2025-09-06 14:20",
    "ref": "s1",
    "policy": "shanghai-2025",
    "on": "2025-09-01",
    "school": "sjtu",
    "category": "undergraduate",
    "document": "passport",
    "kind": "employee",
    "channel": "app",
    "lapsed_years": 1,
    "province": "jiangsu",
    "year": 2026,
    "closes_on": "2025-12-19",
    "setting": "campus_clinic",
    "cost": "8.88",
    "care": UUID(int=1),
    "fact_id": UUID(int=2),
    "reason": "misread",
    "changes": {"on": "2025-09-02"},
}
NOW = read_instant("2025-12-31 12:00")

POOL = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import yibao

ADA = yibao.EnrollmentId("s1", 2025)


def confirm(at):
    with yibao.open("memory:") as service:
        return service.confirm(ADA, at=at, channel="app")


if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for asked in [pool.submit(confirm, at) for at in ("2025-09-06 14:20", "soon")]:
            error = asked.exception(timeout=60)
            print(type(error).__name__, error.code, *error.details)
"""


def test_a_pool_of_processes_gets_the_refusal_and_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(POOL, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(script)],
        env={"PYTHONPATH": str(Path(__file__).parents[1] / "src")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.stdout, ran.stderr) == (
        "NotPermitted not_registered\nBadValue bad_value where why\n",
        "",
    )
