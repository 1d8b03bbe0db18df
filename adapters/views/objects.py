"""Whatever the service returns or raises as plain JSON; where they are asked for, with words.

`adapters/shapes/models.py` has a model of each shape.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, overload

from yibao.adapters.editions import Editions
from yibao.adapters.service import Receipt
from yibao.adapters.shapes import (
    brief_json,
    care_json,
    care_trees,
    event_json,
    part_json,
    plain,
    settled_json,
    trees,
)
from yibao.adapters.views.telling import told as in_words
from yibao.adapters.views.words import LANGUAGES, Language, Words
from yibao.domain.care import Amounts, Assessed
from yibao.domain.derivation import Derived
from yibao.domain.editions import Policy
from yibao.domain.facts import KeptAttempt
from yibao.domain.facts.events import CareSettled, Event
from yibao.domain.lifecycle import Change, Guard, Possible
from yibao.domain.refusals import BadValue, Refused, YibaoError
from yibao.domain.vocabulary import EnrollmentId, Seen
from yibao.projections.answer import Answer
from yibao.projections.audit_trail import Entry, Moved
from yibao.projections.care import Changed
from yibao.projections.comparison import Comparison, Difference
from yibao.projections.discrepancies import Discrepancy
from yibao.projections.history import Held
from yibao.projections.next_step import NextStep
from yibao.projections.parts import PARTS, Part

Told = dict[str, Any]
#: What is told as one object.
One = (
    Answer
    | Receipt
    | YibaoError
    | Comparison
    | Difference
    | Held
    | Possible
    | Guard
    | Assessed
    | Changed
    | Entry
    | Moved
    | KeptAttempt
    | Event
    | NextStep
    | Discrepancy
    | Change
    | Seen
)

#: The values of facts that are codes; each has a section of words of its own.
_CODED: Final = ("category", "document", "channel", "kind", "setting", "level", "settlement")
#: The codes in brief values.
_BRIEF: Final[dict[str, str | tuple[str, ...]]] = {
    "code": ("next_step", "refusal"),
    "state": "state",
    "settlement": "settlement",
    "refused": "because",
}
#: The parts of many, by what each of these is compared by.
_COMPARED: Final = {
    NextStep: "next_steps",
    Discrepancy: "discrepancies",
    tuple: "timeline",
    Amounts: "care",
}


@overload
def as_json(  # type: ignore[overload-overlap]
    answer: One,
    lang: Language | None = None,
    explain: bool = False,
    editions: Editions | None = None,
) -> Told: ...


@overload
def as_json(
    answer: Sequence[object],
    lang: Language | None = None,
    explain: bool = False,
    editions: Editions | None = None,
) -> list[Any]: ...


@overload
def as_json(
    answer: None,
    lang: Language | None = None,
    explain: bool = False,
    editions: Editions | None = None,
) -> None: ...


def as_json(
    answer: One | Sequence[object] | None,
    lang: Language | None = None,
    explain: bool = False,
    editions: Editions | None = None,
) -> Told | list[Any] | None:
    """An answer as plain JSON, and so whatever else the service returns or raises.

    That is an object with the names of the attributes: of an answer that of `replay --json` with
    `ref`, `year`, `policy`, `school`, `category`, `document`, `at`, `known_at` and `seen`; of many,
    such as a history, a list. `yibao.models` has a model of each. With `lang` ("en" or "zh") each
    code is told in words, too, under its name and `_text`, or `text` where it is called `code`.
    With `explain` the trees behind the values of an answer and of its care are in `explanation`.
    Facts name their edition only; with `editions` of a service its own codes are told in words.

    Raises BadValue for another language, TypeError for what the service does not return.
    """
    if lang is not None and lang not in LANGUAGES:
        raise BadValue("lang", f"there is none of that name; there are {', '.join(LANGUAGES)}")
    told: Told | list[Any] | None = _Teller(Words(lang, editions) if lang else None, explain)(
        answer
    )
    return told


class _Teller(NamedTuple):
    """Tells each kind of thing, in a language if there is one."""

    words: Words | None
    explain: bool

    def __call__(self, given: Any) -> Any:
        """Whatever it is; what is many is a list."""
        for kind in type(given).__mro__:
            if kind in _TOLD:
                return _TOLD[kind](self, given)
        if isinstance(given, tuple | list) and not hasattr(given, "_fields"):
            return [self(each) for each in given]
        if given is None or isinstance(given, int | datetime):  # years, or instants
            return plain(given)
        raise TypeError(f"a {type(given).__name__} is nothing that yibao answers")

    def of(self, edition: Policy | str | None) -> "_Teller":
        """With the words of an edition for codes of its own."""
        return self._replace(words=self.words.of(edition)) if self.words else self

    def answer(self, answer: Answer) -> Told:
        return self.of(answer.policy)._answer(answer)

    def _answer(self, answer: Answer) -> Told:
        told: Told = {
            "ref": answer.enrollment.ref,
            "year": answer.enrollment.year,
            "policy": answer.edition,
            **_attributes(answer, "school", "category", "document", "at", "known_at", "seen"),
            **_attributes(answer, "version", "assumes_no_further_facts"),
        }
        if answer.leaving:
            told["leaving"] = str(answer.leaving)
        for name, part in PARTS.items():
            told[name] = self.part(part, answer)
            if self.words and not part.many:
                told[f"{name}_text"] = in_words(told[name], self.words, name)
        if self.explain:
            told["explanation"] = self.trees(trees(answer))
        return self.worded(told, category="category", document="document", leaving="kind")

    def part(self, part: Part, answer: Answer) -> Any:
        if part.kind is Assessed:
            return [self.care(each, answer.policy, answer.enrollment) for each in part.held(answer)]
        if part.kind in _TOLD:
            return self(part.held(answer))
        return part_json(part.name, answer)

    def step(self, step: NextStep) -> Told:
        return self.worded(
            plain(step), code="next_step", who="who", where="where", **self.asking(step.ask)
        )

    def asking(self, whom: Iterable[str]) -> dict[str, str]:
        """Whom to ask needs words only where an edition names somebody by a code."""
        named = self.words and any(self.words.knows("ask", each) for each in whom)
        return {"ask": "ask"} if named else {}

    def discrepancy(self, found: Discrepancy) -> Told:
        return self.worded(plain(found), code="refusal")

    def change(self, change: Change) -> Told:
        return self.worded(_attributes(change, "at", "state"), state="state")

    def care(
        self, assessed: Assessed, policy: Policy | None, enrollment: EnrollmentId | None = None
    ) -> Told:
        told = self.amounts(care_json(assessed))
        settled = assessed.care.settled
        told["settled"] = self.settled(settled) if settled else None
        if self.explain:
            told["explanation"] = self.trees(care_trees(assessed, policy, enrollment))
        return self.worded(told, setting="setting", level="level")

    def quote(self, assessed: Assessed) -> Told:
        left = plain(assessed.deductible_left.value)
        more = _attributes(assessed, "covered_from", "earlier_use_is_unknown")
        return {**self.care(assessed, None), "deductible_left": left, **more}

    def settled(self, settled: CareSettled) -> Told:
        return self.worded(settled_json(settled), settlement="settlement")

    def amounts(self, told: Told) -> Told:
        return self.worded(told, settlement="settlement", refused="because")

    def trees(self, trees: Iterable[tuple[str, Told]]) -> Told:
        return {name: self.node(tree) for name, tree in trees}

    def node(self, node: Told) -> Told:
        """A node of a tree, with all that is beneath it."""
        if "fact" in node:
            return self.worded(node | {"values": self.values(node["values"])}, fact="event")
        sections = {"basis": "phrase", "parameter": "parameter", "unit": "unit"}
        told = self.worded(node, **sections)
        if self.words:
            named = node.get("name") or node["unit"]
            told["value_text"] = in_words(node["value"], self.words, named)
        if "parameter" in node:
            return told
        told["inputs"] = [self.node(part) for part in node["inputs"]]
        return self.named(self.worded(told, **self.asking(node["ask"])))

    def named(self, told: Told) -> Told:
        """What has the name of a value, and the code of a reason."""
        return self.worded(told, name=("value", "name"), because="because", missing="because")

    def receipt(self, receipt: Receipt) -> Told:
        return _attributes(receipt, "event_id", "version", "recorded_at", "repeated", "seen")

    def error(self, error: YibaoError) -> Told:
        details = error.details if isinstance(error, Refused) else {}
        told: Told = {"code": error.code, "details": _plainly(details)}
        if isinstance(error, BadValue):
            told["errors"] = [self.mistake(where, why) for where, why in error.errors]
        return self.worded(told, code=("refusal", "failure"))

    def mistake(self, where: str, why: str) -> Told:
        said = {"why_text": self.words.said(why)} if self.words else {}
        return {"where": where, "why": why, **said}

    def seen(self, seen: Seen) -> Told:
        return dict(plain(seen))

    def comparison(self, found: Comparison) -> Told:
        return {name: self(each) for name, each in found._asdict().items()}

    def difference(self, found: Difference) -> Told:
        told: Told = {"name": found.name}
        for when in ("then", "now"):
            told |= self.briefly(when, found.name, getattr(found, when))
        return self.worded(told | {"moved_by": self(found.moved_by)}, name="value")

    def entry(self, entry: Entry) -> Told:
        return self.of(entry.edition)._entry(entry)

    def _entry(self, entry: Entry) -> Told:
        told = _attributes(entry, "enrollment", "supersedes", "edition", "school", "former_school")
        position, event = entry.recorded
        return {
            **told,
            "recorded": {"position": position, "event": self(event)},
            **self.worded({"code": entry.code}, code=("refusal", "because")),
            "moved": self(entry.moved),
            "steps": self(entry.steps),
            **({"fact_year": entry.fact_year} if entry.fact_year != entry.enrollment.year else {}),
        }

    def moved(self, moved: Moved) -> Told:
        told: Told = {"name": moved.name}
        for when in ("before", "after"):
            told |= self.briefly(when, moved.name, getattr(moved, when))
        told["rule"] = moved.rule and moved.rule.partition("-")[0]
        return self.worded(told, name="value")

    def attempt(self, kept: KeptAttempt) -> Told:
        attempt = kept.attempt.model_dump(mode="json", by_alias=True)
        attempt["values"] = self.of(kept.attempt.policy).values(attempt["values"])
        told = self.worded(attempt, command="command", code="refusal")
        return {"attempt_id": kept.attempt_id, "position": kept.position, "attempt": told}

    def held(self, held: Held) -> Told:
        return {
            **self.briefly("value", _part_of(held), held.value),
            "derived": self.derived(held.derived) if held.derived else None,
            **_attributes(held, "version", "known_from", "known_until"),
            "ended_by": self(held.ended_by),
        }

    def derived(self, derived: Derived[Any]) -> Told:
        told = self.briefly("value", derived.name, derived.value)
        told["rule"] = derived.rule.partition("-")[0]
        return self.named(_attributes(derived, "name", "because") | told)

    def briefly(self, key: str, name: str | None, value: Any) -> Told:
        """A part of an answer in brief, or each of many; in words, if it is one value."""
        brief = brief_json(name, value) if name else plain(value)
        if isinstance(brief, list):
            return {key: [self.worded(each, **_BRIEF) for each in brief]}
        if self.words is None:
            return {key: brief}
        return {key: brief, f"{key}_text": in_words(brief, self.words, name or "")}

    def possible(self, possible: Possible) -> Told:
        told = {"command": possible.command, "guards": self(possible.guards)}
        return self.worded(told, command="command")

    def guard(self, guard: Guard) -> Told:
        return self.worded(plain(guard), code="refusal")

    def changed(self, changed: Changed) -> Told:
        return {
            "care": self(changed.care),
            "settled": self.settled(changed.settled) if changed.settled else None,
            "since": plain(changed.since),
            "then": self.amounts(plain(changed.then)),
            "now": self.amounts(plain(changed.now)) if changed.now else None,
            "moved_by": self(changed.moved_by),
        }

    def fact(self, event: Event) -> Told:
        teller = self.of(getattr(event, "policy", None))
        return teller.worded(teller.values(event_json(event)), name="event")

    def values(self, told: Told) -> Told:
        """The values of a fact, some of which are codes."""
        if self.words is None:
            return told
        codes = {key: key for key in _CODED if self.words.knows(key, told.get(key, ""))}
        return self.worded(told, **codes)

    def worded(self, told: Told, **sections: str | tuple[str, ...]) -> Told:
        """The same with the codes under these keys in words of these sections.

        What has no words, such as a place that an edition of one's own has named, is told as it
        is; what needs none, such as the unit of a day, has none.
        """
        if self.words is None:
            return told
        worded: Told = {}
        for key, value in told.items():
            worded[key] = value
            if value and key in sections and (text := self.text(sections[key], value, told)):
                worded["text" if key == "code" else f"{key}_text"] = text
        return worded

    def text(self, sections: str | tuple[str, ...], code: Any, beside: Told) -> Any:
        if isinstance(code, list):
            return [self.text(sections, each, beside) for each in code]
        assert self.words
        for section in (sections,) if isinstance(sections, str) else sections:
            if self.words.knows(section, code):
                return self.words(section, code, **beside)
        return code


def _attributes(of: object, *names: str) -> Told:
    return {name: plain(getattr(of, name)) for name in names}


def _plainly(details: Mapping[str, object]) -> Told:
    return {key: plain(value) for key, value in details.items()}


def _part_of(held: Held) -> str | None:
    """The part of an answer that was held, as far as it can be told; of nothing it cannot."""
    if held.derived:
        return held.derived.name
    return _COMPARED.get(type(held.value[0])) if type(held.value) is tuple and held.value else None


#: By the class of what is told, how that is done.
_TOLD: Final[dict[type, Callable[[_Teller, Any], Told]]] = {
    Answer: _Teller.answer,
    NextStep: _Teller.step,
    Discrepancy: _Teller.discrepancy,
    Change: _Teller.change,
    Assessed: _Teller.quote,
    Receipt: _Teller.receipt,
    YibaoError: _Teller.error,
    Comparison: _Teller.comparison,
    Difference: _Teller.difference,
    Entry: _Teller.entry,
    Moved: _Teller.moved,
    KeptAttempt: _Teller.attempt,
    Held: _Teller.held,
    Possible: _Teller.possible,
    Guard: _Teller.guard,
    Changed: _Teller.changed,
    Seen: _Teller.seen,
    Event: _Teller.fact,
}
