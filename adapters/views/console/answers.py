"""Stories and answers in the terminal: values, next steps, timeline, and what failed."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from yibao.adapters.shapes import tree
from yibao.adapters.stories import Failure, Replay
from yibao.adapters.views.console.care import care_table, why_care
from yibao.adapters.views.parts import DRAWN, lines_of, place
from yibao.adapters.views.telling import costs, error_told, goes_on, in_short, shown, state, told
from yibao.adapters.views.terminal import in_one_line
from yibao.adapters.views.words import Words
from yibao.domain.derivation import Derived
from yibao.domain.editions import Policy
from yibao.domain.vocabulary import PENDING, EnrollmentId, State
from yibao.projections.answer import Answer
from yibao.projections.discrepancies import Discrepancy
from yibao.projections.next_step import NextStep
from yibao.projections.parts import DERIVED, PARTS, derivations


def story_report(
    replay: Replay, answers: Iterable[tuple[str, Answer]], words: Words
) -> RenderableType:
    """One story: its title, each student's answers and timelines, and what failed."""
    parts: list[RenderableType] = [story_line(replay)]
    told = list(answers)
    years = {answer.enrollment: answer for _, answer in told}
    for name, answer in told:
        ref, year = answer.enrollment
        named = f" · {year}" if replay.story.tells_years else ""
        parts.append(Text(f"\n{in_one_line(name)}{named}", style="bold"))
        parts.append(answer_report(answer, words, years.get(EnrollmentId(ref, year + 1))))
    return Group(*parts, *failures_report(replay.failures, words))


def story_line(replay: Replay) -> Text:
    """One line for a story: whether it holds, and its title."""
    good = not replay.failures
    editions = ", ".join(policy.edition for policy in replay.story.policies.values())
    return Text.assemble(
        ("✓ " if good else "✗ ", "green" if good else "red"),
        (in_one_line(replay.story.title), "bold"),
        f"  ({editions})",
    )


def short_report(
    answer: Answer, words: Words, earlier: Sequence[Answer] = (), others: Sequence[Answer] = ()
) -> RenderableType:
    """The short answer: whose it is, what holds and what is next, and her other years.

    Of `earlier` ones a line each is told, the latest first; of the `others` hers are only named.
    """
    ref, year = answer.enrollment
    others = [each for each in others if each.enrollment.ref == ref and each.version]
    following = [each for each in others if each.enrollment == (ref, year + 1)]
    parts: list[RenderableType] = [
        Text(in_one_line(_whose(answer)), style="bold"),
        _values(answer, words, next(iter(following), None)),
    ]
    for other in reversed(earlier):
        line = words.named(_whose(other), in_short(other, words.of(other.policy)))
        parts.append(Text(in_one_line(line)))
    if others:
        years = words.joined((str(each.enrollment.year) for each in others), "listed")
        parts.append(Text(words("phrase", "other_years", years=years)))
    return Group(*parts)


def _whose(answer: Answer) -> str:
    """Whose answer it is, and under which edition."""
    ref, year = answer.enrollment
    return " · ".join([f"{ref}/{year}", *([answer.policy.edition] if answer.policy else [])])


def answer_report(answer: Answer, words: Words, following: Answer | None = None) -> RenderableType:
    """An answer: its values, its next steps and its timeline; `following` is the next year's."""
    line = Table.grid(padding=(0, 2))
    for change in answer.timeline:
        passed = change.at <= answer.at
        line.add_row("●" if passed else "○", shown(change.at, words), state(change.state, words))
    care = [care_table(answer.care, words)] if answer.care else []
    return Group(_values(answer, words, following), line, *care)


def _values(answer: Answer, words: Words, following: Answer | None = None) -> Table:
    """What holds, the next steps and what does not fit."""
    values, words = Table.grid(padding=(0, 2)), words.of(answer.policy)
    now = shown(answer.at, words)
    if answer.assumes_no_further_facts:
        now += words.aside(words("phrase", "assumes"))
    if answer.state is State.EXPIRED and (led_on := goes_on(following, words)):
        now = words.joined([now, led_on], "apart")
    values.add_row(words("value", "state"), state(answer.state, words, answer.leaving), now)
    for name in DERIVED[1:]:
        derived = PARTS[name].derivation(answer)
        value, remark = value_and_remark(derived, answer.policy, words)
        values.add_row(words("value", name), value, remark)
    for step in answer.next_steps or (None,):
        values.add_row(words("value", "next_steps"), *step_and_remark(step, words))
    for found in answer.discrepancies:
        values.add_row(
            words("value", "discrepancies"),
            place(found.version, found.year),
            words("refusal", found.code),
        )
    for name, part in PARTS.items():
        if part.many and part.kind not in {NextStep, Discrepancy, *DRAWN}:
            for text in lines_of(name, answer, words):
                values.add_row(words("value", name), text)
    return values


def failures_report(failures: Iterable[Failure], words: Words) -> Iterator[RenderableType]:
    """Each failed step: what was expected, what came, and why, with file and line."""
    for failure in failures:
        place = failure.place
        named = f" ({place.step})" if place.step else ""
        yield Text("\n" + in_one_line(f"{place.file}:{place.line}{named}"), style="red")
        for key, expected in failure.expected.items():
            sides = (
                f"{words('phrase', phrase)} {_expected(key, value, words)}"
                for phrase, value in (("expected", expected), ("came", failure.came[key]))
            )
            yield Text(f"  {words.named(_named(key, words), words.joined(sides))}")
        why = why_failed(failure, words)
        if why:
            yield Text(f"  {words.named(words('phrase', 'why'), why)}")


