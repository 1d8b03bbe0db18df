"""What a person sees in a terminal: timelines, trees, tables, in Chinese or English."""

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from yibao.adapters.answer_json import VALUES, plain
from yibao.adapters.explanation import tree, trees
from yibao.adapters.replay import Failure, Replay
from yibao.adapters.words import Words
from yibao.domain import events
from yibao.domain.derivation import Derived
from yibao.domain.policy import Citation, Parameter, Policy
from yibao.domain.vocabulary import PENDING, DayRange, State, WaitingPeriod
from yibao.projections.answer import Answer
from yibao.projections.comparison import Comparison
from yibao.projections.next_step import NextStep

_STYLES = {
    State.ACTIVE: "green",
    State.EXPIRED: "dim",
    State.LAPSED: "red",
    State.OPTED_OUT: "yellow",
    State.WITHDRAWN: "red",
}


def shown(value: Any, words: Words) -> str:
    """A value as a person reads it: days and local times, no offsets."""
    if value is None:
        return words("phrase", "none")
    if value is PENDING:
        return words("phrase", "pending")
    if isinstance(value, State):
        return words("state", value)
    if isinstance(value, DayRange | WaitingPeriod):
        return words("phrase", "range", first=value.first, last=value.last)
    if isinstance(value, datetime):
        text = "%Y-%m-%d %H:%M:%S" if value.second or value.microsecond else "%Y-%m-%d %H:%M"
        return value.strftime(text)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return ", ".join(shown(part, words) for part in value) or words("phrase", "none")
    return str(value)


def story_report(replay: Replay, answers: dict[str, Answer], words: Words) -> RenderableType:
    """One story: its title, each student's answer and timeline, and what failed."""
    parts: list[RenderableType] = [story_line(replay)]
    for name, answer in answers.items():
        parts.append(Text(f"\n{name}", style="bold"))
        parts.append(answer_report(answer, words))
    return Group(*parts, *failures_report(replay.failures, words))


def story_line(replay: Replay) -> Text:
    """One line for a story: whether it holds, and its title."""
    good = not replay.failures
    return Text.assemble(
        ("✓ " if good else "✗ ", "green" if good else "red"),
        (replay.story.title, "bold"),
        f"  ({replay.story.policy.edition})",
    )


def answer_report(answer: Answer, words: Words) -> RenderableType:
    """An answer: its values, its next steps and its timeline."""
    values = Table.grid(padding=(0, 2))
    now = shown(answer.at, words)
    if answer.assumes_no_further_facts:
        now += f" ({words('phrase', 'assumes')})"
    values.add_row(words("value", "state"), _state(answer.state, words), now)
    for name in VALUES:
        derived = getattr(answer.values, name) if answer.values else None
        value, remark = _value_and_remark(derived, answer.policy, words)
        values.add_row(words("value", name), value, remark)
    for step in answer.next_steps or (None,):
        values.add_row(words("value", "next_steps"), *_step(step, words))
    for found in answer.discrepancies:
        values.add_row(
            words("value", "discrepancies"), f"#{found.version}", words("refusal", found.code)
        )
    line = Table.grid(padding=(0, 2))
    for change in answer.timeline:
        passed = change.at <= answer.at
        line.add_row("●" if passed else "○", shown(change.at, words), _state(change.state, words))
    return Group(values, line)


def failures_report(failures: Iterable[Failure], words: Words) -> Iterator[RenderableType]:
    """Each failed step: what was expected, what came, and why, with file and line."""
    for failure in failures:
        place = failure.place
        named = f" ({place.step})" if place.step else ""
        yield Text(f"\n{place.file}:{place.line}{named}", style="red")
        for key, expected in failure.expected.items():
            yield Text(
                f"  {key}: {words('phrase', 'expected')} {_raw(expected, words)}, "
                f"{words('phrase', 'came')} {_raw(failure.came[key], words)}"
            )
        why = why_failed(failure, words)
        if why:
            yield Text(f"  {words('phrase', 'why')}: {why}")


def why_failed(failure: Failure, words: Words) -> str | None:
    """Why the value that came is what it is: its rule, clause and reason."""
    if failure.answer is None:
        code = failure.came.get("refused")
        return words("refusal", code) if code else failure.why
    reasons = [
        _reason_line(derived, failure.answer.policy, words)
        for derived in _derivations(failure.answer)
        if derived.name in failure.came and failure.answer.policy
    ]
    return "; ".join(reasons) or failure.why


