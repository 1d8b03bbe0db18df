"""What is shown of an object in a log or a debugger fits a line or two, and holds no policy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from given import sheet
from test_pickling import NOW, returned

import yibao

WITHIN = "values", "timeline", "policy", "then", "now", "differences", "derived", "entries"
LONGEST = yibao.EnrollmentId("s" * 64, 2025)


def each(found: Any) -> Iterator[Any]:
    """An object, and whatever it has within that one may look at by itself."""
    if isinstance(found, list | tuple) and not hasattr(found, "_fields"):
        for one in found:
            yield from each(one)
        return
    yield found
    for name in WITHIN:
        within = getattr(found, name, None)
        if type(found).__module__.startswith("yibao.") and not callable(within):
            yield from each(within)
    if isinstance(found, yibao.Values):
        yield from tuple(found)


def test_whatever_a_question_returns_is_shown_briefly() -> None:
    shown = {
        type(one): repr(one)
        for found in returned()
        for one in each(found)
        if not isinstance(one, yibao.Event)  # a fact is its values
    }
    assert {yibao.Answer, yibao.Receipt, yibao.Comparison, yibao.Policy, yibao.Held} <= shown.keys()
    assert {kind.__name__: told for kind, told in shown.items() if len(told) >= 300} == {}
    assert [told for told in shown.values() if "clause" in told or " object at " in told] == []


def test_an_answer_names_what_it_is_about_and_what_it_says() -> None:
    with yibao.open("memory:", clock=lambda: NOW) as service:
        yibao.testing.student(service, "s1", state="active")
        told = repr(service.at(yibao.EnrollmentId("s1", 2025), NOW))
    assert told == (
        "<Answer about 's1' in 2025 at 2025-12-31 12:00:00+08:00: active, "
        "by version 4, care 0, shanghai-2025>"
    )


def test_a_service_and_a_record_say_of_what_they_are(tmp_path: Path) -> None:
    with yibao.open(f"sqlite:///{tmp_path}/{'f' * 200}.db", by="b" * 64) as service:
        service.register(LONGEST.ref, **sheet())
        for one in (service, service.read(LONGEST), service.at(LONGEST)):
            assert len(repr(one)) < 300
            assert repr(one).startswith(f"<{type(one).__name__} ")
        assert "b" * 64 in repr(service)
        assert "facts: 1," in repr(service.read(LONGEST))


def test_a_service_shows_no_password(postgres_url: str) -> None:
    scheme, _, rest = postgres_url.partition("://")
    with yibao.open(f"{scheme}://{rest}{'&' if '?' in rest else '?'}password=hidden") as service:
        assert "hidden" not in repr(service)


@pytest.mark.parametrize("value", ["x" * 1000, tuple(range(1000)), None])
def test_a_value_is_told_in_part_where_it_is_long(value: Any) -> None:
    told = repr(yibao.Derived("waiting", value, "R12", because="check_missing"))
    assert told.startswith("<Derived waiting=")
    assert len(told) < 150
