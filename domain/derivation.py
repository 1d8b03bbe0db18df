"""The tree behind a value: which rule gave it, and from what."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeGuard, TypeVar

from yibao.domain.calendar import latest
from yibao.domain.vocabulary import PENDING, Pending

if TYPE_CHECKING:
    from yibao.domain.editions import Parameter, Policy
    from yibao.domain.facts import Current


T_co = TypeVar("T_co", covariant=True)
V = TypeVar("V")


class Earlier(NamedTuple):
    """What an earlier benefit year hands on, told under the edition of that year (R33)."""

    policy: Policy
    derived: Derived[Any]


class Derived(NamedTuple, Generic[T_co]):
    """A value and how it came about.

    `value` is a value, None (there is none) or PENDING (a fact is missing). `rule` names the
    rule of the reading (`R18`), whose clause and basis the edition gives; `because` is the
    code of a reason, needed wherever there is no value. `inputs` are derivations (of an earlier
    year as well), facts and parameters, in the order a person would tell them: an explanation, out
    of which nothing is decided.
    """

    name: str
    value: T_co
    rule: str
    inputs: tuple[Derived[Any] | Earlier | Current[Any] | Parameter[Any], ...] = ()
    because: str | None = None

    def __repr__(self) -> str:
        because = f", because={self.because!r}" if self.because else ""
        of = f", of {len(self.inputs)}" if self.inputs else ""
        return f"<Derived {self.name}={reprlib.repr(self.value)} by {self.rule}{because}{of}>"

    def of(self, name: str, value: V) -> Derived[V]:
        """What another value came about by, where that is the same."""
        return Derived(name, value, self.rule, self.inputs, self.because)


def is_known(derived: Derived[V | Pending | None]) -> TypeGuard[Derived[V]]:
    """Whether there is a value."""
    return derived.value is not None and derived.value is not PENDING


def latest_day(name: str, rule: str, candidates: Sequence[Derived[date]]) -> Derived[date]:
    """The latest of several days; that of a single one has its rule."""
    if len(candidates) == 1:
        only = candidates[0]
        return Derived(name, only.value, only.rule, only.inputs)
    value = latest(*(candidate.value for candidate in candidates))
    return Derived(name, value, rule, tuple(candidates))


def rests_on_assumption(derived: Derived[Any], policy: Policy) -> bool:
    """Whether the value, or anything beneath it, is assumed rather than stated in a notice."""
    if policy.cited(derived.rule).basis == "assumed":
        return True
    return any(_is_assumed(part, policy) for part in derived.inputs)


def _is_assumed(part: Any, policy: Policy) -> bool:
    if isinstance(part, Earlier):
        return rests_on_assumption(part.derived, part.policy)
    if isinstance(part, Derived):
        return rests_on_assumption(part, policy)
    return getattr(part, "basis", None) == "assumed"