def explanation(answer: Answer, words: Words) -> RenderableType:
    """The tree behind each value, with rule, clause, basis, facts and parameters."""
    parts: list[RenderableType] = []
    known = shown(answer.known_at, words)
    parts.append(
        Text(
            f"{answer.enrollment.ref} · {shown(answer.at, words)} · "
            f"{words('phrase', 'as_known', known_at=known)}",
            style="bold",
        )
    )
    told: set[str] = set()
    for _, node in trees(answer):
        parts.append(_tree(node, words, told))
    if not parts[1:]:
        parts.append(Text(words("because", "not_registered")))
    return Group(*parts)


def comparison_report(comparison: Comparison, words: Words) -> RenderableType:
    """What differs between two states of knowledge, and which facts moved it."""
    then, now = comparison.then, comparison.now
    parts: list[RenderableType] = []
    if comparison.differences:
        table = Table(box=None, pad_edge=False)
        table.add_column("")
        for phrase, answer in (("then", then), ("now", now)):
            known = words("phrase", "as_known", known_at=shown(answer.known_at, words))
            table.add_column(f"{words('phrase', phrase)} ({known})", overflow="fold")
        table.add_column(words("phrase", "moved_by"), overflow="fold")
        for found in comparison.differences:
            moved_by = ", ".join(_event(event, words) for event in found.moved_by)
            table.add_row(
                words("value", found.name),
                _part(found.name, found.then, words),
                _part(found.name, found.now, words),
                moved_by,
            )
        parts.append(table)
    else:
        parts.append(Text(words("phrase", "no_difference")))
    if comparison.facts_between:
        parts.append(Text(f"\n{words('phrase', 'recorded_between')}:", style="bold"))
        parts.extend(
            Text(
                "  "
                + _fact_line(
                    event.name, event.payload(), event.occurred_at, event.recorded_at, words
                )
            )
            for event in comparison.facts_between
        )
    return Group(*parts)


def policy_list(policies: Iterable[Policy], words: Words) -> Table:
    """The editions at hand."""
    table = Table(box=None, pad_edge=False)
    for column in ("edition", "year", "title", "digest"):
        table.add_column(words("policy", column), overflow="fold")
    for policy in policies:
        title = getattr(policy.title, words.language)
        table.add_row(policy.edition, str(policy.year), title, policy.digest[:12])
    return table


def policy_tables(policy: Policy, words: Words) -> RenderableType:
    """Every parameter and rule of an edition with its citation."""
    parameters = Table(box=None, pad_edge=False)
    for column in ("name", "value", "unit", "clause", "basis"):
        parameters.add_column(words("policy", column), overflow="fold")
    for name in type(policy.parameters).model_fields:
        parameter = getattr(policy.parameters, name)
        if parameter is not None:
            parameters.add_row(
                name,
                _raw(plain(parameter.value), words),
                parameter.unit,
                *_citation(parameter, words),
            )
    rules = Table(box=None, pad_edge=False)
    for column in ("rule", "clause", "basis"):
        rules.add_column(words("policy", column), overflow="fold")
    for name, rule in policy.rules.items():
        rules.add_row(name, *_citation(rule, words))
    title = Text(f"{policy.edition} · {getattr(policy.title, words.language)}", style="bold")
    return Group(title, Text(policy.digest, style="dim"), Text(), parameters, Text(), rules)


def to(stream: Any) -> Console:
    """A console on a stream; where nobody watches, wide enough for what a pipe reads."""
    watched = Console(file=stream).is_terminal
    return Console(
        file=stream, highlight=False, markup=False, emoji=False, width=None if watched else 200
    )


def _state(state: State | None, words: Words) -> Text:
    if state is None:
        return Text(words("state", "none"))
    return Text(words("state", state), style=_STYLES.get(state, ""))


def _value_and_remark(
    derived: Derived | None, policy: Policy | None, words: Words
) -> tuple[str, str]:
    if derived is None or policy is None:
        return words("phrase", "none"), ""
    node = tree(derived, policy)
    if derived.value is PENDING:
        remark = words("phrase", "missing", reason=words("because", derived.because or ""))
    elif derived.value is None:
        remark = words("phrase", "because", reason=words("because", derived.because or ""))
    elif node["estimated"]:
        remark = words("phrase", "estimated", ask=" / ".join(node["ask"]))
    else:
        remark = ""
    return shown(derived.value, words), remark


def _step(step: NextStep | None, words: Words) -> tuple[str, str]:
    if step is None:
        return words("phrase", "nothing_to_do"), ""
    remarks = [words("who", step.who), *(words("where", place) for place in step.where)]
    if step.begins_at:
        remarks.append(words("phrase", "from", begins=shown(step.begins_at, words)))
    if step.until:
        remarks.append(words("phrase", "until", until=shown(step.until, words)))
    if step.estimated:
        remarks.append(words("phrase", "estimated", ask=" / ".join(step.ask)))
    return words("next_step", step.code), "; ".join(remarks)


