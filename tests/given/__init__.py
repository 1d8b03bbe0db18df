"""Speaks the language of the tests: given these facts, when this command, then this.

Everything here runs on the pure core, without store or clock:

    given(registered("2025-09-01"), roster("2025-09-02 17:00"))
        .when(confirm("2025-09-06 14:20"))
        .then(recorded="confirmed")
    given(...).answer("2025-12-02 00:00").state

    given(..., care("2025-10-01", "outpatient", "500.00", level="third")).bill().fund

What comes back is told as a person would write it: `none`, `pending`, `2025-09-07 09:00`,
`2025-09-01 to 2025-12-31`, `100.00`. Where no instant is asked about, the latest stamp is.
A piece of care has a name, by which it is settled, corrected and asked about.

Students whom many tests know have names: `given(*COVERED, withdraw(...))`.
"""

from .editions import edition, edition_with
from .steps import (
    account,
    activate,
    card,
    care,
    checked,
    confirm,
    confirmed,
    correct,
    filed,
    fix_window,
    keep,
    moved,
    other_cover,
    paid,
    registered,
    reverse,
    roster,
    settle,
    step,
    stopped,
    together,
    void,
    withdraw,
)
from .students import COVERED, ELSEWHERE, EMPLOYED, KEPT, REGISTERED, ROSTER, SIGNED, WAITING, sheet
from .telling import Bill, leaves, told
from .world import Given, Step, given
from .years import Years, continuing, edition_saying

__all__ = [
    "COVERED",
    "ELSEWHERE",
    "EMPLOYED",
    "KEPT",
    "REGISTERED",
    "ROSTER",
    "SIGNED",
    "WAITING",
    "Bill",
    "Given",
    "Step",
    "Years",
    "account",
    "activate",
    "card",
    "care",
    "checked",
    "confirm",
    "confirmed",
    "continuing",
    "correct",
    "edition",
    "edition_saying",
    "edition_with",
    "filed",
    "fix_window",
    "given",
    "keep",
    "leaves",
    "moved",
    "other_cover",
    "paid",
    "registered",
    "reverse",
    "roster",
    "settle",
    "sheet",
    "step",
    "stopped",
    "together",
    "told",
    "void",
    "withdraw",
]
