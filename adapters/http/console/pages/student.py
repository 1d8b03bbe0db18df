"""One student on a page: what holds, why, what is known otherwise by now, and what can be done."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from yibao.adapters.http.console.pages.asked import Asked
from yibao.adapters.http.console.pages.forms import plainly
from yibao.adapters.shapes import brief_json
from yibao.adapters.views.console import (
    settled,
    step_and_remark,
    told_amounts,
    told_care,
    value_and_remark,
)
from yibao.adapters.views.pages import timeline_svg, timeline_table
from yibao.adapters.views.parts import part_lines, place
from yibao.adapters.views.telling import fact_line, in_words, left, numbered, shown
from yibao.adapters.views.trees import Node, told_trees
from yibao.adapters.views.words import Words
from yibao.domain.calendar import in_shanghai
from yibao.domain.care import Assessed
from yibao.domain.facts import events
from yibao.domain.lifecycle import Possible
from yibao.domain.vocabulary import PENDING, DayRange, EnrollmentId
from yibao.projections.answer import Answer, answer
from yibao.projections.comparison import Comparison, compare
from yibao.projections.parts import DERIVED, PARTS
from yibao.projections.record import Record

Covered = Literal["yes", "no", "pending"]


class Value(NamedTuple):
    """A value in words, what is remarked on it, where it stands, and the same as JSON."""

    name: str
    told: str
    text: str
    remark: str
    clause: str
    json: str


class Step(NamedTuple):
    text: str
    remark: str
    is_hers: bool


class Guarded(NamedTuple):
    """A guard: what it says where it refuses, whether it lets one pass, and from when it would."""

    code: str
    text: str
    passed: bool
    passes_from: str


class Doable(NamedTuple):
    """A command, whether it would be recorded now, and what is in the way."""

    name: str
    told: str
    is_possible: bool
    guards: tuple[Guarded, ...]

    @property
    def refusal(self) -> Guarded | None:
        return next((each for each in self.guards if not each.passed), None)


class FactTold(NamedTuple):
    """A fact in words; `fate` is what became of it since, and where it stands it may be amended."""

    event_id: str
    number: str
    told: str
    values: str
    happened: str
    recorded: str
    by: str
    reason: str
    is_report: bool
    is_known: bool
    fate: Literal["stands", "corrected", "voided", "void"]


class Seen(NamedTuple):
    """What is seen of a student at an instant, by a cut-off; `latest` is the same by all."""

    record: Record
    asked: Asked
    answer: Answer
    latest: Answer

    @property
    def covered(self) -> Covered:
        return covered(self.answer)

    @property
    def answers(self) -> list[Answer]:
        """What was known then, and beneath it what is known now."""
        return [self.answer] if self.asked.is_latest else [self.answer, self.latest]


def seen(record: Record, asked: Asked) -> Seen:
    """What holds at the instant that is asked about."""
    known = answer(record, asked.at, asked.cutoff)
    latest = known if asked.is_latest else answer(record, asked.at, asked.moments[-1])
    return Seen(record, asked, known, latest)


def covered(about: Answer) -> Covered:
    """Whether care on the day asked about is covered, by the benefit window alone (R22)."""
    coverage = about.values.coverage.value if about.values else None
    if coverage is PENDING:
        return "pending"
    if not isinstance(coverage, DayRange):
        return "no"
    return "yes" if coverage.first <= in_shanghai(about.at).date() <= coverage.last else "no"


def values_told(
    about: Answer, told: dict[str, Any], words: Words, led_on: str = ""
) -> Iterator[Value]:
    """The state and the values derived, each with its reason and its place in the notice.

    `told` is the answer as `yibao replay --json` has it, and `led_on` what the state leads on to.
    """
    for name in DERIVED:
        derived = PARTS[name].derivation(about)
        text, remark = value_and_remark(derived, about.policy, words)
        if name == "state":
            text = words("state", about.state or "none") + left(about.leaving, words)
            remark = led_on
        clause = _clause(about, name, words)
        yield Value(name, words("value", name), text, remark, clause, as_text(told[name]))


def _clause(about: Answer, name: str, words: Words) -> str:
    derived = PARTS[name].derivation(about)
    if derived is None or about.policy is None:
        return ""
    cited, number = about.policy.cited(derived.rule), derived.rule.partition("-")[0]
    return words.joined([number, f"{cited.notice} {words.clause(cited.clause)}"])


def as_text(value: Any) -> str:
    """A value as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def steps_told(about: Answer, words: Words) -> list[Step]:
    return [Step(*step_and_remark(each, words), each.who == "student") for each in about.next_steps]


