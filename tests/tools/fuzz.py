"""Throws broken stories, editions and arguments at yibao; only its own errors may come back.

`make fuzz` runs it for minutes, the suite for a moment. Run `python tests/tools/fuzz.py --help`.
"""

import contextlib
import random
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any

import click

from yibao.adapters.editions.files import Editions
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.stories.reading import read_story, story_files
from yibao.adapters.stories.replaying import replay
from yibao.domain.facts.commands import COMMANDS
from yibao.domain.refusals import YibaoError
from yibao.domain.vocabulary import EnrollmentId

ROOT = Path(__file__).parents[2]
STORIES = story_files(ROOT / "scenarios")
EDITIONS = sorted((ROOT / "domain" / "editions" / "policies").glob("*.yaml"))

HOSTILE = [
    b"",
    b"~",
    b"null",
    b"yes",
    b"0",
    b"-1",
    b"1e309",
    b"9" * 400,
    b"0001-01-01 00:00",
    b"9999-12-31 23:59",
    b"9999-12-31",
    b"2025-02-30",
    b"2025-09-06 14:20:60",
    b"2025-09-06 14:20+25:00",
    b"2025-09-06 14:20 +08:00",
    b"!!python/object/apply:os.system [id]",
    b"&a [*a]",
    b"*b",
    b"<<: {a: b}",
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "参保确认".encode("gb18030"),
    "参保确认".encode(),
    b'"\\ud800"',
    b"[" * 3000,
    b"{a: " * 400,
    b"? [x]: y",
    b"%YAML 1.1",
    b"---\n---",
    b"x" * 200_000,
    b"\xe2\x80\xae",
    b"|\n   text",
    b"none",
    b"pending",
    b"{}",
    b"[]",
]

#: So deep that nobody gets to the bottom of it.
NESTED: list[Any] = reduce(lambda within, _: [within], range(50_000), [])

ARGUMENTS: list[Any] = [
    NESTED,
    {"a": NESTED},
    Decimal("1E+999999999"),
    Decimal("sNaN"),
    10**5000,
    2**64,
    ("s1", 2025),
    EnrollmentId("s1", 2025),
    EnrollmentId(None, 2025),  # type: ignore[arg-type]
    EnrollmentId("s1", 10**5000),
    EnrollmentId("s1", "2025"),  # type: ignore[arg-type]
    "310101-19900101-1234",
    "2025-09-06 14:20+08:60",
    "coverage",
    None,
    "",
    "x" * 100_000,
    "s1",
    "\x00",
    "\ud800",
    "110101199003078515",
    "2025-09-06 14:20",
    "2025-09-06",
    "0001-01-01 00:00",
    "9999-12-31 23:59",
    0,
    -1,
    10**30,
    1.5,
    True,
    b"bytes",
    [],
    {},
    object(),
    datetime(2025, 9, 6, 14, 20),  # noqa: DTZ001 - a naive instant is what is tried
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
    datetime(2025, 9, 6, 6, 20, tzinfo=UTC),
    date(1, 1, 1),
    date(9999, 12, 31),
    date(2025, 9, 6),
    "app",
    "proxy",
    "passport",
    "undergraduate",
    "shanghai-2025",
    "no-such-edition",
    float("nan"),
    float("inf"),
]


def broken(chance: random.Random, content: bytes) -> bytes:
    """The content with one to three things wrong in it."""
    for _ in range(chance.randint(1, 3)):
        lines = content.split(b"\n")
        at = chance.randrange(len(lines))
        how = chance.randrange(7)
        if how == 0:
            lines.insert(at, lines[chance.randrange(len(lines))])
        elif how == 1:
            del lines[at]
        elif how == 2:
            head, colon, _ = lines[at].partition(b": ")
            lines[at] = head + colon + chance.choice(HOSTILE)
        elif how == 3:
            lines[at] = b" " * chance.randrange(6) + lines[at]
        elif how == 4:
            place = chance.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + chance.choice(HOSTILE) + lines[at][place:]
        elif how == 5 and lines[at]:
            place = chance.randrange(len(lines[at]))
            lines[at] = lines[at][:place] + chance.randbytes(1) + lines[at][place + 1 :]
        else:
            lines = lines[:at]
        content = b"\n".join(lines)
    return content


