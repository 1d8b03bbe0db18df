"""What happened: frozen facts with permanent stored names."""

from typing import Any
from uuid import UUID

import pytest
from given import confirmed, fix_window, given, registered, told
from pydantic import ValidationError

from yibao.domain.facts.events import EVENTS, Confirmed, Fact, WindowFixed

ENVELOPE: dict[str, Any] = {
    "event_id": UUID(int=1),
    "occurred_at": "2025-09-06T14:20:00+08:00",
    "recorded_at": "2025-09-06T14:20:00+08:00",
    "by": "tester",
    "via": "test",
    "command_id": "c1",
    "command_digest": "d1",
    "channel": "app",
}


def test_an_event_cannot_be_changed() -> None:
    event = given(registered("2025-09-01")).recorded[0]
    with pytest.raises(ValidationError):
        event.by = "somebody-else"


def test_an_event_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="color"):
        Confirmed.model_validate(ENVELOPE | {"color": "red"})


def test_an_event_of_another_schema_is_refused() -> None:
    with pytest.raises(ValidationError, match="schema"):
        Confirmed.model_validate(ENVELOPE | {"schema": 2})


def test_the_stream_and_the_place_are_not_part_of_what_is_stored() -> None:
    stored = set(given(registered("2025-09-01")).recorded[0].model_dump())
    assert not {"originator_id", "originator_version"} & stored


def test_a_stored_event_is_read_back_as_it_was() -> None:
    event = given(registered("2025-09-01")).recorded[0]
    read = EVENTS[event.name].model_validate_json(event.model_dump_json(by_alias=True))
    assert read.payload() == event.payload()


def test_the_payload_is_what_the_fact_says_without_its_envelope() -> None:
    student = given(registered("2025-09-01"), confirmed("2025-09-06 14:20", "wechat"))
    assert student.recorded[1].payload() == {"channel": "wechat"}


def test_a_fact_carries_when_it_happened_and_when_it_was_learned() -> None:
    event = given(registered("2025-09-01", recorded="2025-09-03 09:00")).recorded[0]
    assert (told(event.occurred_at), told(event.recorded_at)) == (
        "2025-09-01 00:00",
        "2025-09-03 09:00",
    )


def test_an_observed_fact_says_that_it_is_a_report() -> None:
    event = given(registered("2025-09-01"), confirmed("2025-09-06 14:20")).recorded[1]
    assert isinstance(event, Fact)
    assert event.observed


@pytest.mark.parametrize(
    ("values", "opens"),
    [
        ({"opens_on": "2025-09-06"}, "2025-09-06 00:00"),
        ({"opens_at": "2025-09-06 08:30"}, "2025-09-06 08:30"),
        ({"closes_on": "2025-12-20"}, "none"),
    ],
    ids=["a day", "an instant", "only the end"],
)
def test_a_fix_opens_the_window_at_an_instant_or_leaves_it_open(
    values: dict[str, str], opens: str
) -> None:
    fix = given(fix_window("2025-09-03 09:00", **values)).fixed[0]
    assert isinstance(fix, WindowFixed)
    assert told(fix.opens) == opens
