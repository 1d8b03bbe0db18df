"""What reaches a terminal, a pipe or a full disk, tried on the command line as it is run."""

import json
import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import IO, Any

import pytest

import yibao
from yibao.adapters.editions.yaml_source import MAX_BYTES, SourceError, read
from yibao.adapters.upkeep.copying import backup
from yibao.adapters.views.console.progress import watched
from yibao.adapters.views.terminal import in_one_line, json_for, printable

from ..conftest import Run

ROOT = Path(__file__).parents[3]
STORY = next((ROOT / "scenarios" / "worked-examples").glob("02-*.yaml"))

#: What no terminal is to be sent, but for line feeds and tabs.
STEERS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

#: A story in which whatever a person may name steers a terminal.
HOSTILE = r"""
title: "A \e]0;owned\a title\rof \u202Eone\nor two \x9b31mlines"
policy: mine
students:
  "ada\e[2J\n": {ref: a1, school: sjtu, category: undergraduate, document: resident_id_card}
  "bo\u2066": {ref: b1, school: sjtu, category: undergraduate, document: resident_id_card}
story:
  - student: "ada\e[2J\n"
    at: 2025-09-01 08:30
    register: {on: 2025-09-01}
    note: "noted \e[31m \u202E in red"
  - {student: "bo\u2066", at: 2025-09-01 08:30, register: {on: 2025-09-01}}
  - student: "bo\u2066"
    at: 2025-09-01 09:00
    expect: {state: active}
"""
EDITION = r"""
edition: mine
title: {en: "Mine \e[31m \u202E", zh: "我的 \e[31m \x9b"}
extends: shanghai-2025
parameters:
  evoucher_hour:
    value: 10:00
    unit: time of day
    clause: "circular \e[7m \u2067"
    basis: assumed
    reason: {en: "because \e[31m", zh: "因为 \x7f"}
"""


def environment(encoding: str = "utf-8") -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONIOENCODING": encoding,
    }


def ran(
    arguments: Sequence[object], out: int | IO[bytes] = subprocess.PIPE, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "yibao", *(os.fsencode(str(each)) for each in arguments)],
        env=environment(encoding),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.PIPE,
        timeout=120,
        check=False,
    )


def failed(done: subprocess.CompletedProcess[bytes]) -> str:
    """The one line that is told where something cannot be done."""
    (line,) = done.stderr.decode().splitlines()
    assert done.returncode == 2
    return line


# What is typed, before a terminal


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    (tmp_path / "editions").mkdir()
    (tmp_path / "editions" / "mine.yaml").write_text(EDITION, encoding="utf-8")
    story = tmp_path / "name \x1b[31m\u202e\nof a file.yaml"
    story.write_text(HOSTILE, encoding="utf-8")
    return story


