"""What every value in every story is derived from: rules, facts and parameters, to the last leaf.

Held as one line a value in `golden/derivations.txt`; `golden/write.py schemas` writes it anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yibao.adapters.editions.files import Editions
from yibao.adapters.shapes.explanation import care_trees, trees
from yibao.adapters.stories.reading import read_story, story_files
from yibao.adapters.stories.replaying import replay

ROOT = Path(__file__).parents[2]
HELD = Path(__file__).parent / "derivations.txt"


def derivations() -> Iterator[str]:
    """A line for each value of each student at the end of each story."""
    editions = Editions()
    for file in story_files(ROOT / "scenarios"):
        ran = replay(read_story(file, editions), editions)
        for name, answer in ran.answers():
            student = f"{name} {answer.enrollment.year}" if ran.story.tells_years else name
            for part, tree in trees(answer):
                yield f"{file.stem} {student} {part}: {_told(tree)}"
            for number, assessed in enumerate(answer.care, start=1):
                for part, tree in care_trees(assessed, answer.policy):
                    yield f"{file.stem} {student} care {number} {part}: {_told(tree)}"
        ran.service.close()


def _told(node: dict[str, Any]) -> str:
    if "fact" in node:
        return f"{node['fact']}#{node['version']}"
    if "parameter" in node:
        return str(node["parameter"])
    reason = node.get("because") or node.get("missing")
    inputs = ", ".join(_told(part) for part in node["inputs"])
    told = f"{node['rule']} {node['name']}({inputs})"
    return f"{told} {reason}" if reason else told


def test_every_value_is_derived_from_what_it_was() -> None:
    assert "\n".join(derivations()) + "\n" == HELD.read_text(encoding="utf-8")
