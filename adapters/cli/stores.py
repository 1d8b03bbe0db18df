"""`yibao db …`."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    FORCE,
    ONE_JSON,
    STORE,
    STORE_URL,
    examples,
    lang_option,
    policies_option,
    print_json,
)
from yibao.adapters.views import in_one_line, tell


@main.group(epilog=examples("db check --store facts.db", "db backup --store facts.db copy.db"))
def db() -> None:
    """Create, upgrade, check and copy a store."""


@db.command("init", epilog=examples("db init --store new.db"))
@STORE
@click.option(
    "--rehearsal",
    is_flag=True,
    help="It is for stories alone: `replay` records there (default: for what happens).",
)
@lang_option
def init_store(store: str, rehearsal: bool, lang: Any) -> None:
    """Create a store where there is none.

    It is for what happens, or a rehearsal store for stories.
    """
    from yibao.adapters.upkeep import init
    from yibao.adapters.views.words import Words

    words = Words(lang)
    tell(words("store", "created", layout=init(store, rehearsal=rehearsal)))
    if rehearsal:
        tell(words("store", "rehearsal"))


@db.command("migrate", epilog=examples("db migrate --store facts.db"))
@STORE
@lang_option
def migrate_store(store: str, lang: Any) -> None:
    """Bring a store that is there to the newest layout.

    Opening a file does so, too.
    """
    from yibao.adapters.upkeep import migrate
    from yibao.adapters.views.words import Words

    before, now = migrate(store)
    tell(Words(lang)("store", "migrated", before=before, now=now))


@db.command(
    "copy",
    epilog=examples(
        "db copy --store facts.db --to other.db",
        "db copy --store facts.db\n--to postgresql://owner@db.example.org/yibao",
    ),
)
@STORE
@click.option(
    "--to",
    type=STORE_URL,
    required=True,
    help="The store to copy to: a new file, or one after `db init`.",
)
@lang_option
def copy_store(store: str, to: str, lang: Any) -> None:
    """Copy a store into an empty one of either kind.

    As from a file into PostgreSQL. Whoever still records on the first is not heard
    of by the other: stop them before.
    """
    from yibao.adapters.store import shown
    from yibao.adapters.upkeep import copy
    from yibao.adapters.views.console import watched
    from yibao.adapters.views.words import Words

    words = Words(lang)
    with watched(sys.stderr, words("store", "copying")) as watch:
        facts = copy(store, to, watch)
    tell(in_one_line(words("store", "copied", facts=facts, file=shown(to))))


@db.command(
    "grant",
    epilog=examples(
        "db grant counter\n--store postgresql://owner@db.example.org/yibao",
        "db grant auditor --read-only\n--store postgresql://owner@db.example.org/yibao",
    ),
)
@STORE
@click.argument("role")
@click.option(
    "--read-only", "reads_only", is_flag=True, help="It may ask, and not record (default: both)."
)
@lang_option
def grant_store(store: str, role: str, reads_only: bool, lang: Any) -> None:
    """Let a ROLE of PostgreSQL append and read.

    It may neither change nor delete a fact.
    """
    from yibao.adapters.upkeep import grant
    from yibao.adapters.views.words import Words

    grant(store, role, reads_only=reads_only)
    tell(Words(lang)("store", "reads" if reads_only else "appends", role=role))


@db.command("check", epilog=examples("db check --store facts.db"))
@STORE
@ONE_JSON
@policies_option
@lang_option
def check_store(store: str, as_json: bool, policies: Path | None, lang: Any) -> None:
    """Read everything in a store and tell what is not right.

    Exit 1 where anything is not. The store is not changed, and may be at work meanwhile.
    """
    from yibao.adapters.editions import Editions
    from yibao.adapters.upkeep import check
    from yibao.adapters.views.console import watched
    from yibao.adapters.views.words import Words

    words = Words(lang)
    with watched(sys.stderr, words("store", "checking")) as watch:
        health = check(store, Editions(policies), watch)
    if as_json:
        findings = [finding._asdict() for finding in health.findings]
        print_json({"format": 1, **health._asdict(), "findings": findings})
    else:
        counts = health._asdict()
        tell(words("store", "holds", **counts))
        if health.rehearsal:
            tell(words("store", "rehearsal"))
        for finding in health.findings:
            tell(words.named(words("finding", finding.code), words.said(finding.where)))
        if not health.findings:
            tell(words("store", "whole"))
    sys.exit(1 if health.findings else 0)


@db.command("backup", epilog=examples("db backup --store facts.db copy.db"))
@STORE
@click.argument("to", type=click.Path(path_type=Path))
@FORCE
@lang_option
def backup_store(store: str, to: Path, force: bool, lang: Any) -> None:
    """Copy a store into the new file TO, while it is at work.

    The copy is of one moment.
    """
    from yibao.adapters.upkeep import backup
    from yibao.adapters.views.console import watched
    from yibao.adapters.views.words import Words

    words = Words(lang)
    with watched(sys.stderr, words("store", "copying")) as watch:
        facts = backup(store, to, watch, force=force)
    tell(in_one_line(words("store", "copied", facts=facts, file=to)))
