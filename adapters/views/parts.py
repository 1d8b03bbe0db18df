"""A renderer for each kind of part, as lines for people."""

from collections.abc import Callable
from typing import Any, Final

from yibao.adapters.shapes import brief_json
from yibao.adapters.views.telling import costs, left, told
from yibao.adapters.views.words import Words
from yibao.domain.care import Assessed
from yibao.domain.lifecycle import Change
from yibao.projections.answer import Answer
from yibao.projections.discrepancies import Discrepancy
from yibao.projections.next_step import NextStep
from yibao.projections.parts import PARTS


def _step(step: dict[str, Any], words: Words) -> str:
    of_paying = costs(step.get("amount"), step.get("fixed_waiting_months"), words)
    return words.joined([words("next_step", step["code"]), *of_paying])


def _discrepancy(found: dict[str, Any], words: Words) -> str:
    return f"{place(**found)} {words('refusal', found['code'])}"


def place(version: int, year: int | None = None, **_: Any) -> str:
    """Where a fact stands: its version, and the year if it is of another one."""
    return f"#{version}" if year is None else f"{year} #{version}"


def _change(change: dict[str, Any], words: Words) -> str:
    return f"{told(change['at'], words)} {words('state', change['state'])}"


def _care(amounts: dict[str, Any], words: Words) -> str:
    if amounts.get("pending"):
        text = words("phrase", "pending")
    elif amounts.get("refused"):
        text = words("phrase", "refused", reason=words("because", amounts["refused"]))
    else:
        fund, patient = amounts["fund_pays"], amounts["patient_pays"]
        text = words("phrase", "pays", fund=fund, patient=patient)
        if amounts.get("cap_left"):
            text = words.joined([text, words("phrase", "cap", left=amounts["cap_left"])])
        if amounts.get("settlement"):
            text = words.joined([text, words("settlement", amounts["settlement"])])
    if amounts.get("settled"):
        text = words.joined([text, words("audit", "paid")], "apart")
    return f"#{amounts['version']} {text}"


#: Of what there may be many, in brief; what is one value is told by its type.
_LINES: Final[dict[type, Callable[[dict[str, Any], Words], str]]] = {
    NextStep: _step,
    Discrepancy: _discrepancy,
    Change: _change,
    Assessed: _care,
}
#: What has a picture or a table of its own where whole answers are shown.
DRAWN: Final = frozenset({Change, Assessed})
for _part in PARTS.values():
    if _part.many and _part.kind not in _LINES:
        raise LookupError(f"the part {_part.name!r} has no renderer for a {_part.kind.__name__}")


def part_lines(name: str, value: Any, words: Words) -> list[str]:
    """A part of an answer, from its JSON value in brief: a line, or one for each of many."""
    part = PARTS[name]
    if part.many:
        return [_LINES[part.kind](each, words) for each in value]
    return [told(value, words, name)]


def part_line(name: str, value: Any, words: Words) -> str:
    """The same in one line."""
    how = "between" if PARTS[name].kind is Change else "apart"
    return words.joined(part_lines(name, value, words), how) or words("phrase", "none")


def lines_of(name: str, answer: Answer, words: Words) -> list[str]:
    """The lines of a part of an answer."""
    lines = part_lines(name, brief_json(name, PARTS[name].value(answer)), words)
    return [line + left(answer.leaving, words) for line in lines] if name == "state" else lines
