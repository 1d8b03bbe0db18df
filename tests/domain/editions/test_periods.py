"""The periods of an edition, in Python (R35)."""

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from yibao.domain.editions.periods import Period


def test_its_ends_may_be_days_and_instants_of_python() -> None:
    period = Period(opens=date(2025, 11, 14), closes=datetime(2025, 12, 5, 7, 0, tzinfo=UTC))
    assert period.opens_at.isoformat() == "2025-11-14T00:00:00+08:00"
    assert period.closed_from.isoformat() == "2025-12-05T15:00:00+08:00"


def test_it_closes_after_it_opens() -> None:
    with pytest.raises(ValidationError, match="may not close before it opens"):
        Period.model_validate({"opens": "2025-11-14", "closes": "2025-11-14 00:00"})


def test_a_number_is_no_day() -> None:
    with pytest.raises(ValidationError, match="a day or an instant is text"):
        Period.model_validate({"opens": 20251114, "closes": "2025-12-05"})
