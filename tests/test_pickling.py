"""What is raised and what is answered can be sent to another process, and stays what it was."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any
from uuid import UUID

import pytest
from given import sheet

import yibao
from yibao.adapters.editions.yaml_source import SourceError
from yibao.domain.calendar import read_instant
from yibao.domain.refusals import BadValue, NotCorrectable, NotPermitted, OutOfStep, Refused

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


RAISED: dict[type[yibao.YibaoError], yibao.YibaoError] = {
    Refused: Refused("no_such_fact"),
    NotPermitted: NotPermitted("withdrawn"),
    NotCorrectable: NotCorrectable("superseded"),
    OutOfStep: OutOfStep("version_conflict", expected=1, found=2),
    BadValue: BadValue("on", "day is out of range for month"),
    SourceError: SourceError("story.yaml", 8, 5, "unknown key 'at'"),
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
    for it in returned():
        for again in AGAIN:
            assert again(it) == it


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
        yield service.receive_care(ADA, at="2025-10-10 10:00", **bill)
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
        yield service.facts(ADA)
        with service.audit_trail() as trail:
            yield trail.page(yibao.Question())


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
