"""Of one student: `yibao show`, `explain`, `compare`, `review`, `history`, `timeline` …"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    ANOTHER_EDITION,
    ASKED,
    AT,
    CUTOFF,
    EDITION,
    JSON,
    KNOWN_AT,
    PART,
    examples,
    lang_option,
    latest_options,
    policies_option,
    print_json,
    subjects_options,
    years_options,
)
from yibao.adapters.views import in_one_line, tell


@main.command(
    epilog=examples(
        "show story.yaml",
        "show --store facts.db --ref s1",
        "show --store facts.db --ref s1 --year 2025 --at 2025-12-01 --lang zh",
    )
)
@latest_options
@AT
@KNOWN_AT
@policies_option
@lang_option
def show(
    at: datetime | None,
    known_at: datetime | int | None,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """Tell what holds about a student, in short.

    Of several years her latest, and a line of each other one, unless --year says otherwise; exit 1
    where she is unknown.
    """
    from yibao.adapters.cli.running.subjects import UnknownStudent, subjects
    from yibao.adapters.editions import Editions
    from yibao.adapters.views import console
    from yibao.adapters.views.console import short_report
    from yibao.adapters.views.words import Words

    words = Words(lang)
    try:
        with subjects(Editions(policies), **whom, years="around") as asked:
            told = [asked.answers(years, at, known_at) for _, years in asked.by_student()]
            others = asked.beside(at, known_at)
    except UnknownStudent as unknown:
        tell(unknown.told(words), err=True)
        sys.exit(1)
    for number, (*earlier, answer) in enumerate(told):
        if number:
            tell("")
        report = short_report(answer, words, earlier, others)
        console.to(sys.stdout).print(report)


@main.command(
    epilog=examples("explain story.yaml", "explain --store facts.db --ref s1 --year 2025")
)
@subjects_options
@AT
@KNOWN_AT
@click.option(
    "--policy",
    type=EDITION,
    help=f"{ANOTHER_EDITION} (default: its own).",
)
@JSON
@policies_option
@lang_option
def explain(
    at: datetime | None,
    known_at: datetime | int | None,
    as_json: bool,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """Show the tree behind each value: rule, clause, facts.

    Each value comes with its basis, stated or assumed, and the parameters it was reckoned with.
    """
    from yibao.adapters.cli.running.subjects import subjects
    from yibao.adapters.editions import Editions
    from yibao.adapters.shapes import explained
    from yibao.adapters.views import console
    from yibao.adapters.views.console import explanation
    from yibao.adapters.views.words import Words

    words = Words(lang)
    with subjects(Editions(policies), **whom) as asked:
        answers = [(one, asked.answer(one, at, known_at)) for one in asked.students]
    if as_json:
        print_json([one.as_json() | explained(answer) for one, answer in answers])
        return
    for one, answer in answers:
        console.to(sys.stdout).print(explanation(answer, words, year=one.year))


@main.command(
    epilog=examples(
        "compare story.yaml --known-at 2025-09-10",
        "compare --store facts.db --ref s1 --year 2025\n--known-at 3 --known-at 4",
    )
)
@subjects_options
@click.option(
    "--known-at",
    "known_at",
    type=CUTOFF,
    multiple=True,
    required=True,
    help="What was known by then: an instant, a day's end or a version; given twice, or once "
    "(default: compared with everything).",
)
@AT
@JSON
@policies_option
@lang_option
def compare(
    known_at: tuple[datetime | int, ...],
    at: datetime | None,
    as_json: bool,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """Show what changed between two states of knowledge.

    Beside each part stand the facts that changed it, and beneath what was recorded in between.
    """
    from yibao.adapters.cli.running.subjects import subjects
    from yibao.adapters.editions import Editions
    from yibao.adapters.shapes import comparison_json
    from yibao.adapters.views import console
    from yibao.adapters.views.console import comparison_report
    from yibao.adapters.views.words import Words

    if not 1 <= len(known_at) <= 2:
        raise click.UsageError("--known-at is given once or twice")
    with subjects(Editions(policies), **whom) as asked:
        then, *later = known_at
        now = later[0] if later else asked.known_at
        compared = [
            (one, asked.service.compare(one.enrollment, then, now, at=at or asked.at))
            for one in asked.students
        ]
    if as_json:
        print_json([one.as_json() | comparison_json(found) for one, found in compared])
        return
    for one, found in compared:
        if len(compared) > 1:
            tell(one.label)
        console.to(sys.stdout).print(comparison_report(found, Words(lang)))


@main.command(epilog=examples("review story.yaml", "review --store facts.db --ref s1 --year 2025"))
@subjects_options
@AT
@KNOWN_AT
@JSON
@policies_option
@lang_option
def review(
    at: datetime | None,
    known_at: datetime | int | None,
    as_json: bool,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """List care that would be assessed otherwise now.

    That is, care that was settled or refused; nothing is paid or taken back by itself.
    """
    from yibao.adapters.cli.running.subjects import subjects
    from yibao.adapters.editions import Editions
    from yibao.adapters.shapes import review_json
    from yibao.adapters.views import console
    from yibao.adapters.views.console import review_report
    from yibao.adapters.views.words import Words

    with subjects(Editions(policies), **whom) as asked:
        cutoff = asked.known_at if known_at is None else known_at
        found = [
            (one, asked.service.review(one.enrollment, at=at or asked.at, known_at=cutoff))
            for one in asked.students
        ]
    if as_json:
        print_json([one.as_json() | {"review": review_json(each)} for one, each in found])
        return
    for one, each in found:
        if len(found) > 1:
            tell(one.label)
        console.to(sys.stdout).print(review_report(each, Words(lang)))


@main.command(
    epilog=examples(
        "history story.yaml --value state",
        "history --store facts.db --ref s1",
        "history --store facts.db --ref s1 --year 2025 --at 2025-12-01",
    )
)
@years_options
@click.option(
    "--value",
    type=PART,
    metavar="PART",
    default="coverage",
    show_default=True,
    help="The part of the answer: state, coverage, next_steps …",
)
@click.option(
    "--at",
    type=ASKED,
    help="Answers about this instant, or a day: its end (default: as time went on).",
)
@JSON
@policies_option
@lang_option
def history(
    value: str,
    at: datetime | None,
    as_json: bool,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """List every answer ever given for a value, and what ended it.

    Each with from when until when it was the one given.
    """
    from yibao.adapters.cli.running.subjects import her_years
    from yibao.adapters.shapes import history_json
    from yibao.adapters.views import console
    from yibao.adapters.views.console import history_report
    from yibao.adapters.views.words import Words

    with her_years(policies, lang, whom) as asked:
        found = [(one, asked.service.history(one.whose, value, at=at)) for one in asked.students]
    if as_json:
        print_json([one.as_json() | history_json(value, at, held) for one, held in found])
        return
    for one, held in found:
        if len(found) > 1:
            tell(one.label)
        report = history_report(value, held, Words(lang), one.enrollment)
        console.to(sys.stdout).print(report)


@main.command(
    epilog=examples(
        "timeline story.yaml",
        "timeline --store facts.db --ref s1",
        "timeline --store facts.db --ref s1 --year 2025 --known-at 2025-09-10",
    )
)
@years_options
@AT
@KNOWN_AT
@policies_option
@lang_option
def timeline(
    at: datetime | None,
    known_at: datetime | int | None,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """Draw the lifecycle as bars over the calendar.

    As known now and, with --known-at, as known then beneath; each of several years beneath the one
    before it, on one calendar.
    """
    from yibao.adapters.cli.running.subjects import her_years
    from yibao.adapters.views import console
    from yibao.adapters.views.console import carries_blocks, timeline_report
    from yibao.adapters.views.words import Words

    out = console.to(sys.stdout)
    with her_years(policies, lang, whom) as asked:
        for name, years in asked.by_student():
            if len(asked.by_student()) > 1:
                tell(in_one_line(name))
            answers = asked.answers(years, at, None)
            if known_at is not None:
                answers += asked.answers(years, at, known_at)
            plainly = not carries_blocks(out.encoding)
            out.print(timeline_report(answers, Words(lang), min(out.width, 120), ascii=plainly))
