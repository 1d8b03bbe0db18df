"""What the house is built for: a new fact or part is a few lines, and what is forgotten is said.

It is added to a copy of the tree, and a story tells it there.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECK = "import test_declared as declared; print(*declared.lacking(), sep='\\n')"

#: By file, what stands before which line. These make up a new fact.
FACT = {
    "domain/facts/events.py": (
        "class Withdrawn(Fact):",
        '''class KiteFlown(Fact):
    """A kite was flown on a day."""

    name = "kite-flown"
    on: Day


''',
    ),
    "domain/facts/commands.py": (
        "class Withdraw(RecordFact):",
        '''class FlyKite(RecordFact):
    """The student flies a kite."""

    name = "fly_kite"
    fact = events.KiteFlown
    on: GivenDay


''',
    ),
    "domain/lifecycle/table.py": (
        '    Transition("declare_roster"',
        '    Transition("fly_kite", _EVERYWHERE, None, _STUDENT),\n',
    ),
    "adapters/service/commands.py": (
        "    def withdraw(",
        '''    def fly_kite(
        self, enrollment: EnrollmentId, *, at: datetime | str, on: date | str, **how: Unpack[Asked]
    ) -> Receipt:
        """The student flies a kite."""
        return self._tell(enrollment, commands.FlyKite, at=at, on=on, **how)

''',
    ),
    "adapters/views/words/events.yaml": (
        "withdrawn:",
        "kite-flown: {en: kite flown, zh: 放风筝}\n",
    ),
}
#: And this tells readers of it.
TOLD = {"docs/embedding.md": ("`pay_premium`", "`fly_kite`, ")}

#: What is said where one of them is left out.
FORGOTTEN = {
    "domain/facts/events.py": "has no attribute 'KiteFlown'",
    "domain/facts/commands.py": "`kite-flown` has no command that records it",
    "domain/lifecycle/table.py": "`fly_kite` has no row in the table of the lifecycle",
    "adapters/service/commands.py": "`fly_kite` is no method of the service",
    "adapters/views/words/events.yaml": "`kite-flown` has no words in zh",
    "docs/embedding.md": "`fly_kite` is not named in docs/embedding.md",
}

STORY = """
title: A kite is flown, and it was another day
policy: shanghai-2025
student: {ref: s1, school: sjtu, category: undergraduate, document: resident_id_card}
story:
  - {at: "2025-09-01 08:30", register: {on: "2025-09-01"}}
  - {at: "2025-09-07 10:00", id: kite, fly_kite: {on: "2025-09-07"}}
  - {at: "2025-09-08 10:00", reason: misread, correct: {step: kite, on: "2025-09-06"}}
  - {at: "2025-09-09 10:00", expect: {state: registered, discrepancies: []}}
"""


#: These make up a new part of an answer: two files, and its words.
PART = {
    "projections/answer.py": (
        "    care_version: int = 0",
        "    milestones: int | None = None\n",
    ),
    "projections/parts.py": (
        '        _of_values("waiting"',
        '        Part("milestones", int, lambda answered: len(answered.timeline) or None),\n',
    ),
}
WORDS = {
    "adapters/views/words/en.yaml": ("  state: state", "  milestones: milestones ahead\n"),
    "adapters/views/words/zh.yaml": ("  state: 状态", "  milestones: 里程碑\n"),
}
MILESTONES = """
title: The milestones of a registration
policy: shanghai-2025
student: {ref: s1, school: sjtu, category: undergraduate, document: resident_id_card}
story:
  - {at: "2025-09-01 08:30", register: {on: "2025-09-01"}}
  - {at: "2025-09-05 10:00", expect: {milestones: 2}}
  - {at: "2025-09-06 10:00", observed: true, confirm: {channel: app}}
  - {at: "2025-09-09 10:00", expect: {milestones: 3}}
