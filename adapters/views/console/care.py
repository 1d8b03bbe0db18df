"""Care in the terminal: what is paid for each piece, how it is settled, and what has changed."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from yibao.adapters.views.telling import shown
from yibao.adapters.views.words import Words
from yibao.domain.care import Amounts, Assessed
from yibao.domain.facts.events import CareReceived
from yibao.projections.care import Changed


def care_table(assessed: Iterable[Assessed], words: Words) -> Table:
    """One line a piece of care: what it was, what is paid, and how it is settled or why not."""
    table = Table.grid(padding=(0, 2))
    for each in assessed:
        table.add_row(
            words("value", "care"),
            told_care(each.care.fact.event, words),
            amounts(each, words),
            settled(each, words),
        )
    return table


def quote_report(assessed: Assessed, words: Words) -> RenderableType:
    """What a piece of care would cost, and why."""
    lines = [told_care(assessed.care.fact.event, words), amounts(assessed, words)]
    if assessed.standing.value is not None and not assessed.is_pending:
        used, left = assessed.deductible_used.value, assessed.deductible_left.value
        lines.append(words("phrase", "deductible", used=used, left=left))
    return Group(*(Text(line) for line in (*lines, settled(assessed, words)) if line))


def review_report(changed: Iterable[Changed], words: Words) -> RenderableType:
    """Care whose assessment is no longer what it was, with both amounts and what moved it."""
    table = Table.grid(padding=(0, 2))
    for line in review_lines(changed, words):
        table.add_row(*line)
    if not table.rows:
        return Text(words("phrase", "nothing_to_review"))
    return table


def review_lines(changed: Iterable[Changed], words: Words) -> Iterator[tuple[str, str, str]]:
    """The care, what the fund pays then and now, and what moved it."""
    for each in changed:
        now = words("phrase", "taken_back") if each.now is None else _fund(each.now, words)
        when, then = shown(each.since, words), _fund(each.then, words)
        moved = words.joined(
            f"{words('event', event.name)} {shown(event.recorded_at, words)}"
            for event in each.moved_by
        )
        line = words("phrase", "review_line", when=when, then=then, now=now)
        yield told_care(each.care, words), line, moved


def _fund(found: Amounts, words: Words) -> str:
    """What the fund pays; while the cover is pending, nobody knows."""
    return words("phrase", "pending") if found.pending else str(found.fund_pays)


def told_care(received: CareReceived, words: Words) -> str:
    """A piece of care: the day, where, of which level, and its cost."""
    parts = [shown(received.on, words), words("setting", received.setting)]
    if received.level:
        parts.append(words("level", received.level))
    if received.province:
        parts.append(received.province)
    return " · ".join((*parts, str(received.cost)))


def amounts(assessed: Assessed, words: Words) -> str:
    """What is paid, or why nothing is, or what is missing to know it."""
    because = assessed.standing.because
    if assessed.is_pending:
        missing = words("phrase", "missing", reason=words("because", because or ""))
        return words.joined([words("phrase", "pending"), missing])
    if assessed.refused:
        text = words("phrase", "refused", reason=words("because", assessed.refused))
        if assessed.covered_from:
            text += words("phrase", "covered_from", day=assessed.covered_from)
        return text
    text = paid(assessed.amounts, words)
    if assessed.earlier_use_is_unknown:
        text += words.aside(words("phrase", "earlier_use"))
    return text


def paid(found: Amounts, words: Words) -> str:
    """What fund and patient pay and, where that is limited, what the fund may still pay."""
    text = words("phrase", "pays", fund=found.fund_pays, patient=found.patient_pays)
    if found.cap_left is None:
        return text
    return words.joined([text, words("phrase", "cap", left=found.cap_left)])


def why_care(assessed: Assessed | None, words: Words) -> str:
    """Why a piece of care is not what a story expects."""
    if assessed is None:
        return words("phrase", "no_such_care")
    parts = [amounts(assessed, words), settled(assessed, words)]
    if assessed.is_covered:
        parts.append(assessed.fund_pays.rule)
    return words.joined(part for part in parts if part)


def told_amounts(found: Amounts, words: Words) -> str:
    """What an assessment comes to, in a line: what is paid, how, and whether it was."""
    if found.pending:
        text = words("phrase", "pending")
    elif found.refused:
        text = words("phrase", "refused", reason=words("because", found.refused))
    else:
        text = paid(found, words)
        if found.settlement:
            text += f", {words('settlement', found.settlement)}"
    return text + (f"; {words('audit', 'paid')}" if found.settled else "")


def settled(assessed: Assessed, words: Words) -> str:
    """How it was or is settled."""
    done = assessed.care.settled
    if done is not None:
        at = shown(done.occurred_at, words)
        return words("phrase", "settled_at", at=at, paid=done.fund_paid)
    how = assessed.settlement
    if how.value is None:
        return ""
    text = words("settlement", how.value)
    if how.because:
        text += f", {words('phrase', 'because', reason=words('because', how.because))}"
    return text
