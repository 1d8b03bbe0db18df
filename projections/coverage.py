"""From when to when is care covered, and is it on this day?"""

from datetime import date, datetime

from yibao.domain.derivation import Derived
from yibao.domain.rules import Case, values
from yibao.domain.vocabulary import DayRange, Pending


def coverage(case: Case, at: datetime) -> Derived[DayRange | Pending | None]:
    """The benefit window (待遇享受期) as known; both days included (R20 to R22, R25)."""
    return values(case, at).coverage


def is_covered_on(window: Derived[DayRange | Pending | None], day: date) -> bool:
    """Whether care on that day lies inside a known window."""
    return isinstance(window.value, DayRange) and window.value.first <= day <= window.value.last