"""


def copied(folder: Path) -> Path:
    """The tree in another folder, as far as it is run there."""
    for name in ("src", "domain", "projections", "adapters"):
        left_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=left_out)
    for name in ("docs/embedding.md", "tests/test_declared.py"):
        (folder / name).parent.mkdir()
        shutil.copy(ROOT / name, folder / name)
    return folder


def add(tree: Path, *changes: dict[str, tuple[str, str]]) -> None:
    """Adds to each file what is told, before the first place where something stands."""
    for change in changes:
        for name, (before, new) in change.items():
            path = tree / name
            text = path.read_text(encoding="utf-8")
            assert before in text, (name, before)
            path.write_text(text.replace(before, new + before, 1), encoding="utf-8")


def run(tree: Path, *arguments: str) -> str:
    """What Python prints in a tree, and what it ends with where it fails."""
    done = subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{tree / 'tests'}"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return done.stdout + done.stderr


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    """A tree with the new part in it, and a story that expects it."""
    add(copied(tmp_path), PART, WORDS)
    (tmp_path / "mine.yaml").write_text(MILESTONES, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with the new fact in it."""
    found = copied(tmp_path_factory.mktemp("tree"))
    add(found, FACT, TOLD)
    return found


def test_a_new_fact_is_told_in_five_files_and_stories_tell_it(tree: Path) -> None:
    assert len(FACT) <= 5
    assert run(tree, "-c", CHECK).strip() == ""
    (tree / "kite.yaml").write_text(STORY, encoding="utf-8")
    assert "all stories hold (1)" in run(tree, "-m", "yibao", "replay", "kite.yaml")
    assert "放风筝" in run(tree, "-m", "yibao", "audit", "kite.yaml", "--all", "--lang", "zh")


@pytest.mark.parametrize("name", [*FACT, *TOLD])
def test_what_is_forgotten_of_a_new_fact_is_said(tree: Path, name: str) -> None:
    whole = (tree / name).read_text(encoding="utf-8")
    shutil.copy(ROOT / name, tree / name)
    try:
        assert FORGOTTEN[name] in run(tree, "-c", CHECK)
    finally:
        (tree / name).write_text(whole, encoding="utf-8")


def test_a_new_part_is_two_files_and_its_words_and_is_told_everywhere(grown: Path) -> None:
    def asked(*arguments: str) -> str:
        return run(grown, "-m", "yibao", *arguments)

    assert "all stories hold (1)" in asked("replay", "mine.yaml")
    (answer,) = json.loads(asked("replay", "mine.yaml", "--json"))[0]["students"]
    assert answer["milestones"] == 3
    assert "milestones" in asked("schema", "replay")
    assert "milestones" in asked("schema", "story")
    assert "milestones_text" in asked("schema", "answer")
    assert "milestones ahead" in asked("replay", "mine.yaml")
    assert "里程碑" in asked("compare", "mine.yaml", "--known-at", "1", "--lang", "zh")
    assert "confirmed #2" in asked("history", "mine.yaml", "--value", "milestones")
    assert "milestones ahead: 2 → 3" in asked("audit", "mine.yaml", "--changed", "milestones")
    for form in ("text", "html"):
        assert "milestones ahead" in asked("dossier", "mine.yaml", "--format", form)


@pytest.mark.parametrize("name", WORDS)
def test_a_part_without_words_is_told(grown: Path, name: str) -> None:
    shutil.copy(ROOT / name, grown / name)
    language = Path(name).stem
    told = run(grown, "-m", "yibao", "replay", "mine.yaml", "--lang", language)
    assert f"{language}.yaml has no words for the part 'milestones'" in told


def test_a_part_of_a_kind_that_nobody_can_tell_is_told_at_import(grown: Path) -> None:
    rows = grown / "projections" / "parts.py"
    text = rows.read_text(encoding="utf-8")
    rows.write_text(text.replace('"milestones", int', '"milestones", complex'), encoding="utf-8")
    told = run(grown, "-c", "import yibao.adapters.shapes")
    assert "the part 'milestones' is a complex, which has no shape" in told
