"""Several threads and processes at one student's care: paid once, the deductible used once."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from yibao.adapters.service.service import Service, open_service
from yibao.domain.facts.events import CareReceived, Event
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import EnrollmentId

from ..helpers.stores import lasting
from ..helpers.writers import Asked, Nursery, Step, registration, together, told

REF = "s-crowded"
ADA = EnrollmentId(REF, 2025)
THREADS = 8
PROCESSES = 4
SHARES = {"first": Decimal("0.7"), "second": Decimal("0.6"), "third": Decimal("0.5")}


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    with Nursery(tmp_path, preload=["yibao.adapters.store.postgres.recorder"]) as nursery:
        yield nursery


@pytest.fixture
def service(url: str) -> Iterator[Service]:
    """A store with one student in it who is covered from 1 September."""
    autumn: list[Asked] = [
        registration(REF, "registration"),
        ("declare_roster", {"at": "2025-09-02 17:00", "command_id": "roster"}),
        ("confirm", {"at": "2025-09-06 14:20", "channel": "app", "command_id": "confirmation"}),
        (
            "verify_prior_coverage",
            {"at": "2025-09-06 14:50", "lapsed_years": 0, "command_id": "check"},
        ),
    ]
    with open_service(url) as service:
        assert told(service, Step(REF, autumn)).versions == [1, 2, 3, 4]
        yield service


def visit(command_id: str, number: int) -> Asked:
    """An outpatient visit; what it costs and where follows from its number."""
    return "receive_care", {
        "at": "2025-10-01 17:00",
        "on": "2025-10-01",
        "setting": "outpatient",
        "level": ("first", "second", "third")[number % 3],
        "cost": f"{31 + number * 7}.{number % 10}5",
        "command_id": command_id,
    }


def plan(writer: int, steps: int) -> list[Step]:
    """Single visits and small transactions of them."""
    return [
        Step(
            REF,
            [
                visit(f"w{writer}.{number}.{place}", writer + number + place)
                for place in range(1 + number % 3)
            ],
        )
        for number in range(steps)
    ]


def received(service: Service) -> list[CareReceived]:
    return [event for event in service.care_facts(ADA) if isinstance(event, CareReceived)]


def yuan(amount: object) -> Decimal:
    return Decimal(str(amount))


def paid_in_the_order_of_recording(service: Service) -> None:
    """Every amount is the one that the order of the stream gives, worked out here by hand."""
    left, fund = Decimal(300), []
    for event in received(service):
        cost = yuan(event.cost)
        used = min(cost, left)
        left -= used
        share = (cost - used) * SHARES[str(event.level)]
        fund.append(share.quantize(Decimal("0.01"), ROUND_HALF_UP))
    care = service.at(ADA).care
    assert [yuan(each.fund_pays.value) for each in care] == fund
    assert sum(yuan(each.deductible_used.value) for each in care) == Decimal(300) - left == 300
    assert str(care[-1].deductible_left.value) == "0.00"


def each_is_there_once(service: Service, plans: Sequence[Sequence[Step]]) -> None:
    """Every visit is in the stream once; those asked for together stand together."""
    stream = service.care_facts(ADA)
    asked = [command_id for steps in plans for step in steps for command_id in step.ids]
    assert Counter(event.command_id for event in stream) == Counter(asked)
    assert [event.originator_version for event in stream] == list(range(1, len(asked) + 1))
    place = {event.command_id: event.originator_version for event in stream}
    for step in (step for steps in plans for step in steps):
        taken = [place[command_id] for command_id in step.ids]
        assert taken == list(range(taken[0], taken[0] + len(taken)))
    for event, follower in pairwise(stream):
        assert event.recorded_at <= follower.recorded_at


def benefits_adopted_once(service: Service) -> None:
    names = [event.name for event in service.window_facts("shanghai-2025")]
    assert names == ["edition-adopted", "benefits-adopted"]


def test_threads_that_record_care_at_once_use_the_deductible_once(service: Service) -> None:
    plans = [plan(writer, 6) for writer in range(THREADS)]

    def carried_out(steps: list[Step]) -> Callable[[], list[str | None]]:
        return lambda: [told(service, step).refused for step in steps]

    refused = together([carried_out(steps) for steps in plans])
    assert refused == [[None] * 6] * THREADS
    each_is_there_once(service, plans)
    paid_in_the_order_of_recording(service)
    benefits_adopted_once(service)


@lasting
def test_processes_that_record_care_at_once_use_the_deductible_once(
    nursery: Nursery, url: str, service: Service
) -> None:
    plans = [plan(writer, 12) for writer in range(PROCESSES)]
    answers = nursery.race(url, plans, threads=2)
    assert all(not each.refused and not each.failed for one in answers for each in one)
    each_is_there_once(service, plans)
    paid_in_the_order_of_recording(service)
    benefits_adopted_once(service)


@lasting
def test_the_same_care_sent_by_everybody_is_received_once(
    nursery: Nursery, url: str, service: Service
) -> None:
    steps = plan(0, 10)
    answers = nursery.race(url, [steps] * PROCESSES)
    for races in zip(*answers, strict=True):
        assert not any(each.refused or each.failed for each in races)
        assert len({tuple(each.versions) for each in races}) == 1
        assert sum(not any(each.repeated) for each in races) == 1
    each_is_there_once(service, [steps])
    paid_in_the_order_of_recording(service)


@lasting
def test_whoever_asks_while_care_is_recorded_never_sees_the_deductible_used_twice(
    nursery: Nursery, url: str, service: Service
) -> None:
    plans = [plan(writer, 20) for writer in range(2)]
    writers = [nursery.bear(url, steps) for steps in plans]
    seen: list[list[tuple[str, str]]] = []
    while not all(len(writer.told()) == 20 for writer in writers):
        for answer in (service.at(ADA), *service.everyone()):
            care = answer.care
            assert sum(yuan(each.deductible_used.value) for each in care) <= 300
            assert answer.care_version == len(care)
            seen.append([(str(e.care.first.event_id), str(e.fund_pays.value)) for e in care])
    assert [nursery.end_of(writer) for writer in writers] == [0, 0]
    each_is_there_once(service, plans)
    paid_in_the_order_of_recording(service)
    # What a bill was assessed at does not move when later ones are recorded.
    for earlier, later in pairwise(seen):
        assert later[: len(earlier)] == earlier


def received_bills(service: Service, number: int) -> list[UUID]:
    """That many visits of 500 yuan, one after the other."""
    return [
        service.receive_care(
            ADA,
            at="2025-10-01 17:00",
            on="2025-10-01",
            setting="outpatient",
            level="third",
            cost="500.00",
        ).event_id
        for _ in range(number)
    ]


def outcome(ask: Callable[[], object]) -> str:
    """The code with which it was refused, or nothing."""
    try:
        ask()
    except Refused as refused:
        return refused.code
    return ""


def settled_once(events: Sequence[Event], bills: Sequence[UUID]) -> None:
    settled = [event for event in events if event.name == "care-settled"]
    assert sorted(str(event.payload()["care"]) for event in settled) == sorted(map(str, bills))
    funds = {str(event.payload()["care"]): str(event.payload()["fund_paid"]) for event in settled}
    assert [funds[str(bill)] for bill in bills] == [
        "100.00",
        *["250.00"] * (len(bills) - 1),
    ]


def test_of_eight_threads_that_settle_the_same_care_one_settles_it(service: Service) -> None:
    bills = received_bills(service, 5)
    for bill in bills:

        def settle(bill: UUID = bill) -> str:
            return outcome(lambda: service.settle_care(ADA, bill, at="2025-10-01 18:00"))

        codes = together([settle] * THREADS)
        assert sorted(codes) == ["", *["already_settled"] * (THREADS - 1)]
    settled_once(service.care_facts(ADA), bills)


def test_the_same_settlement_sent_by_eight_threads_is_one_and_a_success_for_each(
    service: Service,
) -> None:
    (bill,) = received_bills(service, 1)

    def settle() -> tuple[UUID, bool]:
        receipt = service.settle_care(ADA, bill, at="2025-10-01 18:00", command_id="settle-1")
        return receipt.event_id, receipt.repeated

    answers = together([settle] * THREADS)
    assert len({event_id for event_id, _ in answers}) == 1
    assert sorted(repeated for _, repeated in answers) == [False, *[True] * (THREADS - 1)]
    settled_once(service.care_facts(ADA), [bill])


#: Settles every bill named, as soon as it is told to, and prints what came of it.
WORKER = """
import json, sys, yibao
url, ref, how, *bills = sys.argv[1:]
ada = yibao.EnrollmentId(ref, 2025)
with yibao.open(url, by="racer") as service:
    print("ready", flush=True)
    sys.stdin.readline()
    codes = []
    for bill in bills:
        try:
            service.settle_care(ada, bill, at="2025-10-01 18:00", observed=how == "report")
            codes.append("")
        except yibao.Refused as refused:
            codes.append(refused.code)
