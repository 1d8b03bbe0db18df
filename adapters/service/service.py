"""The one door: one method a command, and the questions; what `yibao.open` returns.

Everything decided and answered here is decided and answered by the pure core; the service adds
the clock and the store. It may be shared between threads, and several processes may use one
file. From an async server call it in a thread: `await asyncio.to_thread(service.at, ada)`.
"""

import os
from datetime import datetime
from typing import (
    TYPE_CHECKING,
    Final,
)

from yibao.adapters.editions import Editions
from yibao.adapters.service.recording import (
    ATTEMPTS_KEPT,
    Clock,
)
from yibao.adapters.store import MEMORY, StoreError, open_store
from yibao.adapters.telemetry import SILENT, Telemetry
from yibao.domain.calendar import read_instant
from yibao.domain.refusals import BadValue

if TYPE_CHECKING:  # what records and answers should not have to load these
    from yibao.adapters.store.postgres import StoreSettings

from yibao.adapters.service.commands import Commands
from yibao.adapters.service.notices import Notices
from yibao.adapters.service.opened import shanghai_now
from yibao.adapters.service.questions import Questions
from yibao.adapters.service.what_if import WhatIfs

#: Where the environment says until which stamp one far ahead of the clock is accepted.
ACCEPT_STAMPS_UNTIL: Final = "YIBAO_ACCEPT_STAMPS_UNTIL"


class Service(Commands, Questions, Notices, WhatIfs):
    """Records what happened and answers questions, on one store; `yibao.open` returns one.

    Each command is a method, which returns a Receipt, or raises Refused with a code; then nothing
    was recorded, but for the attempt. `at` is when it happened, an aware datetime or text in
    Shanghai time; left out it is now. Days may be dates or text. Besides its values every command
    takes `by` (an opaque key of who records), `reason` (a kebab-case word), `observed` (it is the
    report of what has happened, not a request), `note` (free text that can be erased),
    `command_id`, `expected`, `expected_version`, `allowed`, `correlation_id` and `causation_id`.

    Every command is refused with `bad_value` for a value that can never be right; with
    `command_id_reused` where the id was used before for something else on the same stream, a
    student's enrollment, her care, or an edition (the same again is a repetition, and returns the
    first receipt); with `version_conflict` where more is recorded than was `expected`; and with
    `not_allowed` where `allowed` returns a word. It raises UnreadableEvent where the stream cannot
    be read, UnknownEdition where her edition is not at hand, and StoreError where the store fails,
    AheadOfClock and Interrupted among them.

    With `rehearsing` it stamps as its clock says, which is a story's: in a rehearsal store alone,
    else it raises StoreError.
    """


def open_service(
    url: str = MEMORY,
    *,
    policies: Editions | str | os.PathLike[str] | None = None,
    by: str = "unnamed",
    via: str = "library",
    clock: Clock = shanghai_now,
    attempts_kept: int = ATTEMPTS_KEPT,
    settings: "StoreSettings | None" = None,
    telemetry: Telemetry = SILENT,
    accept_stamps_until: datetime | str | None = None,
) -> Service:
    """Opens a store: `sqlite:///enrollments.db`, `postgresql://host/database` or `memory:`.

    A file is created where there is none; in a database `yibao db init` creates the store.
    `policies` is a directory of editions of one's own (default: $YIBAO_POLICIES). Of one actor
    `attempts_kept` refused attempts are kept in an hour; more are only counted. `settings` are
    those of the connections to PostgreSQL (default: from the environment); `telemetry` is told
    what goes on, as `yibao.adapters.telemetry.open_telemetry()` does. Nothing is recorded behind
    a stamp that lies more than a day ahead of the clock, unless until `accept_stamps_until`, an
    instant (default: $YIBAO_ACCEPT_STAMPS_UNTIL). Raises StoreError where the store cannot be
    opened and AlteredEdition where an edition is not what the store has used before.
    """
    if not isinstance(policies, Editions | str | os.PathLike | None):
        raise BadValue("policies", "must be a directory of editions")
    accepted = accept_stamps_until if accept_stamps_until is not None else _accepted_here()
    editions = policies if isinstance(policies, Editions) else Editions(policies)
    store = open_store(url, settings)
    try:
        return Service(
            store,
            editions,
            by=by,
            via=via,
            clock=clock,
            attempts_kept=attempts_kept,
            telemetry=telemetry,
            accept_stamps_until=accepted,
        )
    except BaseException:
        store.close()
        raise


def _accepted_here() -> datetime | None:
    """Until when the environment accepts stamps; raises StoreError where that cannot be read."""
    given = os.environ.get(ACCEPT_STAMPS_UNTIL)
    try:
        return read_instant(given) if given else None
    except ValueError as error:
        raise StoreError(f"{ACCEPT_STAMPS_UNTIL} in the environment: {error}") from None
