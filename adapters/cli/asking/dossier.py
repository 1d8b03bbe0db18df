"""`yibao dossier`: everything about one student in one document."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    AT,
    FORCE,
    KNOWN_AT,
    PROOFS,
    examples,
    lang_option,
    policies_option,
    store_here,
    years_options,
)
from yibao.adapters.views import in_one_line, json_for, tell, tell_page


@main.command(
    epilog=examples(
        "dossier story.yaml",
        "dossier --store facts.db --ref s1",
        "dossier --store facts.db --ref s1 --year 2025\n--format html --output s1.html",
    )
)
@years_options
@AT
@KNOWN_AT
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="A page to read, data, or a self-contained web page that prints well.",
)
@click.option("--output", help="A new file to write (default: -, standard output).")
@FORCE
@PROOFS
@policies_option
@lang_option
def dossier(
    at: datetime | None,
    known_at: datetime | int | None,
    form: str,
    output: str | None,
    force: bool,
    proofs: bool,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """Write everything about one student into one document.

    The notes kept beside her facts are included.
    """
    from yibao.adapters.cli.running.subjects import her_years
    from yibao.adapters.store.files import written
    from yibao.adapters.views.dossier import Dossiers, dossier_of
    from yibao.adapters.views.words import Words

    to = None if output in (None, "-") else Path(output)
    if force and to is None:
        raise click.UsageError("--force says nothing without --output")
    with her_years(policies, lang, whom) as asked:
        if len(asked.by_student()) > 1:
            raise click.UsageError("a dossier is about one student; name a --student")
        then = asked.cutoffs(asked.students, known_at)
        found = Dossiers(
            tuple(
                dossier_of(asked.service, one.enrollment, at or asked.at, cutoff, asked.known_at)
                for one, cutoff in zip(asked.students, then, strict=True)
            )
        )
        every_year = asked.students[0].year is not None
    if proofs:
        found = _proven(found, whom)
    text = _WRITTEN[form](found, every_year, Words(lang), "utf-8" if to else sys.stdout.encoding)
    if to is None:
        (tell_page if form == "html" else tell)(text)
        return
    with written(to, force=force) as new:
        new.write_text(text + "\n", encoding="utf-8")
    tell(in_one_line(Words(lang)("audit", "written", file=to)), err=True)


def _proven(dossiers: Any, whom: dict[str, Any]) -> Any:
    from yibao.adapters.cli.running.evidence import prover_of

    store = whom["store"] or store_here()
    if whom["file"] is not None or store is None:
        raise click.UsageError("--proofs says nothing beside FILE")
    with prover_of(store) as prover:
        return dossiers.proven(prover.at)


def _as_text(dossiers: Any, every_year: bool, words: Any, encoding: str) -> str:
    from yibao.adapters.views.console import dossier_text

    return dossier_text(dossiers, words, encoding)


def _as_json(dossiers: Any, every_year: bool, words: Any, encoding: str) -> str:
    """One object a year where no year was named, even if there is but one."""
    from yibao.adapters.views.dossier import dossier_json, dossiers_json

    told = dossiers_json(dossiers) if every_year else dossier_json(dossiers.years[0])
    return json_for(encoding, told, indent=2)


def _as_page(dossiers: Any, every_year: bool, words: Any, encoding: str) -> str:
    from yibao.adapters.views.pages import dossier_page

    return dossier_page(dossiers, words)


_WRITTEN = {"text": _as_text, "json": _as_json, "html": _as_page}
