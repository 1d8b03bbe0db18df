"""Our law over columns, all its rules with their reasons, beside one simple rule of OpenFisca.

OpenFisca has an environment of its own, made where it is lacking of what is pinned beside this
file. Both begin with the numbers of everybody in memory and end with the days of cover of each;
ours are the four values with what they came about by.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from venv import create

import click
from given.cohort import LEARNED, everybody
from measured import Row, rate, told

from yibao.adapters.editions.files import Editions
from yibao.domain.calendar import read_instant
from yibao.domain.rules import as_of, values
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.cohort.columns import DayColumn
from yibao.projections.cohort.paths import Group, unpacked, went
from yibao.projections.cohort.shapes import Reading, Shape, Words, known_of, numbered, packed
from yibao.projections.cohort.tree import Tree
from yibao.projections.record import EditionRecord, Log, Record

HERE = Path(__file__).parent
ELSEWHERE = HERE.parent / ".venv-openfisca"
PINNED = HERE / "requirements-openfisca.txt"
AT = read_instant("2025-12-01 12:00")
ROUNDS = 5


def openfisca() -> str:
    """The interpreter that has OpenFisca, and nothing of ours."""
    python = ELSEWHERE / "bin" / "python"
    is_ready = ELSEWHERE / f".{PINNED.stat().st_mtime_ns}"
    if not is_ready.exists():
        create(ELSEWHERE, clear=True, with_pip=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([python, *install, "--require-hashes", "-r", PINNED], check=True)
        is_ready.touch()
    return str(python)


def theirs(students: int) -> float:
    """Seconds of a processor for one simple rule."""
    rule = [openfisca(), str(HERE / "openfisca_rule.py"), str(students)]
    return float(subprocess.run(rule, check=True, capture_output=True, text=True).stdout)


class Law:
    """The values of everybody in some groups; the paths taken are known from then on."""

    def __init__(self, groups: Sequence[Group], words: Words) -> None:
        self._groups = [(group, Tree()) for group in groups]
        self._words = words
        policy = Editions().get("shanghai-2025")
        self._edition = EditionRecord(policy, Log(()))

    def taken(self) -> float:
        """Seconds of a processor for everybody's values, and for the day her cover begins."""
        began = time.process_time()
        for group, tree in self._groups:

            def read(reading: Reading, shape: Shape = group.shape) -> Any:
                case = known_of(shape, reading, lambda _: self._edition).case
                return case and values(as_of(case, AT), AT)

            for rows, end in went(tree, group.numbers, read, self._words):
                first = getattr(end.answer.coverage.value, "first", None)
                if isinstance(first, DayColumn):
                    first.column.at(rows)
        return time.process_time() - began


def groups_of(students: int, words: Words) -> list[Group]:
    """Students whose facts differ as real ones do, as they stand in columns."""
    edition = EditionRecord(Editions().get("shanghai-2025"), Log(()))
    found: dict[Shape, list[bytes]] = {}
    for number, facts in enumerate(everybody(students)):
        record = Record(EnrollmentId(f"s{number}", 2025), Log(facts), edition_of=lambda _: edition)
        shape, numbers = numbered(record.known_by(LEARNED), words) or _apart()
        found.setdefault(shape, []).append(packed(numbers))
    return [Group(shape, unpacked(rows)) for shape, rows in found.items()]


def _apart() -> Any:
    raise AssertionError("nobody has received care, or was there long ago")


def beside(sizes: Sequence[int]) -> Iterator[Row]:
    """The law, run for the first time and with its paths known, beside the one rule."""
    for students in sizes:
        words = Words()
        law = Law(groups_of(students, words), words)
        first = law.taken()
        again = min(law.taken() for _ in range(ROUNDS))
        other = theirs(students)
        for what, seconds in (("for the first time", first), ("its paths known", again)):
            yield Row(
                f"the four values of {students:,} students, {what}",
                told(rate(students, seconds)),
                "one rule of OpenFisca",
                told(rate(students, other)),
                other / seconds,
                "1",
            )


@click.command()
@click.argument("sizes", nargs=-1, type=int)
def main(sizes: Sequence[int]) -> None:
    """Measure for so many students each and print the rows."""
    for row in beside(sizes or (10_000, 100_000)):
        click.echo(f"{row.what}: {row.ours}, {row.against} {row.theirs}, ratio {row.ratio:.2f}")


if __name__ == "__main__":
    sys.exit(main())
