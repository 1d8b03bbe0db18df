"""In which state is the enrollment, at any instant?"""

import pytest
from given import confirm, given, registered, roster, told

from yibao.domain.calendar import read_instant
from yibao.projections.timeline import state


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2025-08-31 23:59", "none"),
        ("2025-09-01 00:00", "registered"),
        ("2025-09-06 14:19", "registered"),
        ("2025-09-06 14:20", "confirmed"),
        ("2026-01-01 00:00", "expired"),
    ],
)
def test_the_state_is_that_of_the_last_change_at_or_before_an_instant(
    at: str, expected: str
) -> None:
    student = given(registered("2025-09-01"), roster(), confirm("2025-09-06 14:20"))
    assert told(state(student.case, read_instant(at))) == expected
