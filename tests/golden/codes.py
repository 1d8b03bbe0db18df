"""Writes docs/codes.md: python tests/golden/codes.py. A test compares the page with this."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import get_args

import yibao
from yibao.adapters.views.words import Words
from yibao.domain.refusals import FAILURES, MEANINGS, REASONS, Retry, YibaoError

PAGE = Path(__file__).parents[2] / "docs" / "codes.md"

HEAD = """\
# Codes

Whatever goes wrong on purpose is a `yibao.YibaoError` with a `code`, which never changes its
meaning. `error.retry` tells whether trying again can help, `error.status` the HTTP status to answer
with; both are in the tables. The words are for people, in English and Chinese, and may become
better ones. This page is written from [`MEANINGS`](../domain/refusals.py) by
[codes.py](../tests/golden/codes.py).

| `retry` | can trying again help? | 再试有用吗？ |
| --- | --- | --- |
"""
REFUSALS = """\

## Refusals

A command that is refused raises `yibao.Refused`, or a class beneath it; nothing is recorded, and
the command id may be used again. `error.details` names places, versions and days, never what was
given. The type of all these codes is `yibao.Code`.

| code | meaning | 含义 | `retry` | status |
| --- | --- | --- | --- | --- |
"""
OTHERS = """\

## Other errors

These are about the store, an edition or a question, not about a command.

| code | raised | meaning | 含义 | `retry` | status |
| --- | --- | --- | --- | --- | --- |
"""
TAIL = """\

## Command ids

A command id belongs to one stream: a student's enrollment, her care, or an edition. In another
stream the same id is another command's. Repeated there with the same content it returns the first
receipt and records nothing, however often and however late; with other content it is refused with
`command_id_reused`. A refused command leaves its id free. So a command whose answer was lost
(`interrupted`, a timeout, a crash) is tried again with the same id.
"""


def page() -> str:
    """The page as it has to be."""
    en, zh = Words("en"), Words("zh")
    retries = [_row(f"`{each}`", en("retry", each), zh("retry", each)) for each in get_args(Retry)]
    refusals = [
        _row(f"`{code}`", en("refusal", code), zh("refusal", code), *_means(code))
        for code in REASONS
    ]
    raised = {kind.failure: kind for kind in reversed(kinds())}
    others = [
        _row(
            f"`{code}`",
            f"`{raised[code].__name__}`",
            en("failure", code),
            zh("failure", code),
            *_means(code),
        )
        for code in FAILURES
    ]
    parts = (HEAD, *retries, REFUSALS, *refusals, OTHERS, *others, TAIL)
    return "".join(parts)


def kinds() -> list[type[YibaoError]]:
    """Every class of what yibao raises on purpose, in whatever module it is."""
    for module in walk_packages(yibao.__path__, "yibao."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)
    found = [YibaoError]
    for kind in found:
        found += kind.__subclasses__()
    return found


def _means(code: str) -> Iterator[str]:
    meaning = {str(known): told for known, told in MEANINGS.items()}[code]
    yield f"`{meaning.retry}`"
    yield str(meaning.status)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
