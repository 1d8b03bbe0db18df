"""What becomes of what is asked: receipts and refusals, and how they are told of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from yibao.adapters.store import AheadOfClock
from yibao.adapters.telemetry import Outcome, Watched
from yibao.domain.facts.commands import Command
from yibao.domain.refusals import Refused, UnreadableEvent
from yibao.domain.vocabulary import NOTHING_SEEN, Seen


@dataclass(frozen=True, slots=True)
class Receipt:
    """A command was accepted: its fact, and where it stands; or stood already (`repeated`).

    `seen` is what an answer stands on once it is recorded: to be named by what follows on it, as
    `expected`. Of a repeated command it is what it was then. `event_id` is None in a dry run alone.
    """

    event_id: UUID
    version: int
    recorded_at: datetime
    repeated: bool = False
    seen: Seen = NOTHING_SEEN


#: What becomes of one thing among many: of a group a receipt for each command, or none of them.
Reply = Receipt | tuple[Receipt, ...] | Refused | UnreadableEvent | AheadOfClock

#: The name of what was asked for where it was no command.
UNKNOWN: Final = "unknown"


def receipts_in(replies: Sequence[Reply]) -> list[Receipt]:
    """All receipts in some replies."""
    found: list[Receipt] = []
    for reply in replies:
        if isinstance(reply, Receipt | tuple):
            found.extend(reply if isinstance(reply, tuple) else (reply,))
    return found


def name_of(asked: Sequence[Command]) -> str:
    return _name_of_one(asked[0]) if len(asked) == 1 else "batch"


def _name_of_one(command: Command) -> str:
    """Of a command alone: what is none may have anybody's name."""
    return command.name if isinstance(command, Command) else UNKNOWN


def tell_of_each(watched: Watched, asked: Sequence[Command], reply: Reply) -> None:
    """Tells how each command ended that has one reply with some others."""
    for number, command in enumerate(asked):
        own = reply[number] if isinstance(reply, tuple) else reply
        watched.within(_name_of_one(command), *_ending_of(own))


def _ending_of(reply: Reply) -> tuple[Outcome, str | None]:
    if isinstance(reply, Receipt):
        return ("repeated" if reply.repeated else "recorded"), None
    if isinstance(reply, Refused):
        return "refused", reply.code
    return "failed", type(reply).__name__


def tell_of(watched: Watched, receipts: Sequence[Receipt]) -> None:
    facts = sum(not receipt.repeated for receipt in receipts)
    watched.outcome("repeated" if receipts and not facts else "recorded", facts=facts)