def _derivations(answer: Answer) -> Iterator[Derived]:
    if answer.values is not None:
        yield from answer.values
    for change in reversed(answer.timeline):
        if change.at <= answer.at:
            yield change.cause._replace(name="state", value=change.state)
            break


def _reason_line(derived: Derived, policy: Policy | None, words: Words) -> str:
    assert policy is not None
    rule = policy.rules[derived.rule]
    value = shown(derived.value, words)
    line = f"{words('value', derived.name)} {value} ({_cited(derived.rule, rule)})"
    if derived.because:
        line += f", {words('because', derived.because)}"
    return line


def _tree(node: dict[str, Any], words: Words, told: set[str]) -> Tree:
    """A tree in which what was told once is not told again."""
    label = Text()
    section = "value" if words.knows("value", node["name"]) else "name"
    label.append(f"{words(section, node['name'])}: ", style="bold")
    label.append(_raw(node["value"], words))
    if node.get("missing"):
        label.append(
            f"  {words('phrase', 'missing', reason=words('because', node['missing']))}", "yellow"
        )
    if node.get("because"):
        label.append(
            f"  {words('phrase', 'because', reason=words('because', node['because']))}", "yellow"
        )
    same = json.dumps(node, sort_keys=True)
    if same in told and node["inputs"]:
        label.append(f"  ({words('phrase', 'as_above')})", style="dim")
        return Tree(label)
    told.add(same)
    branch = Tree(_with_citation(label, node, words, node["rule"]))
    for part in node["inputs"]:
        if "fact" in part:
            branch.add(
                Text(
                    _fact_line(
                        part["fact"],
                        part["values"],
                        part["occurred_at"],
                        part["recorded_at"],
                        words,
                    ),
                    style="cyan",
                )
            )
        elif "parameter" in part:
            text = words(
                "phrase",
                "parameter",
                name=words("parameter", part["parameter"]),
                value=_raw(part["value"], words),
                unit=words("unit", part["unit"]),
            )
            branch.add(_with_citation(Text(text), part, words))
        else:
            branch.add(_tree(part, words, told))
    return branch


def _with_citation(label: Text, node: dict[str, Any], words: Words, rule: str = "") -> Text:
    named = f"{rule}, " if rule else ""
    label.append(f"  [{named}{node['notice']} {node['clause']}] ", style="dim")
    assumed = node["basis"] == "assumed"
    label.append(words("phrase", node["basis"]), style="magenta" if assumed else "dim")
    if assumed and node["assumption"]:
        label.append(f": {node['assumption'][words.language]}", style="magenta")
    return label


def _fact_line(
    name: str, values: dict[str, Any], occurred_at: Any, recorded_at: Any, words: Words
) -> str:
    kept = {key: value for key, value in values.items() if value is not None}
    told = ", ".join(f"{key}={_raw(plain(value), words)}" for key, value in kept.items())
    return words(
        "phrase",
        "fact",
        event=words("event", name),
        values=f"({told})" if told else "",
        at=_raw(plain(occurred_at), words),
        recorded=_raw(plain(recorded_at), words),
    )


def _event(event: events.Event, words: Words) -> str:
    return f"{words('event', event.name)} #{event.originator_version}"


def _part(name: str, value: Any, words: Words) -> str:
    if name == "timeline":
        return "\n".join(f"{shown(at, words)} {words('state', state)}" for at, state in value)
    if name == "next_steps":
        return "\n".join(words("next_step", step.code) for step in value)
    if name == "discrepancies":
        return "\n".join(f"#{found.version} {words('refusal', found.code)}" for found in value)
    if name == "state":
        return words("state", value or "none")
    return shown(value, words)


def _citation(citation: Citation | Parameter[Any], words: Words) -> tuple[str, str]:
    basis = words("phrase", citation.basis)
    if citation.reason is not None:
        basis += f": {getattr(citation.reason, words.language)}"
    return f"{citation.notice} {citation.clause}", basis


def _cited(rule: str, citation: Citation) -> str:
    return f"{rule.partition('-')[0]}, {citation.notice} {citation.clause}"


def _raw(value: Any, words: Words) -> str:
    """A JSON value as a person reads it."""
    if value is None:
        return words("phrase", "none")
    if value == "pending":
        return words("phrase", "pending")
    if isinstance(value, bool):
        return words("phrase", "yes" if value else "no")
    if isinstance(value, dict) and {"from", "to"} <= value.keys():
        return words("phrase", "range", first=value["from"], last=value["to"])
    if isinstance(value, list):
        return ", ".join(_raw(part, words) for part in value) or words("phrase", "none")
    if isinstance(value, str) and words.knows("state", value):
        return words("state", value)
    if isinstance(value, str) and value.endswith("+08:00") and len(value) > 16:
        return value.removesuffix("+08:00").removesuffix(":00").replace("T", " ")
    return str(value)
