"""Answers as plain JSON values, in the shapes that others rely on."""

from typing import Any

from yibao.adapters.shapes.care import care_json
from yibao.adapters.shapes.values import next_step, plain
from yibao.projections.answer import Answer

VALUES = ("waiting", "account_built_on", "evoucher_available_at", "coverage")


def value(answer: Answer, name: str) -> Any:
    """One of the four values of an answer."""
    return plain(getattr(answer.values, name).value) if answer.values else None


def answer_json(answer: Answer) -> dict[str, Any]:
    """The parts of an answer that a replay reports."""
    return {
        "state": plain(answer.state),
        "version": answer.version,
        "assumes_no_further_facts": answer.assumes_no_further_facts,
        **{name: value(answer, name) for name in VALUES},
        "next_steps": [next_step(step) for step in answer.next_steps],
        "discrepancies": [plain(found) for found in answer.discrepancies],
        "timeline": [
            {"at": plain(change.at), "state": plain(change.state)} for change in answer.timeline
        ],
        "care": [care_json(assessed) for assessed in answer.care],
    }
