"""`yibao replay`."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    ANOTHER_EDITION,
    ASKED,
    EDITION,
    FILE,
    KNOWN_AT,
    STORE_URL,
    examples,
    lang_option,
    policies_option,
    print_json,
)


@main.command(
    epilog=examples(
        "replay scenarios",
        "replay story.yaml --at 2025-12-01 --lang zh",
        "replay story.yaml --json",
        "replay story.yaml --store rehearsal.db --by counter-1",
    )
)
@click.argument("paths", nargs=-1, required=True, type=FILE)
@click.option(
    "--at",
    type=ASKED,
    help="The instant asked about, or a day: its end (default: the story's latest).",
)
@KNOWN_AT
@click.option("--policy", type=EDITION, help=f"{ANOTHER_EDITION} (default: its own).")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON array, one object a file (default: for people).",
)
@click.option(
    "--store",
    type=STORE_URL,
    default="memory:",
    help="The rehearsal store to record in, a new file or one made by `db init --rehearsal` "
    "(default: a fresh store a file, whatever $YIBAO_STORE says).",
)
@click.option(
    "--by",
    envvar="YIBAO_BY",
    default="story",
    help="Who records the steps that name nobody (default: $YIBAO_BY, else story).",
)
@policies_option
@lang_option
def replay(
    paths: tuple[Path, ...],
    at: datetime | None,
    known_at: datetime | int | None,
    policy: str | None,
    as_json: bool,
    store: str,
    by: str,
    policies: Path | None,
    lang: Any,
) -> None:
    """Replay stories, and check what they expect.

    They run through the real service and a real store. PATHS are story files or folders of them.
    Exits with 0 when everything holds, 1 when a step fails, 2 when a file cannot be read.

    A story says itself when it was recorded, so it goes into a rehearsal store alone: one that
    holds nothing but stories, each student once. Any other store is refused.
    """
    from yibao.adapters.cli.running.replay_files import Replayer, summary
    from yibao.adapters.editions import Editions
    from yibao.adapters.views import console
    from yibao.adapters.views.console import watched
    from yibao.adapters.views.words import Words

    words = Words(lang)
    replayer = Replayer(Editions(policies), words, at, known_at, policy, store, by)
    files = replayer.files(paths)
    out = console.to(sys.stdout)
    results = []
    beside = None if as_json else sys.stdout
    with watched(sys.stderr, words("phrase", "replaying"), beside) as watch:
        for number, file in enumerate(files):
            if watch and len(files) > 1:
                watch(number, len(files))
            result = replayer.run(file)
            results.append(result)
            if not as_json:
                out.print(result.report(detailed=len(files) == 1))
    if as_json:
        print_json([result.as_json() for result in results])
    else:
        out.print(summary(results, words))
    sys.exit(max((result.exit_code for result in results), default=0))