def discrepancies_told(about: Answer, words: Words) -> list[str]:
    return [
        f"{place(each.version, each.year)} {words('refusal', each.code)}"
        for each in about.discrepancies
    ]


def care_told(about: Answer, words: Words) -> list[tuple[str, str, str]]:
    return [
        (
            told_care(each.care.fact.event, words),
            told_amounts(each.amounts, words),
            settled(each, words),
        )
        for each in about.care
    ]


def picture(of: Seen, words: Words) -> str:
    """The lifecycle as bars, over the calendar of the slider; with what is known now beneath."""
    return timeline_svg(of.answers, words, of.asked.calendar.span, styled=False)


def table(of: Seen, words: Words) -> str:
    return timeline_table(of.answers, words)


class Difference(NamedTuple):
    name: str
    then: tuple[str, ...]
    now: tuple[str, ...]
    moved_by: str


class Learned(NamedTuple):
    """What differs by what was recorded since, and what that was."""

    differences: tuple[Difference, ...]
    facts: tuple[str, ...]


def learned(of: Seen, words: Words) -> Learned | None:
    """What was learned since; None where everything is known."""
    if of.asked.is_latest:
        return None
    found: Comparison = compare(of.record, of.asked.at, of.asked.cutoff, of.asked.moments[-1])
    whose = of.record.enrollment
    return Learned(
        tuple(
            Difference(
                words("value", each.name),
                tuple(part_lines(each.name, brief_json(each.name, each.then), words)),
                tuple(part_lines(each.name, brief_json(each.name, each.now), words)),
                words.joined(numbered(event, whose, words) for event in each.moved_by),
            )
            for each in found.differences
        ),
        tuple(
            fact_line(event.name, event.payload(), event.occurred_at, event.recorded_at, words)
            for event in found.facts_between
        ),
    )


def why(of: Seen, words: Words) -> list[tuple[str, list[Node]]]:
    """The trees behind the values, then those of each piece of care under what it was."""
    return [(_of_care(care, words), nodes) for care, nodes in told_trees(of.answer, words)]


def _of_care(assessed: Assessed | None, words: Words) -> str:
    return told_care(assessed.care.fact.event, words) if assessed else ""


def doable(found: Iterable[Possible], may: Callable[[str], bool], words: Words) -> list[Doable]:
    """The commands that somebody may give, those that would be recorded first."""
    told = [
        Doable(
            each.command,
            words("command", each.command).replace("_", " "),
            all(guard.passed for guard in each.guards),
            tuple(
                Guarded(
                    guard.code,
                    words("refusal", guard.code),
                    guard.passed,
                    shown(guard.passes_from, words) if guard.passes_from else "",
                )
                for guard in each.guards
            ),
        )
        for each in found
        if may(each.command)
    ]
    return sorted(told, key=lambda each: not each.is_possible)


#: What nobody but the store says: it can be neither corrected nor taken back.
_ENDED: Final = {events.Voided}


def facts_told(record: Record, known_at: datetime | None, words: Words) -> list[FactTold]:
    """Everything recorded of her enrollment, then of her care, in order."""
    recorded = [*record.enrolled.events, *record.received.events]
    ends = {
        ended: "voided" if isinstance(each, events.Voided) else "corrected"
        for each in recorded
        if (ended := getattr(each, "supersedes", None))
    }
    whose = record.enrollment
    return [_fact_told(each, ends, known_at, whose, words) for each in recorded]


def _fact_told(
    event: events.Event,
    ends: dict[Any, Any],
    known_at: datetime | None,
    whose: EnrollmentId,
    words: Words,
) -> FactTold:
    values = {key: value for key, value in event.payload().items() if key != "ref"}
    for key in ("care", "enrollment_version", "edition_version"):  # nothing that a person reads
        values.pop(key, None)
    told = words.of(values.get("policy"))
    return FactTold(
        str(event.event_id),
        f"#{event.originator_version}",
        words("event", event.name),
        in_words(plainly(values), told, event.name),
        shown(event.occurred_at, words),
        shown(event.recorded_at, words),
        event.by,
        event.reason or "",
        bool(getattr(event, "observed", False)),
        known_at is not None and event.recorded_at <= known_at,
        "void" if type(event) in _ENDED else ends.get(event.event_id, "stands"),
    )
