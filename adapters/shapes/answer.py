"""Answers as plain JSON values, in the shapes that others rely on."""

from typing import Any

from yibao.adapters.shapes.parts import part_json
from yibao.projections.answer import Answer
from yibao.projections.parts import PARTS


def answer_json(answer: Answer) -> dict[str, Any]:
    """The parts of an answer that a replay reports."""
    return {
        "state": part_json("state", answer),
        "version": answer.version,
        "assumes_no_further_facts": answer.assumes_no_further_facts,
        **({"leaving": str(answer.leaving)} if answer.leaving else {}),
        **{name: part_json(name, answer) for name in PARTS if name != "state"},
    }
