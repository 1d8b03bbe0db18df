"""`yibao office template …`."""

from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.office.group import office
from yibao.adapters.cli.options import FILE, FORCE, examples, lang_option
from yibao.adapters.views import in_one_line, tell


@office.group("template", epilog=examples("office template roster filled-in.xlsx"))
def templates() -> None:
    """Write empty tables to fill in."""


@templates.command(
    "roster",
    epilog=examples("office template roster", "office template roster mine.xlsx --lang zh"),
)
@click.argument("file", type=FILE, default=Path("roster-template.xlsx"))
@FORCE
@lang_option
def roster(file: Path, force: bool, lang: Any) -> None:
    """Write an empty roster into a new workbook.

    It is roster-template.xlsx here where no FILE is named. Its columns are explained, kinds of
    documents and students are chosen from lists, and every cell is text.
    """
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.office.workbooks import roster_template
    from yibao.adapters.store.files import written
    from yibao.adapters.views.words import Words

    words = Words(lang)
    with written(file, force=force) as to:
        roster_template(to, words)
    tell(in_one_line(words("office", "written", file=file)))
