"""The tree behind a value: which rule gave it, and from what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from yibao.domain.editions import Parameter, Policy
    from yibao.domain.facts import Current


class Derived(NamedTuple):
    """A value and how it came about.

    `value` is a value, None (there is none) or PENDING (a fact is missing). `rule` names the
    rule of the reading (`R18`), whose clause and basis the edition gives; `because` is the
    code of a reason, needed wherever there is no value. `inputs` are derivations, facts and
    parameters, in the order a person would tell them.
    """

    name: str
    value: Any
    rule: str
    inputs: tuple[Derived | Current[Any] | Parameter[Any], ...] = ()
    because: str | None = None


def latest_day(name: str, rule: str, candidates: list[Derived]) -> Derived:
    """The latest of several days; the rule is that of the one that decides."""
    decisive = max(candidates, key=lambda derived: derived.value)
    if len(candidates) == 1:
        return Derived(name, decisive.value, decisive.rule, decisive.inputs)
    return Derived(name, decisive.value, rule, tuple(candidates))


def rests_on_assumption(derived: Derived, policy: Policy) -> bool:
    """Whether the value, or anything beneath it, is assumed rather than stated in a notice."""
    if policy.cited(derived.rule).basis == "assumed":
        return True
    return any(
        rests_on_assumption(part, policy)
        if isinstance(part, Derived)
        else getattr(part, "basis", None) == "assumed"
        for part in derived.inputs
    )
