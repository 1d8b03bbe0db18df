"""What became of the rows of a table, as JSON and as sentences."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple, get_args

from yibao.adapters.office.judging import REASONS
from yibao.adapters.office.reading import Warned
from yibao.adapters.views.words import Words
from yibao.domain.vocabulary import Category, Document

Verdict = Literal["registered", "declared", "known", "changed", "refused", "twice"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)

#: The verdicts of an import that leaves nothing to be looked at.
FINE: Final = frozenset({"registered", "declared", "known"})


class Change(NamedTuple):
    """A column in which a row says something else than what is known.

    `before` and `now` are codes or days; None where it is a name or a number, which is not told.
    """

    column: str
    before: str | None = None
    now: str | None = None


class RowVerdict(NamedTuple):
    """What became of a row: `code` and `column` of a refusal, and what goes with the verdict.

    With `twice` that are the rows that have the same number, with `changed` what has changed.
    """

    row: int
    verdict: Verdict
    code: str | None = None
    column: str | None = None
    beside: tuple[int, ...] = ()
    changes: tuple[Change, ...] = ()


class Imported(NamedTuple):
    """What became of a table of some kind. Nothing is recorded of a dry run."""

    dry_run: bool
    rows: Sequence[RowVerdict]
    warnings: Sequence[Warned]
    kind: str = "roster"

    @property
    def counts(self) -> dict[str, int]:
        """How many rows there are of each verdict."""
        counted = Counter(row.verdict for row in self.rows)
        return {verdict: counted[verdict] for verdict in VERDICTS}

    @property
    def is_fine(self) -> bool:
        """Whether there is nothing to be looked at: no row refused, told twice or changed."""
        return all(row.verdict in FINE for row in self.rows)


def imported_json(imported: Imported) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "dry_run": imported.dry_run,
        "counts": imported.counts,
        "warnings": [{"code": code, **parts} for code, parts in imported.warnings],
        "rows": [_row_json(row) for row in imported.rows],
    }


def _row_json(row: RowVerdict) -> dict[str, Any]:
    changes = [
        {"column": change.column, "from": change.before, "to": change.now} for change in row.changes
    ]
    return {
        "row": row.row,
        "verdict": row.verdict,
        "code": row.code,
        "with": changes or list(row.beside),
    }


def verdict_told(verdict: Verdict, kind: str, words: Words) -> str:
    """What a verdict is called over the rows of a table of some kind."""
    is_known = kind != "roster" and words.knows("known_verdict", verdict)
    return words("known_verdict" if is_known else "verdict", verdict)


def row_told(row: RowVerdict, words: Words) -> tuple[str, str]:
    """Why a row is as it is, and how to mend it; empty where there is nothing to do."""
    if row.verdict == "twice":
        code = row.code or "twice"
        others = words.joined(map(str, row.beside), "listed")
        return words("row_refused", code, rows=others), words("row_mend", code)
    if row.verdict == "changed":
        return words.joined((_change_told(each, words) for each in row.changes), "apart"), ""
    if row.verdict != "refused" or row.code is None:
        return "", ""
    if row.code not in REASONS:
        why = words("refusal", row.code) if words.knows("refusal", row.code) else row.code
        return why, words("row_mend", "refused")
    why = words("row_refused", row.code)
    if row.column:
        why = words.named(words("roster", row.column), why)
    return why, words("row_mend", row.code, words=_words_for(row.code, words))


def _change_told(change: Change, words: Words) -> str:
    column = words("roster", change.column)
    if change.before is None or change.now is None:
        return column
    before, now = (_value_told(change.column, each, words) for each in (change.before, change.now))
    return words.named(column, words("phrase", "from_to", before=before, now=now))


def _value_told(column: str, value: str, words: Words) -> str:
    return words(column, value) if words.knows(column, value) else value


def _words_for(code: str, words: Words) -> str:
    """The words that may stand in a cell which has another."""
    one_of: Mapping[str, tuple[str, Sequence[str]]] = {
        "unknown_document": ("document", [*Document]),
        "unknown_category": ("category", [*Category]),
        "residence_permit": ("document", [Document.HMT_RESIDENCE_PERMIT]),
    }
    section, codes = one_of.get(code, ("", []))
    return words.joined((words(section, each) for each in codes), "between")


def warnings_told(imported: Imported, words: Words) -> Iterator[str]:
    """What is to be looked at, a line each; many of a kind are one line."""
    for code, some in groupby(sorted(imported.warnings, key=_code), key=_code):
        warned = list(some)
        if len(warned) > _MANY and words.knows("table_warnings", code):
            yield words("table_warnings", code, count=len(warned), **warned[0].parts)
        else:
            yield from (warning_told(each, words) for each in warned)


#: So many warnings of a kind are told one by one.
_MANY: Final = 5


def _code(warned: Warned) -> str:
    return warned.code


def warning_told(warned: Warned, words: Words) -> str:
    """What is to be looked at."""
    return words("table_warning", warned.code, **warned.parts)