def try_story(chance: random.Random, folder: Path) -> None:
    """A broken story is refused with its place, or replayed."""
    path = folder / "story.yaml"
    path.write_bytes(broken(chance, chance.choice(STORIES).read_bytes()))
    try:
        replay(read_story(path, Editions()), Editions()).service.close()
    except YibaoError as error:
        assert str(error).startswith(f"{path}:"), error


def try_edition(chance: random.Random, folder: Path) -> None:
    """A broken edition is refused with its place, or read."""
    path = folder / "own-edition.yaml"
    path.write_bytes(broken(chance, chance.choice(EDITIONS).read_bytes()))
    try:
        Editions().check(path)
    except YibaoError as error:
        assert str(error).startswith(f"{path}:"), error


def try_arguments(chance: random.Random, service: Service) -> None:
    """Any arguments are recorded or refused; what is refused leaves no trace."""
    name, kind = chance.choice([*COMMANDS.items()])
    values = {
        key: chance.choice(ARGUMENTS)
        for key in kind.model_fields
        if key not in ("ref", "observed") and (key == "at" or chance.random() < 0.8)
    }
    target = EnrollmentId("s1", 2025)
    before = len(service.facts(target))
    try:
        if name == "register":
            service.register(chance.choice(ARGUMENTS), **values)
        elif name == "fix_window":
            service.fix_window("shanghai-2025", **values)
        else:
            getattr(service, name)(target, **values)
    except (YibaoError, TypeError) as error:
        # A missing or unknown argument is Python's own TypeError.
        if isinstance(error, TypeError):
            assert "argument" in str(error), error
        assert len(service.facts(target)) == before
    for question in ("at", "known_at"):
        with contextlib.suppress(YibaoError):
            service.at(target, **{question: chance.choice(ARGUMENTS)})


#: What may be asked beside commands, and how many values belong to each.
ASKED = {
    "at": 2,
    "compare": 3,
    "review": 1,
    "history": 2,
    "trail_of": 1,
    "refused_attempts": 1,
    "facts": 1,
    "care_facts": 1,
    "window_facts": 1,
    "note": 1,
    "erase_note": 1,
    "enrollment_of": 1,
    "record": 2,
    "record_together": 2,
    "record_each": 1,
    "void": 2,
    "correct": 2,
}


def try_questions(chance: random.Random, service: Service) -> None:
    """Whatever is asked about whatever is answered or refused."""
    name = chance.choice([*ASKED])
    given = [chance.choice(ARGUMENTS) for _ in range(ASKED[name])]
    how: dict[str, Any] = {}
    if name in ("void", "correct"):
        how = {"at": "2025-09-06 14:20", "reason": "misread"}
        given[0] = EnrollmentId("s1", 2025)
    if name == "correct":
        how["changes"] = {chance.choice(["on", "school", "category"]): chance.choice(ARGUMENTS)}
        if facts := service.facts(given[0]):
            given[1] = chance.choice(facts).event_id
    if name == "record_each" and chance.random() < 0.5:
        given = [[(chance.choice(ARGUMENTS), chance.choice(ARGUMENTS)), chance.choice(ARGUMENTS)]]
    with contextlib.suppress(YibaoError):
        getattr(service, name)(*given, **how)


def run(seed: int, folder: Path, go_on: Callable[[int], bool]) -> int:
    """Tries one thing after the other as long as told; returns how many."""
    chance = random.Random(seed)
    count = 0
    with open_service("memory:") as service:
        while go_on(count):
            kind = chance.randrange(4)
            if kind == 0:
                try_story(chance, folder)
            elif kind == 1:
                try_edition(chance, folder)
            elif kind == 2:
                try_arguments(chance, service)
            else:
                try_questions(chance, service)
            count += 1
    return count


@click.command()
@click.option("--minutes", default=5.0, show_default=True)
@click.option("--seed", default=None, type=int, help="Default: another one each time.")
def main(minutes: float, seed: int | None) -> None:
    """Fuzz for minutes; the seed that is printed repeats a failure."""
    import tempfile

    chosen = random.randrange(2**32) if seed is None else seed
    click.echo(f"seed {chosen}")
    ends = time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory() as folder:
        count = run(chosen, Path(folder), lambda _: time.monotonic() < ends)
    click.echo(f"{count} tries, nothing but yibao's own errors")


if __name__ == "__main__":
    main()