ADA = "ada\x1b[2J\n"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    "command",
    [
        ["replay", "STORY"],
        ["replay", "STORY", "STORY"],
        ["replay", "STORY", "--json"],
        ["replay", "STORY", "--by", "\x1b[31m\u202e"],
        ["replay", "STORY", "--store", "/no\x1b[31m\n/where.db"],
        ["show", "STORY"],
        ["show", "--store", "no\x1b[31m\u202e\n.db", "--ref", "a"],
        ["explain", "STORY"],
        ["explain", "STORY", "--json"],
        ["explain", "STORY", "--student", "cy\x1b[2J"],
        ["compare", "STORY", "--known-at", "0"],
        ["review", "STORY"],
        ["history", "STORY"],
        ["timeline", "STORY"],
        ["audit", "STORY"],
        ["audit", "STORY", "--json"],
        ["audit", "STORY", "--count", "school"],
        ["audit", "STORY", "--count", "actor", "--json"],
        ["audit", "STORY", "--school", "a\x1b[31m\u202e\nb"],
        ["audit", "STORY", "--xlsx", "/no\x1b[31m\n\u202e/where.xlsx"],
        ["audit", "STORY", "--kind", "\x1b[31m\u202e"],
        ["audit", "STORY", "--trail", "/no\x1b[31m\n\u202e/where"],
        ["dossier", "STORY", "--student", ADA],
        ["dossier", "STORY", "--student", ADA, "--format", "json"],
        ["dossier", "STORY", "--student", ADA, "--format", "html"],
        ["dossier", "STORY", "--student", "bo\u2066", "--output", "/no\x1b[31m\nwhere"],
        [
            *("quote", "--setting", "outpatient", "--cost", "1", "--on", "2025-09-09"),
            *("--story", "STORY"),
        ],
        ["policy", "list"],
        ["policy", "show", "mine"],
        ["policy", "diff", "shanghai-2025", "mine"],
        ["policy", "diff", "shanghai-2025", "mine", "--json"],
        ["policy", "diff", "mine", "\x1b[31m\u202e"],
        ["policy", "show", "\x1b[31m\u202e\x9b"],
        ["policy", "check", "STORY"],
        ["policy", "check", "nowhere\x1b[31m\r\n"],
        ["rply\x1b[31m\u202e"],
        ["replay", "--jsn\x1b[31m\u202e"],
        ["replay", "STORY", "--at", "\x1b[31m\u202e"],
        ["explain", "--store", "sqlite:///no\x1b[31m%1b\u202e.db", "--ref", "a", "--year", "2025"],
        ["db", "check", "--store", "sqlite:///no%1b\u202e.db"],
        ["db", "init", "--store", "/no\x1b[31m\n\u202e/where.db"],
        ["db", "copy", "--store", "no\x1b[31m.db", "--to", "\x1b[31m\u202e.db"],
        ["db", "grant", "\x1b[31m\u202e", "--store", "postgresql://127.0.0.1:1/\x1b[31m"],
        ["projections", "status", "--store", "no\x1b[31m\u202e.db"],
        ["completion", "\x1b[31m\u202e"],
    ],
    ids=lambda command: " ".join(command).encode("unicode_escape").decode(),
)
def test_nothing_that_a_person_typed_steers_a_terminal(
    command: list[str], lang: str, hostile: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIBAO_POLICIES", str(hostile.parent / "editions"))
    monkeypatch.setenv("YIBAO_LANG", lang)
    done = run(*(hostile if argument == "STORY" else argument for argument in command))
    assert not STEERS.findall(done.stdout + done.stderr)
    if done.exit_code == 2 and done.stderr.startswith("yibao: "):
        assert done.stderr.count("\n") == 1
    assert done.output


def test_what_steers_is_in_json_as_ever(hostile: Path, run: Run) -> None:
    done = run("replay", hostile, "--json", "--policies", hostile.parent / "editions")
    (told,) = json.loads(done.stdout)
    assert told["file"] == str(hostile)
    assert told["title"] == "A \x1b]0;owned\a title\rof \u202eone\nor two \x9b31mlines"
    assert [each["student"] for each in told["students"]] == [ADA, "bo\u2066"]


def test_a_title_and_a_name_are_one_line_each(hostile: Path, run: Run) -> None:
    shown = run("replay", hostile, "--policies", hostile.parent / "editions").stdout.splitlines()
    assert shown[0].startswith("✗ A ")
    assert shown[0].rstrip().endswith("or two \ufffd31mlines  (mine)")
    assert "ada\ufffd[2J" in [line.rstrip() for line in shown]
    assert [line for line in shown if line.rstrip().endswith("\ufffd[31m\ufffd of a file.yaml:13")]


def test_csv_is_exact_in_a_file_and_harmless_on_a_terminal(hostile: Path, tmp_path: Path) -> None:
    asked = ["audit", hostile, "--csv", "--policies", hostile.parent / "editions"]
    story = hostile.read_text(encoding="utf-8")
    hostile.write_text(story.replace("school: sjtu", r'school: "sj\u202Etu"'), encoding="utf-8")
    assert "\u202e" in ran(asked).stdout.decode()
    mine, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "yibao", *map(str, asked)],
        env=environment(),
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        told = b""
        while part := _read(mine):
            told += part
        os.close(mine)
    assert process.returncode == 0
    assert not STEERS.findall(re.sub("\r+\n", "\n", told.decode()))
    assert "sj\ufffdtu" in told.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # whoever wrote to it has ended
        return b""