print(json.dumps(codes))
"""


def raced(url: str, bills: Sequence[UUID], how: Sequence[str]) -> list[list[str]]:
    """One process for each way to settle, all let go together; what each was told, bill by bill."""
    source = str(Path(__file__).parents[3] / "src")
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, url, REF, each, *map(str, bills)],
            env={"PYTHONPATH": source},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for each in how
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    told_ = []
    for worker in workers:
        out, errors = worker.communicate(timeout=60)
        assert (worker.returncode, errors) == (0, "")
        told_.append(json.loads(out))
    return told_


@lasting
def test_of_four_processes_that_settle_the_same_care_one_settles_it(
    url: str, service: Service
) -> None:
    bills = received_bills(service, 20)
    answers = raced(url, bills, ["request", "request", "report", "report"])
    for codes in zip(*answers, strict=True):
        assert sorted(codes) == ["", *["already_settled"] * (PROCESSES - 1)]
    settled_once(service.care_facts(ADA), bills)


def test_settling_and_reversing_at_once_always_take_turns(service: Service) -> None:
    (bill,) = received_bills(service, 1)

    def settle() -> list[str]:
        return [
            outcome(lambda: service.settle_care(ADA, bill, at="2025-10-01 18:00"))
            for _ in range(10)
        ]

    def reverse() -> list[str]:
        return [
            outcome(lambda: service.reverse_care(ADA, bill, at="2025-10-01 18:00"))
            for _ in range(10)
        ]

    answers = together([settle, reverse] * (THREADS // 2))
    names = [event.name for event in service.care_facts(ADA)[1:]]
    assert names == [("care-settled", "care-reversed")[turn % 2] for turn in range(len(names))]
    codes = Counter(code for one in answers for code in one)
    assert set(codes) <= {"", "already_settled", "not_settled"}
    assert codes[""] == len(names) >= 1
    settled = service.at(ADA).care[0].care.settled
    assert (settled is not None) == (names[-1] == "care-settled")
    reversed_ = [str(e.payload()["settlement"]) for e in service.care_facts(ADA)[2::2]]
    assert (
        reversed_
        == [str(event.event_id) for event in service.care_facts(ADA)[1::2]][: len(reversed_)]
    )


def test_care_and_the_enrollment_it_is_judged_on_do_not_pass_each_other(
    service: Service,
) -> None:
    """Whoever settles while a withdrawal is recorded settles on what stood before or after it."""
    bills = received_bills(service, 12)

    def settle(bill: UUID) -> Callable[[], str]:
        return lambda: outcome(lambda: service.settle_care(ADA, bill, at="2025-10-02 09:00"))

    def leave() -> str:
        return outcome(lambda: service.withdraw(ADA, at="2025-10-02 09:00", on="2025-09-20"))

    codes = together([*(settle(bill) for bill in bills[:6]), leave, *map(settle, bills[6:])])
    assert set(codes) <= {"", "withdrawn"}
    assert codes[6] == ""
    settled = [event for event in service.care_facts(ADA) if event.name == "care-settled"]
    assert len(settled) == codes.count("") - 1
    assert {event.payload()["enrollment_version"] for event in settled} <= {4}
