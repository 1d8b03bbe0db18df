"""Every answer explains itself: the trees behind the values, over all stories."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from yibao.adapters.editions import Editions
from yibao.adapters.shapes.explanation import explained
from yibao.adapters.stories.models import ExpectStep
from yibao.adapters.stories.reading import story_files
from yibao.adapters.stories.replaying import Replay

SCENARIOS = Path(__file__).parents[3] / "scenarios"
FILES = story_files(SCENARIOS)
NOTICES = set(Editions(SCENARIOS / "other-cities" / "policies").names())


def explanations(ran: Replay) -> Iterator[dict[str, Any]]:
    """What is explained at every expectation of a story, and of each student at its end."""
    for step in ran.story.steps:
        if isinstance(step, ExpectStep):
            yield explained(ran.answer(step.student, step.at, step.known_at, step.year))
    for _, answer in ran.answers():
        yield explained(answer)


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for part in tree.get("inputs", []):
        yield from nodes(part)


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_every_value_stands_on_rules_facts_and_parameters_that_are_cited(
    file: Path, replayed: Callable[[Path], Replay]
) -> None:
    for told in explanations(replayed(file)):
        for name, tree in told["explanations"].items():
            assert tree["value"] == told[name]
            for node in nodes(tree):
                check(node)


def check(node: dict[str, Any]) -> None:
    """A node is a derivation, a fact or a parameter, and complete as such."""
    kinds = [kind for kind in ("rule", "fact", "parameter") if kind in node]
    assert len(kinds) == 1
    if kinds == ["fact"]:
        assert node["version"] > 0
        assert node["occurred_at"].endswith("+08:00")
        assert node["recorded_at"] >= node["occurred_at"]
        return
    assert node["clause"]
    assert node["notice"] in NOTICES
    assert node["basis"] in ("stated", "assumed")
    assert (node["assumption"] is not None) == (node["basis"] == "assumed")
    if kinds == ["parameter"]:
        assert node["unit"]
        return
    assert node["rule"].startswith("R")
    assert "-" not in node["rule"]
    if node["value"] == "pending":
        assert node["missing"]
    elif node["value"] is None:
        assert node["because"]
    else:
        assert node["inputs"], node["name"]


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_what_rests_on_an_assumption_is_estimated_and_names_whom_to_ask(
    file: Path, replayed: Callable[[Path], Replay]
) -> None:
    for told in explanations(replayed(file)):
        for tree in told["explanations"].values():
            for node in nodes(tree):
                if "rule" in node:
                    assumed = any(part.get("basis") == "assumed" for part in nodes(node))
                    assert node["estimated"] is assumed
                    assert bool(node["ask"]) is assumed
                    if assumed and node["notice"].startswith("shanghai-"):
                        assert node["ask"] == ["12393", "021-12393"]


def test_pending_none_and_valued_trees_are_all_among_the_stories(
    replayed: Callable[[Path], Replay],
) -> None:
    """The two tests above look at something of each kind."""
    values = [
        node["value"]
        for file in FILES
        for told in explanations(replayed(file))
        for tree in told["explanations"].values()
        for node in nodes(tree)
        if "rule" in node
    ]
    assert "pending" in values
    assert None in values
    assert len(values) > 1000