def test_every_character_that_steers_is_told_by_another() -> None:
    text = "".join(map(chr, range(0x2100)))
    assert STEERS.findall(printable(text)) == []
    assert printable(text).replace("\ufffd", "") == STEERS.sub("", text)
    assert in_one_line("a\nb\r\nc\x85d\u2028e\tf") == "a b c d e\tf"
    for encoding in ("utf-8", "UTF8", "utf_8", "gbk", "latin-1", "ascii", "nonsense", None):
        told = json_for(encoding, {text: text})
        assert STEERS.findall(told) == []
        assert json.loads(told) == {text: text}
        assert told.isascii() == (encoding not in ("utf-8", "UTF8", "utf_8"))


# Where not every character can be written


@pytest.mark.parametrize("encoding", ["gbk", "latin-1", "ascii", "cp1252:strict", "utf-8"])
@pytest.mark.parametrize(
    "command",
    [
        ["replay", "--json"],
        ["explain", "--json"],
        ["audit", "--json"],
        ["dossier", "--format", "json"],
    ],
    ids=" ".join,
)
def test_json_is_json_whatever_a_terminal_speaks(
    command: list[str], encoding: str, tmp_path: Path
) -> None:
    story = tmp_path / "é复😀.yaml"
    text = STORY.read_text(encoding="utf-8").replace("sjtu", "école 复旦 😀")
    story.write_text(re.sub("(?m)^title:.*", "title: é复旦😀", text), encoding="utf-8")
    done = ran([command[0], story, *command[1:]], encoding=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    told = json.loads(done.stdout.decode(encoding.partition(":")[0]))
    assert done.stdout.isascii() == (encoding != "utf-8")
    if command[0] == "replay":
        assert (told[0]["file"], told[0]["title"]) == (str(story), "é复旦😀")
    else:
        assert "école 复旦 😀" in json.dumps(told, ensure_ascii=False)


@pytest.mark.parametrize(("encoding", "mark"), [("gbk", "√"), ("ascii", "+"), ("utf-8", "✓")])
def test_what_holds_is_marked_by_what_a_terminal_has(encoding: str, mark: str) -> None:
    done = ran(["replay", STORY, "--lang", "en"], encoding=encoding)
    assert done.stdout.decode(encoding).startswith(f"{mark} ")


@pytest.mark.parametrize("encoding", ["gbk", "ascii", "utf-16"])
def test_a_page_is_in_the_encoding_that_it_names(encoding: str) -> None:
    asked = ["dossier", STORY, "--format", "html", "--lang", "zh"]
    page = ran(asked, encoding=encoding).stdout.decode("utf-8")
    assert '<meta charset="utf-8">' in page
    assert "院校" in page


def test_a_file_name_in_no_encoding_is_told_all_the_same(tmp_path: Path) -> None:
    name = os.fsdecode(bytes(tmp_path) + b"/\xff.yaml")
    Path(name).write_bytes(STORY.read_bytes())
    assert ran(["replay", name]).returncode == 0
    (told,) = json.loads(ran(["replay", name, "--json"]).stdout)
    assert told["file"] == name
    done = ran(["replay", name + "x"])
    assert (done.returncode, done.stderr) == (2, b"")
    assert b"\\udcff.yamlx:1:1: no such file" in done.stdout


# What cannot be written

COMMANDS = [
    ["--help"],
    ["replay", "--help"],
    ["--version"],
    ["replay", STORY],
    ["replay", STORY, "--json"],
    ["audit", STORY, "--csv"],
    ["dossier", STORY, "--format", "html"],
    ["dossier", STORY],
    ["show", STORY],
    ["explain", STORY],
    ["timeline", STORY],
    ["audit", STORY],
    ["audit", STORY, "--count", "kind"],
    ["policy", "show", "shanghai-2025"],
    ["policy", "diff", "shanghai-2024", "shanghai-2025"],
    ["policy", "diff", "shanghai-2024", "shanghai-2025", "--json"],
    ["completion", "bash"],
    ["schema", "story"],
    ["diagram"],
]
every = pytest.mark.parametrize(
    "command", COMMANDS, ids=lambda command: " ".join(map(str, command)).replace(str(ROOT), "")
)


@every
def test_a_full_disk_is_one_line(command: list[object]) -> None:
    with open("/dev/full", "wb") as full:
        done = ran(command, full)
    assert failed(done) == "yibao: the output cannot be written: No space left on device"


@pytest.mark.parametrize("room", [1024, 4096])
@pytest.mark.parametrize("asked", [[], ["--count", "kind"]], ids=["entries", "counts"])
def test_a_workbook_that_does_not_fit_is_one_line(
    asked: list[str], room: int, tmp_path: Path
) -> None:
    limited = f"import resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({room}, {room}))"
    run = "from yibao.adapters.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", f"{limited}; {run}", "audit", STORY, *asked, "--xlsx", "a.xlsx"],
        cwd=tmp_path,
        env=environment() | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
    )
    assert failed(done) == "yibao: 'a.xlsx' could not be written: File too large"
    assert list(tmp_path.iterdir()) == []


