"""Students whom many tests know, by what was recorded of them; each test goes on from there.

All were registered on 1 September 2025, as in the worked examples.
"""

from typing import Any

from .steps import checked, confirm, keep, other_cover, registered, roster


def sheet(**values: Any) -> dict[str, Any]:
    """What a registration says of such a student, as a service or a command takes it."""
    return {
        "policy": "shanghai-2025",
        "on": "2025-09-01",
        "at": "2025-09-01 08:30",
        "school": "sjtu",
        "category": "undergraduate",
        "document": "resident_id_card",
    } | values


REGISTERED = registered("2025-09-01")
ROSTER = roster("2025-09-02 17:00")
EMPLOYED = other_cover("2025-09-01 09:00", "employee")
ELSEWHERE = other_cover("2025-09-01 09:00", "other_province")

#: Confirmed on the second day of the window; nothing is known of the year before.
SIGNED = (REGISTERED, ROSTER, confirm("2025-09-06 10:00"))
#: Without a lapsed year: account on 2025-09-06, e-voucher from 2025-09-07 09:00, covered from
#: 2025-09-01.
COVERED = (*SIGNED, checked("2025-09-06 10:30"))
#: One lapsed year, worked example 2: waiting until 2025-11-30, covered from 2025-12-02.
WAITING = (*SIGNED, checked("2025-09-06 10:30", 1))
#: Keeps the cover of another province and confirms nothing.
KEPT = (REGISTERED, ROSTER, ELSEWHERE, keep("2025-09-03 18:00"))
