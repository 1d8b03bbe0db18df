"""Who asks: an opaque actor, in some roles, of some schools, or herself a student."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from fastapi import Request


class Role(StrEnum):
    """What somebody is here; one may be several."""

    STUDENT = "student"
    OFFICER = "officer"
    CLINIC = "clinic"
    BUREAU = "bureau"
    AUDITOR = "auditor"
    KEEPER = "keeper"
    PRIVACY = "privacy"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks.

    `actor` is an opaque key, under which what they record and look at is kept. `schools` are those
    of an officer or a clinic; `ref` is a student's own reference.
    """

    actor: str
    roles: frozenset[Role] = frozenset()
    schools: frozenset[str] = field(default=frozenset())
    ref: str | None = None


#: Tells who asks; None where that is nobody, who is answered with 401. It must not wait by itself.
Identify: TypeAlias = Callable[[Request], Awaitable[Who | None]]