def _named(key: str, words: Words) -> str:
    """What a story expects something of; in English by its key, as in the file."""
    if words.language == "en":
        return key
    return words("expected" if words.knows("expected", key) else "value", key)


def _expected(key: str, value: Any, words: Words) -> str:
    """What was expected or came; in English a code as in the file."""
    if words.language == "en":
        return told(value, words, key)
    if isinstance(value, list):
        listed = (_expected(key, each, words) for each in value)
        return words.joined(listed, "listed") or words("phrase", "none")
    if isinstance(value, dict) and not {"from", "to"} <= value.keys():
        parts = (
            (_named(each, words), _expected(each, part, words)) for each, part in value.items()
        )
        return words.joined(words.named(name, part) for name, part in parts)
    section = _SECTIONS.get(key, "")
    if isinstance(value, str) and words.knows(section, value):
        return words(section, value)
    return told(value, words, key)


#: The words of the codes that a story expects.
_SECTIONS: Final = {
    "refused": "refusal",
    "discrepancies": "refusal",
    "discrepancy": "refusal",
    "next_step": "next_step",
}


def why_failed(failure: Failure, words: Words) -> str:
    """Why what came is what it is: the rule, clause and reason of each value that differs."""
    answer = failure.answer
    if failure.misfit:
        return error_told(failure.misfit, words)
    if "count" in failure.came:
        return ""
    if answer is None:
        code = failure.came.get("refused")
        if code:
            return words("refusal", code)
        return words.said(failure.why) if failure.why else words("phrase", "not_refused")
    if answer.values is None:
        return words("because", "not_registered")
    words = words.of(answer.policy)
    reasons = [
        _reason_line(derived, answer.policy, words)
        for derived in derivations(answer)
        if derived.name in failure.came
    ]
    if "state" in failure.came and answer.state is None:
        reasons.append(words("phrase", "before_registration"))
    if "next_step" in failure.came:
        reasons.append(step_and_remark(answer.next_step, words)[0])
    if "discrepancies" in failure.came:
        found = [
            f"{place(one.version, one.year)} {words('refusal', one.code)}"
            for one in answer.discrepancies
        ]
        reasons.append(words.joined(found) or words("phrase", "no_discrepancy"))
    if "care" in failure.came:
        reasons.append(why_care(failure.care, words))
    return words.joined(reasons, "apart")


def value_and_remark(
    derived: Derived[Any] | None, policy: Policy | None, words: Words
) -> tuple[str, str]:
    """A value, and why there is none or what is uncertain about it."""
    if derived is None or policy is None:
        return words("phrase", "none"), ""
    node = tree(derived, policy)
    if derived.value is PENDING:
        remark = words("phrase", "missing", reason=words("because", derived.because or ""))
    elif derived.value is None:
        remark = words("phrase", "because", reason=words("because", derived.because or ""))
    elif node["estimated"]:
        remark = words("phrase", "estimated", ask=words.asked(node["ask"]))
    else:
        remark = ""
    return shown(derived.value, words), remark


def reason_lines(answer: Answer, words: Words) -> list[str]:
    """Why each value is what it is: the rule, where it stands in the notice, and the reason."""
    words = words.of(answer.policy)
    return [_reason_line(each, answer.policy, words) for each in derivations(answer)]


def to_tell(answer: Answer, words: Words) -> list[str]:
    """What a student should be told: how it stands, which days count, and what is hers to do."""
    words = words.of(answer.policy)
    lines = [in_short(answer, words)]
    for name in ("waiting", "evoucher_available_at"):
        derived = PARTS[name].derivation(answer)
        if derived is not None and derived.value is not None:
            value, remark = value_and_remark(derived, answer.policy, words)
            lines.append(words.named(words("value", name), value) + _aside(remark, words))
    for step in answer.next_steps:
        if step.who == "student":
            remarks = words.joined(_remarks(step, words), "apart")
            lines.append(words("next_step", step.code) + _aside(remarks, words))
    return lines


def _aside(remark: str, words: Words) -> str:
    return words.aside(remark) if remark else ""


def step_and_remark(step: NextStep | None, words: Words) -> tuple[str, str]:
    """What is to be done; and by whom, where, at what cost, from when and until when."""
    if step is None:
        return words("phrase", "nothing_to_do"), ""
    remarks = [words("who", step.who), *_remarks(step, words)]
    return words("next_step", step.code), words.joined(remarks, "apart")


def _remarks(step: NextStep, words: Words) -> list[str]:
    """Where a step is taken, what it costs, from when and until when."""
    remarks = [words("where", place) for place in step.where]
    amount = None if step.amount is None else f"{step.amount:.2f}"
    remarks += costs(amount, step.fixed_waiting_months, words)
    if step.begins_at:
        remarks.append(words("phrase", "from", begins=shown(step.begins_at, words)))
    if step.until:
        remarks.append(words("phrase", "until", until=shown(step.until, words)))
    if step.estimated:
        remarks.append(words("phrase", "estimated", ask=words.asked(step.ask)))
    return remarks


def _reason_line(derived: Derived[Any], policy: Policy | None, words: Words) -> str:
    assert policy is not None
    rule = policy.cited(derived.rule)
    value = shown(derived.value, words)
    number = derived.rule.partition("-")[0]
    cited = words.joined([number, f"{rule.notice} {words.clause(rule.clause)}"])
    line = f"{words('value', derived.name)} {value}{words.aside(cited)}"
    if derived.because:
        return words.joined([line, words("because", derived.because)])
    return line
