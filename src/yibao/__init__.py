"""yibao: who is covered, since when, until when, and why.

The system of record for students' medical insurance in Shanghai: dated facts go in; the state
at any instant, the benefit window, the e-voucher's availability and the next steps come out,
as known at any moment, each with its derivation.

    >>> import yibao
    >>> service = yibao.open("memory:", by="registrar")
    >>> ada = yibao.EnrollmentId("s-4f2a", 2025)
    >>> receipt = service.register(
    ...     "s-4f2a", policy="shanghai-2025", on="2025-09-01", at="2025-09-01 08:30",
    ...     school="sjtu", category="undergraduate", document="resident_id_card",
    ... )
    >>> service.at(ada).version
    1
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yibao.adapters.following.trail import Question
    from yibao.adapters.service import Service
    from yibao.adapters.service import open_service as open
    from yibao.domain.refusals import Refused, YibaoError
    from yibao.domain.vocabulary import PENDING, EnrollmentId, State

__version__ = "0.5.0"

__all__ = [
    "PENDING",
    "EnrollmentId",
    "Question",
    "Refused",
    "Service",
    "State",
    "YibaoError",
    "open",
]

_WHERE = {
    "PENDING": ("yibao.domain.vocabulary", "PENDING"),
    "EnrollmentId": ("yibao.domain.vocabulary", "EnrollmentId"),
    "Question": ("yibao.adapters.following.trail.questions", "Question"),
    "Refused": ("yibao.domain.refusals", "Refused"),
    "Service": ("yibao.adapters.service.service", "Service"),
    "State": ("yibao.domain.vocabulary", "State"),
    "YibaoError": ("yibao.domain.refusals", "YibaoError"),
    "open": ("yibao.adapters.service.service", "open_service"),
}


def __getattr__(name: str) -> Any:
    """Imports what is asked for when it is asked for: a command line should start at once."""
    if name not in _WHERE:
        raise AttributeError(f"module 'yibao' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _WHERE[name]
    return getattr(import_module(module), attribute)
