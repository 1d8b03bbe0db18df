"""What became of a table, line by line for whoever imported it: counts, rows and codes."""

from collections.abc import Iterator

from yibao.adapters.office.imports import (
    FINE,
    VERDICTS,
    Imported,
    row_told,
    verdict_told,
    warning_told,
)
from yibao.adapters.views import in_one_line
from yibao.adapters.views.words import Words


def tell_imported(imported: Imported, words: Words) -> Iterator[str]:
    """Counts, what is to be looked at, and why each row is not as it should be."""
    if imported.dry_run:
        yield words("office", "dry_run")
    for verdict in VERDICTS:
        if count := imported.counts[verdict]:
            yield words.named(verdict_told(verdict, imported.kind, words), count)
    for warned in imported.warnings:
        yield in_one_line(warning_told(warned, words))
    for row in imported.rows:
        if row.verdict not in FINE:
            why, mend = row_told(row, words)
            called = verdict_told(row.verdict, imported.kind, words)
            told = words("office", "told", row=row.row, verdict=called)
            yield in_one_line(words.joined(filter(None, (words.named(told, why), mend)), "apart"))
