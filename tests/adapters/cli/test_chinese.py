"""In Chinese everything is Chinese: every command, its help and its errors, over the stories.

What may be in Latin letters is what a person typed and what is a name everywhere: ids of editions
and of rules, references, file names, command lines to copy.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from golden.test_help import commands, help_of
from openpyxl import load_workbook

from yibao.adapters.cli import main
from yibao.adapters.stories.reading import story_files
from yibao.projections.parts import PARTS

from ..conftest import Run, Write
from ..views.test_dossier import Page
from .test_audit import in_a_process

ROOT = Path(__file__).parents[3]
STORIES = story_files(ROOT / "scenarios")

#: Of one student each: with care and corrections, with employee cover, of the year before.
TOLD = (
    "care/a-corrected-check-takes-the-cover-from-a-settled-bill.yaml",
    "audit/a-job-that-ended-in-september-is-learned-of-in-december.yaml",
    "audit/a-registration-day-corrected-in-spring-moves-the-autumn-of-2024.yaml",
)
#: Names that nothing translates, each with the reason why it may be told.
NAMES = {
    "story": "the actor who records what a story tells, an opaque key",
    "yibao": "the name of the program",
    "replay": "the channel by which a story is recorded, an opaque key",
}
#: What names stand in: an edition, a rule, a digest, an id, a command line, an option, a page.
MARKED = re.compile(
    r"shanghai-20\d\d(-continuing)?|\bR\d+\b|\b[0-9a-f]{12,}\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|yibao [a-z]+.*|`[^`]*`|--[a-z-]+|docs/rules\.md"
)
STUDENTS = yaml.load(STORIES[0].read_text(encoding="utf-8"), yaml.BaseLoader)["students"]
#: What people type into a story, and nobody translates.
TYPED = {"title", "ref", "school", "by", "reason", "note", "province", "id", "student", "step"}
TYPED |= {"policy", "policies"}


def typed(told: Any, key: str = "") -> Iterator[str]:
    """What was typed into a story, and the names given in it."""
    if isinstance(told, dict):
        for name, value in told.items():
            if key == "students":
                yield str(name)
            yield from typed(value, str(name))
    elif isinstance(told, list):
        for each in told:
            yield from typed(each, key)
    elif key in TYPED:
        yield str(told)


def cited_beside(story: Path) -> Iterator[str]:
    """Where the editions beside a story say they have it from: each in words of its own."""
    for edition in (story.parent / "policies").glob("*.yaml"):
        told = yaml.load(edition.read_text(encoding="utf-8"), yaml.BaseLoader)
        yield told["edition"]
        yield from cited(told)


def cited(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        for name, value in told.items():
            yield from [value] if name == "clause" else cited(value)


def latin(text: str, *names: str) -> set[str]:
    """The words in Latin letters that are neither names nor what was typed.

    A line may be folded in the middle of a name.
    """
    text = MARKED.sub(" ", text)  # of which some goes to the end of its line
    return _latin(text, *names) & _latin(text.replace("\n", ""), *names)


def _latin(text: str, *names: str) -> set[str]:
    for name in sorted((*names, *NAMES), key=len, reverse=True):
        text = text.replace(name, " ")
    return set(re.findall(r"[A-Za-z]+", text))


#: Of so many students of a story; of a whole school's each would take as long as a story.
DOSSIERS = 5


@pytest.fixture
def asked(run: Run) -> Callable[..., str]:
    """What a command tells in Chinese, on either stream."""

    def asked(*arguments: object) -> str:
        result = run(*arguments, "--lang", "zh")
        return str(result.stdout + result.stderr)

    return asked


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_what_is_told_of_every_story_is_chinese(story: Path, asked: Callable[..., str]) -> None:
    told = yaml.load(story.read_text(encoding="utf-8"), yaml.BaseLoader)
    names = [str(story), *typed(told), *cited_beside(story)]
    assert latin(asked("replay", story), *names) == set()
    assert latin(asked("audit", story, "--all"), *names) == set()
    for student in list(told.get("students", ["the only one"]))[:DOSSIERS]:
        whom = ["--student", student] if "students" in told else []
        page = Page(asked("dossier", story, *whom, "--format", "html"))
        assert latin(page.text, *names) == set()


@pytest.mark.parametrize(
    "command",
    [
        ("show",),
        ("explain",),
        ("compare", "--known-at", "1"),
        ("compare", "--known-at", "1", "--known-at", "2"),
        ("review",),
        *(("history", "--value", part) for part in PARTS),
        ("timeline", "--known-at", "0"),
        ("audit", "--all", "--brief"),
        ("audit", "--size", "1"),
        *(("audit", "--count", by) for by in ("kind", "code", "day")),
        ("audit", "--corrections", "--voids"),
        ("audit", "--late", "9999"),
        ("dossier",),
    ],
    ids=" ".join,
)
def test_every_question_about_a_story_is_answered_in_chinese(
    command: tuple[str, ...], asked: Callable[..., str]
) -> None:
    for story in (ROOT / "scenarios" / each for each in TOLD):
        told = yaml.load(story.read_text(encoding="utf-8"), yaml.BaseLoader)
        assert "student" in told, "a story of one student"
        text = asked(command[0], story, *command[1:])
        assert text
        assert latin(text, str(story), *typed(told)) == set()


def test_a_workbook_of_the_trail_is_chinese(asked: Callable[..., str], tmp_path: Path) -> None:
    (story,) = (ROOT / "scenarios" / "audit").glob("ten-refusals-*.yaml")
    file = tmp_path / "审计.xlsx"
    asked("audit", story, "--xlsx", file)
    told = yaml.load(story.read_text(encoding="utf-8"), yaml.BaseLoader)
    sheet = load_workbook(file).active
    assert sheet is not None
    cells = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert latin("\t".join(cells), *typed(told)) == set()


#: An edition that says an hour nobody has, and then a right one.
EDITION = """\
edition: mine
title: {en: Mine, zh: 本校}
extends: shanghai-2025
parameters:
  evoucher_hour: {value: "25:00", unit: time of day, clause: 通知二, basis: stated}
