"""What the documentation links to is there, and the rules are written down, shown and computed."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from yibao.adapters.editions.files import Editions
from yibao.adapters.stories.models import Story
from yibao.adapters.stories.reading import read_story, story_files
from yibao.domain.editions.benefits import BENEFIT_RULES
from yibao.domain.editions.policy import OPTIONAL_RULES, RULES

ROOT = Path(__file__).parents[2]
READING = ROOT / "docs" / "rules.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
IMPLEMENTED = [f"R{number}" for number in range(1, 39)]


class Link(NamedTuple):
    """A relative link: what is shown, and the file it leads to."""

    label: str
    target: Path


class Rule(NamedTuple):
    """A rule as the reading has it: its number and what stands under its heading."""

    number: str
    text: str

    def line(self, name: str) -> str:
        """The one line of that name under the rule."""
        (found,) = re.findall(rf"^- {name}: (.+)$", self.text, re.MULTILINE)
        return str(found)


def links(text: str, page: Path) -> list[Link]:
    """The relative links in a text, outside of code blocks; a code label without its backticks."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [
        Link(label.strip("`"), (page.parent / target.partition("#")[0]).resolve())
        for label, target in re.findall(r"\[([^\[\]]+)\]\(([^()\s]+)\)", prose)
        if "://" not in target and not target.startswith(("#", "mailto:"))
    ]


def _rules() -> list[Rule]:
    parts = re.split(r"^### (R\d+) .+$", READING.read_text(encoding="utf-8"), flags=re.MULTILINE)
    texts = [re.split(r"^## ", text, flags=re.MULTILINE)[0] for text in parts[2::2]]
    return [Rule(number, text) for number, text in zip(parts[1::2], texts, strict=True)]


READ = _rules()


@cache
def defined_in(path: Path) -> frozenset[str]:
    """Every function, class and constant of a Python file; members as `Class.member`."""
    found: set[str] = set()

    def gather(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(prefix + node.name)
            elif isinstance(node, ast.ClassDef):
                found.add(prefix + node.name)
                gather(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found.update(prefix + t.id for t in targets if isinstance(t, ast.Name))

    gather(ast.parse(path.read_text(encoding="utf-8")).body, "")
    return frozenset(found)


@cache
def stories() -> dict[Path, Story]:
    editions = Editions()
    return {file: read_story(file, editions) for file in story_files(ROOT / "scenarios")}


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_relative_link_leads_to_something_that_exists(page: Path) -> None:
    found = links(page.read_text(encoding="utf-8"), page)
    assert found
    assert [link for link in found if not link.target.exists()] == []


def anchors(page: Path) -> set[str]:
    """What a link may name within a page: its headings, as they are turned into anchors."""
    prose = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_place_within_a_page_that_is_linked_is_a_heading_of_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"\]\(([^()\s:#]*\.md)?#([^()\s]+)\)", text)
    assert [
        (target, anchor)
        for target, anchor in named
        if anchor not in anchors((page.parent / target) if target else page)
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_piece_of_code_that_is_linked_is_defined_in_the_file(page: Path) -> None:
    named = [
        link
        for link in links(page.read_text(encoding="utf-8"), page)
        if link.target.suffix == ".py" and not link.label.endswith(".py")
    ]
    assert [link for link in named if link.label not in defined_in(link.target)] == []


def test_the_rules_are_in_order_and_each_has_one_heading() -> None:
    assert [rule.number for rule in READ] == IMPLEMENTED


def test_every_rule_a_derivation_may_name_has_a_heading() -> None:
    named = {rule.partition("-")[0] for rule in (*RULES, *OPTIONAL_RULES, *BENEFIT_RULES)}
    assert named <= {rule.number for rule in READ}


@pytest.mark.parametrize("rule", READ, ids=[rule.number for rule in READ])
def test_every_rule_names_functions_of_the_code_that_exist(rule: Rule) -> None:
    functions = links(rule.line("Function"), READING)
    assert functions
    for name, file in functions:
        assert file.suffix == ".py", f"{rule.number}: {file} is no code"
        assert name in defined_in(file), f"{rule.number}: {file} does not define {name}"


@pytest.mark.parametrize("rule", READ, ids=[rule.number for rule in READ])
def test_every_rule_is_shown_by_two_to_five_stories_that_name_it(rule: Rule) -> None:
    shown = links(rule.line("Stories"), READING)
    assert 2 <= len(set(shown)) == len(shown) <= 5
    for _, file in shown:
        assert rule.number in stories()[file].rules, f"{file.stem} does not name {rule.number}"


@pytest.mark.parametrize("rule", READ, ids=[rule.number for rule in READ])
def test_every_rule_is_linked_with_the_titles_its_stories_have(rule: Rule) -> None:
    for label, file in links(rule.line("Stories"), READING):
        assert label == stories()[file].title


@pytest.mark.parametrize("rule", READ, ids=[rule.number for rule in READ])
def test_every_rule_says_where_it_is_stated(rule: Rule) -> None:
    assert rule.line("Stated in")


def test_every_rule_that_an_edition_assumes_says_why() -> None:
    silent = {rule.number for rule in READ if "\n- Assumed because: " not in rule.text}
    assumed = {
        rule.partition("-")[0]
        for policy in Editions()
        for rule, citation in (policy.rules | policy.benefit_rules).items()
        if citation.reason and "without effect" not in citation.reason.en
    }
    assert assumed & silent == set()


def test_every_rule_a_story_names_has_a_heading() -> None:
    named = {rule for story in stories().values() for rule in story.rules}
    assert named <= {rule.number for rule in READ}
