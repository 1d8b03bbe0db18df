"""What a page shows is run, and what comes out is compared with what it shows beneath."""

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import NamedTuple

from click.testing import CliRunner

from yibao.adapters.cli import main


class Shown(NamedTuple):
    """A command, or some lines of Python, and the output that the page shows beneath."""

    language: str
    code: str
    output: str

    def run(self) -> str:
        """What it writes to standard output."""
        return asked(self.code) if self.language == "console" else printed(self.code)

    def drifted(self, came: str) -> list[tuple[str, str]]:
        """The lines that differ from what came, beside what is shown; `…` alone is any lines."""
        if self.output.strip() == "…":
            return []
        expected, found = lines(self.output), lines(came)
        assert len(found) == len(expected), came
        return [
            (wanted, got)
            for wanted, got in zip(expected, found, strict=True)
            if not re.fullmatch(pattern(wanted), got)
        ]


def blocks(text: str) -> list[tuple[str, str]]:
    """The blocks of code of a page: language and content."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def shown(text: str) -> Iterator[Shown]:
    """What the console blocks and the Python of a text show, in order.

    The output of a Python block is the text block that follows it.
    """
    found = blocks(text)
    for number, (language, body) in enumerate(found):
        if language == "console":
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                joined = part.replace("\\\n", " ")
                command, _, output = joined.partition("\n")
                yield Shown(language, command, output)
        elif language == "python":
            following, output = found[number + 1]
            assert following == "text"
            yield Shown(language, body, output)


def lines(output: str) -> list[str]:
    return [line.rstrip() for line in output.strip("\n").splitlines()]


def pattern(line: str) -> str:
    """A line as it is shown; `…` stands for any text within it."""
    return ".*".join(re.escape(part) for part in line.split("…"))


def asked(command: str) -> str:
    """What a command writes to standard output."""
    program, *arguments = shlex.split(command)
    assert program == "yibao"
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, f"{command}\n{done.output}"
    return done.stdout


def printed(code: str) -> str:
    """What some lines of Python print."""
    told = io.StringIO()
    with redirect_stdout(told):
        exec(compile(code, "shown", "exec"), {"__name__": "shown"})
    return told.getvalue()