"""
FAILING = """\
- {at: 2025-09-02 10:00, confirm: {channel: app}}
- {at: 2025-09-04 10:00, id: 就诊, receive_care: {on: 2025-09-03, setting: campus_clinic, cost: 10}}
- at: 2025-09-06 14:50
  expect:
    state: active
    waiting: {from: 2025-09-01, to: 2025-09-02, months: 1}
    coverage: pending
    next_step: claim_care
    discrepancies: [withdrawn]
    care: {step: 就诊, fund: 80.00, settlement: claim, refused: not_enrolled}
- {at: 2025-09-07 10:00, known_at: 99, expect: {state: active}}
- {at: 2025-09-08 10:00, refused: withdrawn, declare_roster: {}}
"""


def test_what_is_asked_of_editions_is_chinese(asked: Callable[..., str], write: Write) -> None:
    both = ("shanghai-2024", "shanghai-2025")
    for command in (("list",), *(("show", each) for each in both), ("diff", *both)):
        assert latin(asked("policy", *command)) == set()
    mine = write(EDITION, "我的.yaml")
    assert latin(asked("policy", "check", mine), str(mine)) == set()
    mine.write_text(EDITION.replace("25:00", "10:00"), encoding="utf-8")
    assert latin(asked("policy", "check", mine), "mine") == set()


def test_what_failed_in_a_story_is_chinese(asked: Callable[..., str], tell: Write) -> None:
    story = tell(FAILING)
    told = asked("replay", story)
    assert "预期 申请报销垫付的医疗费" in told
    assert "没有版本 99" in told
    assert latin(told, str(story), "s1", "A story") == set()


@pytest.mark.parametrize("story", sorted((ROOT / "tests" / "scenarios").glob("*.yaml")), ids=str)
def test_what_is_wrong_in_a_file_is_chinese(story: Path, asked: Callable[..., str]) -> None:
    told = asked("replay", story)
    keys = re.findall(r"'([\w-]+)'|（(\w+)）|“(\w+)”", told)  # as they stand in the file
    assert latin(told, str(story), *(key for found in keys for key in found)) == set()


def test_a_quote_is_chinese(asked: Callable[..., str]) -> None:
    care = ("--setting", "outpatient", "--level", "third", "--cost", "500", "--on", "2025-10-01")
    whom = ("--registered", "2025-09-01")
    assert latin(asked("quote", *care, *whom)) == set()
    assert latin(asked("quote", *care, *whom, "--confirmed", "2025-09-06 10:00")) == set()
    assert latin(asked("quote", *care)).isdisjoint({"give", "one", "of"})


def test_what_is_done_with_stores_is_chinese(asked: Callable[..., str], tmp_path: Path) -> None:
    store, copy = tmp_path / "甲.db", tmp_path / "乙.db"
    url = f"sqlite:///{store}"
    names = (str(store), str(copy), url, tmp_path.name)
    for command in (
        ("db", "init", "--store", url, "--rehearsal"),
        ("db", "init", "--store", url),
        ("db", "migrate", "--store", url),
        ("db", "check", "--store", url),
        ("db", "backup", "--store", url, copy),
        ("db", "backup", "--store", url, copy),
        ("db", "grant", "--store", url, "甲"),
        ("db", "check", "--store", f"sqlite:///{tmp_path}/丙.db"),
        ("projections", "status", "--store", url),
        ("projections", "retry", "--store", url),
        ("audit", "--store", url),
    ):
        ours = f"{tmp_path}/丙.db", "audit-trail", "cohort"
        assert latin(asked(*command), *names, *ours) == set(), command


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain"],
        ["explain", "没有.yaml"],
        ["explain", "没有.yaml", "--at", "昨天"],
        ["explain", str(STORIES[0]), "--student", "无名"],
        ["explain", str(STORIES[0]), "--known-at", "99"],
        ["explain", str(STORIES[0]), "另一个"],
        ["audit"],
        ["audit", str(STORIES[0]), "--size", "0"],
        ["audit", str(STORIES[0]), "--size", "多"],
        ["policy", "show", "没有"],
        ["没有"],
        ["db", "check"],
        ["db", "check", "--store", "sqlite:///没有.db"],
        ["quote", "--setting", "家"],
        ["quote", "--setting", "inpatient"],
    ],
    ids=" ".join,
)
def test_an_error_is_chinese(
    arguments: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIBAO_LANG", "zh")
    result = run(*arguments)
    told = re.sub(
        r"--[a-z-]+|'[a-z_]+'|\b1<=x<=\d+|sqlite://\S+", "", result.stdout + result.stderr
    )
    assert latin(told, "main", "yibao", *STUDENTS, *arguments) == set()


#: Choices, ranges, examples, variables, codes of one's choice, shells.
GIVEN = re.compile(
    r"\[[a-z_|]+\]|\{[a-z|]+\}|\[\d+<=x<=\d+\]|(?m:^ +yibao .*|^ {6,}--.*[\w\\]$)|\$[A-Z_]+|-h\b"
    r"|eval .*|~/.*|默认：[\w-]+|(?m:^  [a-z]+ )|如\s+[\w、]+|bash|zsh|fish|story"
)


def test_the_help_of_every_command_is_chinese() -> None:
    for named in commands(main):
        told = MARKED.sub(" ", GIVEN.sub(" ", help_of("zh", *named)))
        assert re.findall(r"[A-Za-z]+\s+[a-z]+\s+[a-z]+", told) == [], named


def test_what_a_shell_shows_beside_what_it_completes_is_chinese() -> None:
    for line in ("yibao ", "yibao policy ", "yibao audit --", "yibao db init --"):
        environment = {"_YIBAO_COMPLETE": "zsh_complete", "COMP_WORDS": line, "YIBAO_LANG": "zh"}
        done = in_a_process(COMP_CWORD=str(line.count(" ")), **environment)
        told = done.stdout.decode().splitlines()[2::3]
        assert told
        assert [each for each in told if each.isascii()] == [], line


#: A mark of Latin script behind a Chinese character, or before one; but for the colon behind the
#: name of a value in an explanation, which was released with it.
LATIN_MARK = re.compile(r"[一-鿿】）](?:[,;]| ?\()|[,;(] ?[一-鿿]")


@pytest.mark.parametrize("lines", ["show", "explain", "audit", "review", "dossier", "replay"])
def test_the_marks_between_chinese_words_are_chinese(lines: str, asked: Callable[..., str]) -> None:
    for story in TOLD:
        told = asked(lines, ROOT / "scenarios" / story)
        assert LATIN_MARK.findall(told) == []


def test_the_marks_in_a_notice_are_chinese(asked: Callable[..., str]) -> None:
    for line in (["show", "shanghai-2025"], ["diff", "shanghai-2024", "shanghai-2025"]):
        assert LATIN_MARK.findall(asked("policy", *line)) == []
