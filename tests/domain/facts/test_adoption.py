"""The first use of an edition is an event that `decide` returns with the command's own."""

from uuid import UUID

import pytest
from given import edition

from yibao.domain.calendar import read_instant
from yibao.domain.care.claims import Ground, decide_care
from yibao.domain.facts.adoption import EditionInUse
from yibao.domain.facts.commands import Command, FixWindow, ReceiveCare, Register, Void
from yibao.domain.facts.entries import Envelope
from yibao.domain.facts.events import Event
from yibao.domain.facts.streams import EMPTY, Stream, fold
from yibao.domain.lifecycle.decision import decide
from yibao.domain.refusals import NotCorrectable, OutOfStep
from yibao.domain.rules.case import Case
from yibao.domain.vocabulary import EnrollmentId, edition_stream

ADA = EnrollmentId("s1", 2025)
AT = "2025-09-01 08:30"
EDITION = edition_stream("shanghai-2025")
REGISTER = Register.model_validate(
    {
        "at": AT,
        "ref": "s1",
        "policy": "shanghai-2025",
        "on": "2025-09-01",
        "school": "sjtu",
        "category": "undergraduate",
        "document": "passport",
    }
)
FIX = FixWindow.model_validate({"at": AT, "closes_on": "2025-12-20"})
CARE = ReceiveCare.model_validate(
    {"at": AT, "on": "2025-09-01", "setting": "campus_clinic", "cost": "100.00"}
)


def in_use(stream: Stream = EMPTY) -> EditionInUse:
    return EditionInUse(edition(), stream, "registrar")


def envelope(stream: UUID, number: int = 1) -> Envelope:
    stamp = read_instant("2025-09-01 09:00")
    return Envelope(stream, stamp, UUID(int=number), "officer-7", "test", f"c{number}", "d")


def on_the_edition(command: Command, stream: Stream = EMPTY) -> list[Event]:
    return decide(stream, command, in_use(stream), envelope(EDITION, 2))


def enrolled(stream: Stream = EMPTY) -> list[Event]:
    return decide(EMPTY, REGISTER, in_use(stream), envelope(ADA.stream))


def places(events: list[Event]) -> list[tuple[str, UUID, int]]:
    return [(event.name, event.originator_id, event.originator_version) for event in events]


def test_the_first_registration_under_an_edition_adopts_it() -> None:
    assert places(enrolled()) == [
        ("edition-adopted", EDITION, 1),
        ("registered", ADA.stream, 1),
    ]


def test_the_next_registration_does_not() -> None:
    used = fold(enrolled()[:1])
    assert places(enrolled(used)) == [("registered", ADA.stream, 1)]


def test_the_first_window_of_an_edition_comes_after_its_adoption() -> None:
    assert places(on_the_edition(FIX)) == [
        ("edition-adopted", EDITION, 1),
        ("window-fixed", EDITION, 2),
    ]


@pytest.mark.parametrize("seen", [0, 1])
def test_who_has_seen_nothing_of_an_edition_may_say_so(seen: int) -> None:
    assert len(on_the_edition(FIX.model_copy(update={"expected_version": seen}))) == 2


def test_who_has_seen_more_than_there_is_cannot_fix_a_window() -> None:
    with pytest.raises(OutOfStep):
        on_the_edition(FIX.model_copy(update={"expected_version": 2}))


def test_of_an_unused_edition_nothing_can_be_taken_back() -> None:
    void = Void.model_validate({"at": AT, "fact_id": UUID(int=9), "reason": "misread"})
    with pytest.raises(NotCorrectable):
        on_the_edition(void)


def test_an_adoption_is_recorded_in_the_name_of_who_keeps_the_store_with_ids_of_its_own() -> None:
    adopted, registered = enrolled()
    assert (adopted.by, adopted.via, registered.by) == ("registrar", "test", "officer-7")
    assert adopted.event_id != registered.event_id
    assert adopted.command_id != registered.command_id
    assert (adopted.command_digest, adopted.payload()) == (
        "",
        {"policy": "shanghai-2025", "digest": edition().digest},
    )


def test_the_first_care_under_an_edition_adopts_its_benefits_in_the_order_of_its_stream() -> None:
    adopted, registered = enrolled()
    later = adopted.model_copy(update={"recorded_at": read_instant("2025-09-03 09:00")})
    student, used = fold([registered]), fold([later])
    ground = Ground(Case(edition(), student.facts), student.version, in_use(used))
    events = decide_care(EMPTY, CARE, ground, envelope(ADA.care_stream, 3))
    assert places(events) == [
        ("benefits-adopted", EDITION, 2),
        ("care-received", ADA.care_stream, 1),
    ]
    assert events[0].recorded_at == later.recorded_at
    used = fold([later, events[0]])
    ground = Ground(ground.case, student.version, in_use(used))
    again = decide_care(EMPTY, CARE, ground, envelope(ADA.care_stream, 4))
    assert places(again) == [("care-received", ADA.care_stream, 1)]
