"""Whatever is asked of the years of a student: every store decides it alike, as it was judged."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from yibao.adapters.service.service import Service, open_service
from yibao.domain.facts import commands
from yibao.domain.facts.commands import Command
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import EnrollmentId
from yibao.testing import Clock, clock_at

from ...domain.lifecycle.test_laws import said
from ..helpers.stores import emptied, lasting
from ..helpers.years import REF, SHEET, editions_of

POLICIES: Final = {2025: "shanghai-2025", 2026: "continuing-2026", 2027: "continuing-2027"}
#: When one registers for each.
MOMENTS: Final = {2025: "2025-09", 2026: "2025-11", 2027: "2026-11"}


def something(chance: random.Random, year: int, seen: Any) -> Command:
    """What may be asked about a year, fit or not; some of it by who has seen something."""
    told: dict[str, Any] = {"observed": chance.random() < 0.3}
    if chance.random() < 0.2:
        told["expected"] = seen
    day = f"{year - chance.randint(0, 1)}-{chance.randint(9, 12):02}-{chance.randint(1, 28):02}"
    kinds: list[tuple[type[Command], dict[str, Any]]] = [
        (commands.DeclareRoster, told),
        (commands.Confirm, {"channel": "app", **told}),
        (commands.PayPremium, {"year": year, **told}),
        (commands.PayPremium, {"year": year + 1, **told}),
        (commands.VerifyPriorCoverage, {"lapsed_years": chance.randint(0, 2), **told}),
        (commands.DeclareOtherCover, {"kind": "employee", **told}),
        (commands.StopEmployeeCover, {"on": day, **told}),
        (commands.KeepOtherCover, told),
        (commands.ActivateEvoucher, {"channel": "alipay", **told}),
        (commands.Withdraw, {"on": day, **told}),
        (commands.IssueMedicalCard, told),
        (commands.ReceiveCare, {"on": day, "setting": "campus_clinic", "cost": "20.00"}),
    ]
    kind, values = chance.choice(kinds)
    return kind.model_validate(values)


def outcome(service: Service, whose: EnrollmentId, command: Command) -> tuple[Any, ...]:
    """What comes of a command, which is what was judged, and what an answer then stands on."""
    judged = service.judge(whose, command)
    (reply,) = service.record_each([(whose, command)])
    if isinstance(reply, Refused):
        assert judged
        assert (judged.code, judged.details) == (reply.code, reply.details)
        return reply.code, reply.details
    assert judged is None
    assert reply.seen == service.at(whose).seen  # type: ignore[union-attr]
    return reply.version, reply.recorded_at, reply.seen  # type: ignore[union-attr]


def a_student(chance: random.Random, clock: Clock, one: Service, other: Service) -> Iterator[str]:
    """Three years of somebody in two stores, in each of which anything may happen; the refusals."""
    for year, moment in MOMENTS.items():
        clock.move_to(f"{moment}-15 09:00")
        enter = commands.Register.model_validate(
            SHEET | {"on": "2025-09-01", "policy": POLICIES[year]}
        )
        asked: list[tuple[EnrollmentId, Command]] = [(EnrollmentId(REF, year), enter)]
        for day in range(16, 28):
            whose, command = asked.pop() if asked else anything(chance, year, one)
            came = outcome(one, whose, command)
            assert outcome(other, whose, command) == came
            if isinstance(came[0], str):
                yield came[0]
            clock.move_to(f"{moment}-{day} 10:00")


def anything(chance: random.Random, year: int, service: Service) -> tuple[EnrollmentId, Command]:
    """Something about this year or one before it."""
    whose = EnrollmentId(REF, chance.choice([each for each in POLICIES if each <= year]))
    seen = service.at(whose, known_at=chance.choice([1, None])).seen
    return whose, something(chance, whose.year, seen)


@lasting
def test_every_store_decides_alike_and_answers_alike(url: str, tmp_path: Path) -> None:
    policies = editions_of(tmp_path / "policies", 2026, 2027)
    chance = random.Random(20260101)
    refused = set[str]()
    for _ in range(4):
        clock = clock_at("2025-09-01 09:00")
        with (
            open_service(emptied(url), clock=clock, policies=policies) as one,
            open_service("memory:", clock=clock, policies=policies) as other,
        ):
            refused.update(a_student(chance, clock, one, other))
            clock.move_to("2027-06-01 12:00")
            for year in POLICIES:
                answers = [service.at(EnrollmentId(REF, year)) for service in (one, other)]
                assert said(answers[0]) == said(answers[1])
                assert answers[0].seen == answers[1].seen
    assert {"already_confirmed", "version_conflict", "withdrawn"} <= refused