@every
def test_a_pipe_that_nobody_reads_is_one_line(command: list[object]) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "wb") as pipe:
        done = ran(command, pipe)
    assert failed(done) == "yibao: the output cannot be written: Broken pipe"


def test_whoever_reads_the_first_line_only_ends_it(tmp_path: Path) -> None:
    names = []
    for number in range(40):  # more than a pipe holds
        names.append(tmp_path / f"{number}.yaml")
        names[-1].write_bytes(STORY.read_bytes())
    with subprocess.Popen(
        [sys.executable, "-m", "yibao", "replay", "--json", *map(str, names * 3)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(1) == b"["
        process.stdout.close()
        told = process.stderr.read().decode()
    assert (process.returncode, told) == (2, "yibao: the output cannot be written: Broken pipe\n")


@pytest.mark.parametrize("command", [["replay", str(STORY)], ["rply"], ["policy", "show", "none"]])
@pytest.mark.parametrize("stderr", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize("stdout", [">/dev/full", ">&-"])
def test_where_nothing_can_be_written_that_is_told_by_2(
    command: list[str], stdout: str, stderr: str
) -> None:
    line = f'"$@" {stdout} {stderr}'
    done = subprocess.run(
        ["/bin/sh", "-c", line, "sh", sys.executable, "-m", "yibao", *command],
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")


def test_what_is_written_nowhere_may_be_closed(tmp_path: Path) -> None:
    """A file that SQLite opened as the standard output that is closed would be written into."""
    line = f'"$@" --store sqlite:///{tmp_path}/facts.db'
    for closed in ("", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
        asked = "init" if not closed else "check"
        done = subprocess.run(
            ["/bin/sh", "-c", f"{line} {closed}", "sh", sys.executable, "-m", "yibao", "db", asked],
            env=environment(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == (2 if ">&-" in closed.replace("2>&-", "") else 0)


# Where nobody watches

#: Neither a page nor the diagram, whose empty lines have blanks, is padded by yibao.
SHOWN = [command for command in COMMANDS if not {"html", "diagram"} & set(map(str, command))]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    "command", SHOWN, ids=lambda each: " ".join(map(str, each)).replace(str(ROOT), "")
)
def test_what_goes_into_a_pipe_is_not_padded(command: list[object], lang: str, run: Run) -> None:
    translated = command[0] not in ("completion", "schema", "--help", "--version")
    told = run(*command, *(["--lang", lang] if translated and "--help" not in command else []))
    assert told.exit_code == 0
    assert [line for line in told.stdout.splitlines() if line != line.rstrip()] == []


def on_a_terminal(command: Sequence[object], *, out: bool) -> tuple[str, bytes]:
    """What a terminal is sent that is standard error, and standard output where that is none."""
    mine, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "yibao", *map(str, command)],
        env={**environment(), "TERM": "xterm"},
        stdout=theirs if out else subprocess.PIPE,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        told = b""
        while part := _read(mine):
            told += part
        os.close(mine)
        kept = b"" if out else process.stdout.read() if process.stdout else b""
    assert process.returncode == 0
    return told.decode(), kept


def test_a_bar_is_shown_to_who_watches_and_to_nobody_else(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.yaml").write_bytes(STORY.read_bytes())
    seen, kept = on_a_terminal(["replay", tmp_path, "--json"], out=False)
    assert "replaying" in seen
    assert len(json.loads(kept)) == 3
    seen, _ = on_a_terminal(["replay", tmp_path], out=True)  # the lines tell how far it is
    assert "replaying" not in seen
    assert ran(["replay", tmp_path, "--json"]).stderr == b""


def test_a_bar_is_what_is_told_of_long_work(tmp_path: Path) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    with watched(Terminal(), "copying") as watch:
        assert watch is not None
    with watched(StringIO(), "copying") as watch:
        assert watch is None
    with watched(Terminal(), "copying", Terminal()) as watch:
        assert watch is None
    store = f"sqlite:///{tmp_path / 'facts.db'}"
    yibao.open(store).close()
    told: list[tuple[int, int]] = []
    backup(store, tmp_path / "copy.db", lambda *far: told.append(far))
    done, total = told[-1]
    assert done == total > 0


# What is no story


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("fifo", "no regular file"),
        ("to a fifo", "no regular file"),
        ("/dev/zero", "no regular file"),
        ("/dev/null", "no regular file"),
        ("socket", "no such device or address"),
        ("10 GB", f"larger than {MAX_BYTES} bytes"),
        ("loop", "too many levels of symbolic links"),
        ("folder", "is a directory"),
        ("long" * 100, "file name too long"),
        ("x/" * 3000, "file name too long"),
        ("GB18030", "not UTF-8"),
        ("UTF-16", "not UTF-8"),
        ("NUL", "a character that text cannot hold"),
    ],
    ids=lambda value: value[:20],
)
@pytest.mark.parametrize("command", ["replay", "explain", "policy check"])
def test_what_is_no_story_is_one_line_and_nothing_is_waited_for(
    command: str, name: str, why: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket may not be long
    os.mkfifo("fifo")
    Path("to a fifo").symlink_to("fifo")
    Path("loop").symlink_to("loop")
    Path("folder").mkdir()
    Path("folder", "again").symlink_to(".")
    Path("GB18030").write_bytes("title: 复旦".encode("gb18030"))
    Path("UTF-16").write_bytes("title: 复旦".encode("utf-16"))
    Path("NUL").write_bytes(b"title: a\0b")
    with open("10 GB", "wb") as large:  # sparse: takes no room
        large.truncate(10 * 1024**3)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket")
        done = run(*command.split(), name)
    assert done.exit_code == 2
    lines = (done.stdout if command == "replay" else done.stderr).splitlines()
    if command == "replay":  # folded where it is long, and a line that it cannot be read
        lines = ["".join(line.rstrip() for line in lines[:-1])]
    assert len(lines) == 1
    assert re.search(rf":1:\d+: {re.escape(why)}$", lines[0])


def test_a_file_that_grows_while_it_is_read_is_read_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "story.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    fstat = os.fstat

    def as_it_was(opened: int) -> Any:
        return os.stat_result((*fstat(opened)[:6], 1, *fstat(opened)[7:10]))

    monkeypatch.setattr(os, "fstat", as_it_was)
    with pytest.raises(SourceError, match="larger than"):
        read(path)
