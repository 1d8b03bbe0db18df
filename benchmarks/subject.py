"""What is measured: students with eight facts each, and the stores that hold them."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.facts import FactStore, open_store
from yibao.domain.calendar import SHANGHAI
from yibao.domain.facts import events
from yibao.domain.vocabulary import EnrollmentId

POLICY = "shanghai-2025"
FACTS = 8
#: Stamps only grow: the window is fixed before anything else is recorded, and all is asked at noon.
BEFORE = datetime(2025, 8, 20, 12, 0, tzinfo=SHANGHAI)
NOON = datetime(2025, 12, 10, 12, 0, tzinfo=SHANGHAI)


def ref(number: int) -> str:
    return f"s-{number:06d}"


def enrollment(number: int) -> EnrollmentId:
    return EnrollmentId(ref(number), 2025)


def facts_of(number: int) -> list[events.Event]:
    """A student's autumn, from the registration to a filing for care elsewhere."""
    stream = enrollment(number).stream
    start = datetime(2025, 9, 6, 8, 0, tzinfo=SHANGHAI) + timedelta(minutes=number % 600)

    def fact(kind: type[events.Fact], version: int, at: datetime, **values: object) -> events.Event:
        return kind.model_validate(
            {
                "originator_id": stream,
                "originator_version": version,
                "event_id": UUID(int=number * FACTS + version),
                "occurred_at": at,
                "recorded_at": at,
                "by": "officer-7",
                "via": "roster",
                "command_id": f"c-{number}-{version}",
                "command_digest": f"{number:032x}",
                **values,
            }
        )

    return [
        fact(
            events.Registered,
            1,
            start - timedelta(days=5),
            ref=ref(number),
            policy=POLICY,
            on=(start - timedelta(days=5)).date(),
            school=f"school-{number % 40}",
            category="undergraduate",
            document="passport" if number % 50 == 0 else "resident_id_card",
        ),
        fact(events.RosterDeclared, 2, start - timedelta(days=4)),
        fact(events.Confirmed, 3, start, channel="app"),
        fact(
            events.PriorCoverageVerified,
            4,
            start + timedelta(minutes=30),
            lapsed_years=1 if number % 10 == 0 else 0,
        ),
        fact(events.AccountBuilt, 5, start + timedelta(days=90), on="2025-12-01"),
        fact(events.EvoucherActivated, 6, start + timedelta(days=91), channel="alipay"),
        fact(events.PremiumPaid, 7, start + timedelta(days=92), year=2026),
        fact(events.RemoteCareFiled, 8, start + timedelta(days=93), province="jiangsu"),
    ]


def fill(store: FactStore, students: int, *, batch: int = 500) -> None:
    """Puts students with all their facts into a store, some hundred a transaction."""
    gathered: list[events.Event] = []
    for number in range(students):
        gathered.extend(facts_of(number))
        if len(gathered) >= batch * FACTS or number == students - 1:
            with store.transaction() as transaction:
                transaction.append(gathered)
            gathered = []


def filled_service(path: Path, students: int) -> Service:
    """A service on a file that holds that many students, and has adopted the edition."""
    url = f"sqlite:///{path}"
    with open_service(url, clock=lambda: BEFORE) as service:
        service.fix_window(POLICY, at=BEFORE, opens_on="2025-09-05")
    store = open_store(url)
    fill(store, students)
    store.close()
    return open_service(url, clock=lambda: NOON)
