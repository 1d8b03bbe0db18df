"""How commands become facts: loaded, judged and saved in one transaction."""

from yibao.adapters.service.recording.adopted import check_unaltered, is_altered
from yibao.adapters.service.recording.asking import Allowed, ByTheRecord, check_callable
from yibao.adapters.service.recording.given import (
    CommandOrGroup,
    command_of,
    each_of,
    misfit,
)
from yibao.adapters.service.recording.recording import ATTEMPTS_KEPT, BATCH, Clock, Recording
from yibao.adapters.service.recording.replies import Receipt, Reply
from yibao.domain.judging import Target

__all__ = [
    "ATTEMPTS_KEPT",
    "BATCH",
    "Allowed",
    "ByTheRecord",
    "Clock",
    "CommandOrGroup",
    "Receipt",
    "Recording",
    "Reply",
    "Target",
    "check_callable",
    "check_unaltered",
    "command_of",
    "each_of",
    "is_altered",
    "misfit",
]
