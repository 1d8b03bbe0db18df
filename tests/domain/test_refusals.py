"""Why something was not done: the codes, their reasons, and the tree of exceptions."""

import pytest

from yibao.domain.lifecycle.guards import GUARDS
from yibao.domain.refusals import (
    REASONS,
    AlteredEdition,
    BadValue,
    NotCorrectable,
    NotPermitted,
    OutOfStep,
    Refused,
    UnknownCutoff,
    UnknownEdition,
    UnreadableEvent,
    YibaoError,
)


def test_every_guard_has_a_reason_a_person_can_read() -> None:
    assert set(GUARDS) < set(REASONS)


def test_a_refusal_carries_its_code() -> None:
    assert NotPermitted("withdrawn").code == "withdrawn"


def test_a_refusal_reads_as_code_and_reason() -> None:
    assert str(NotPermitted("withdrawn")) == "withdrawn: the student has left by then"


def test_a_refusal_tells_its_details() -> None:
    refused = OutOfStep("version_conflict", expected=1, found=2)
    assert str(refused).endswith("than expected (expected: 1, found: 2)")


def test_a_bad_value_names_the_field() -> None:
    assert BadValue("closes_on", "lies after the benefit year").details["where"] == "closes_on"


def test_each_mistake_tells_where_it_stands_and_why() -> None:
    bad = BadValue("on", "is no day", ("document", "is lacking"))
    assert bad.errors == (("on", "is no day"), ("document", "is lacking"))
    assert [(each.where, each.why) for each in bad.errors] == list(bad.errors)


def test_a_refusal_with_an_unknown_code_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        NotPermitted("no_such_code")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("kind", [NotPermitted, NotCorrectable, OutOfStep, BadValue])
def test_what_the_domain_says_no_to_is_a_refusal(kind: type[Exception]) -> None:
    assert issubclass(kind, Refused)


@pytest.mark.parametrize(
    "kind", [Refused, UnknownEdition, UnknownCutoff, AlteredEdition, UnreadableEvent]
)
def test_everything_raised_on_purpose_can_be_caught_as_one(kind: type[Exception]) -> None:
    assert issubclass(kind, YibaoError)
