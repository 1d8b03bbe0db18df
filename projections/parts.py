"""What does an answer consist of? A row a part.

Whatever compares answers, follows one through time, tells it as JSON, checks it against a story or
shows it walks this table. A part is a row here; where it is more than what an answer holds already,
a field of `Answer`. Its words are under `value` in both languages.
"""

from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from typing import Any, Final, NamedTuple

from yibao.domain.care import Assessed
from yibao.domain.derivation import Derived
from yibao.domain.lifecycle import Change, state_at
from yibao.domain.vocabulary import DayRange, State, WaitingPeriod
from yibao.projections.answer import Answer
from yibao.projections.discrepancies import Discrepancy
from yibao.projections.next_step import NextStep


class Day:
    """The kind of a part that is a day; of its own, since a test may have frozen `datetime`'s."""


class Instant:
    """The kind of a part that is an instant."""


def _no_derivation(answered: Answer) -> Derived[Any] | None:
    return None


class Part(NamedTuple):
    """One part of an answer.

    `kind` is the type of its value; where there are `many`, of each. `held` is what the answer
    holds, `compared` that as plain values which are equal when they say the same. `derivation` is
    how it came about, None where each of many has its own; then `rule` may be the rule of all. Of
    those that are `told_apart` a change is told by the members that changed. What is `of_values`
    follows from state, values and timeline alone, so that a history of it need not ask for more.
    """

    name: str
    kind: type
    held: Callable[[Answer], Any]
    derivation: Callable[[Answer], Derived[Any] | None] = _no_derivation
    many: bool = False
    compared: Callable[[Any], Any] | None = None
    rule: str | None = None
    told_apart: bool = False
    of_values: bool = False

    def value(self, answered: Answer) -> Any:
        """The part as plain values that compare equal when they say the same."""
        held = self.held(answered)
        return held if self.compared is None else self.compared(held)

    def rule_of(self, answered: Answer) -> str | None:
        """The rule that gives the part; of a list each member may have its own."""
        derived = self.derivation(answered)
        return derived.rule if derived else self.rule


def _derived(name: str, answered: Answer) -> Derived[Any] | None:
    found: Derived[Any] | None = getattr(answered.values, name, None)
    return found


def _value(name: str, answered: Answer) -> Any:
    derived = _derived(name, answered)
    return derived.value if derived else None


def _of_values(name: str, kind: type) -> Part:
    """One of the four values, each of which is derived."""
    return Part(name, kind, partial(_value, name), partial(_derived, name), of_values=True)


def _state(answered: Answer) -> Derived[Any] | None:
    change = state_at(answered.timeline, answered.at)
    return change.derived if change else None


_AMOUNTS = attrgetter("amounts")

#: In the order in which they are told.
PARTS: Final = {
    part.name: part
    for part in (
        Part("state", State, lambda answered: answered.state, _state, rule="R24", of_values=True),
        _of_values("waiting", WaitingPeriod),
        _of_values("account_built_on", Day),
        _of_values("evoucher_available_at", Instant),
        _of_values("coverage", DayRange),
        Part(
            "next_steps",
            NextStep,
            lambda answered: answered.next_steps,
            many=True,
            rule="R32",
        ),
        Part("discrepancies", Discrepancy, lambda answered: answered.discrepancies, many=True),
        Part(
            "timeline",
            Change,
            lambda answered: answered.timeline,
            many=True,
            compared=lambda held: tuple((change.at, change.state) for change in held),
        ),
        Part(
            "care",
            Assessed,
            lambda answered: answered.care,
            many=True,
            compared=lambda held: tuple(map(_AMOUNTS, held)),
            told_apart=True,
        ),
    )
}
#: The parts that are one value with its derivation.
DERIVED: Final = tuple(name for name, part in PARTS.items() if not part.many)


def derivations(answered: Answer) -> Iterator[Derived[Any]]:
    """How each part that is one value came about, under the part's name; the state comes last."""
    for name in sorted(DERIVED, key=lambda name: name == "state"):
        derived = PARTS[name].derivation(answered)
        if derived is not None:
            yield derived
