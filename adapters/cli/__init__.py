"""The command line: `yibao replay | explain | compare | audit | history | dossier | …`."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click
from click.exceptions import Exit

from yibao import __version__
from yibao.adapters.views.terminal import in_one_line, json_for, tell
from yibao.domain.refusals import YibaoError

F = TypeVar("F", bound=Callable[..., Any])


class _Instant(click.ParamType[Any]):
    """An instant as people write it; with `versions` also a version of the stream.

    With `days` a day is the instant at which it begins.
    """

    name = "instant"

    def __init__(self, *, versions: bool = False, days: bool = False) -> None:
        self.versions = versions
        self.days = days

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from yibao.domain.calendar import midnight, read_day, read_instant

        if not isinstance(value, str):
            return value
        if self.versions and value.isascii() and value.isdigit() and len(value) < 10:
            return int(value)
        try:
            if self.days and len(value) == len("2025-09-01"):
                return midnight(read_day(value))
            return read_instant(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


INSTANT = _Instant()
CUTOFF = _Instant(versions=True)
BOUND = _Instant(days=True)
FILE = click.Path(path_type=Path)


class _Commands(click.Group):
    """Turns what yibao raises on purpose, and what cannot be written, into one line and exit 2."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        if sys.stdout is None:  # closed by whoever started us: nothing can be written to it
            sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
        if sys.stderr is None:
            sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
        for stream in (sys.stdout, sys.stderr):  # what they cannot write is told by its number
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        with _errors_told():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _errors_told():
            return super().invoke(ctx)


@contextmanager
def _errors_told() -> Iterator[None]:
    """Tells in one line what is raised inside, and what cannot be written; exits with its code."""
    try:
        try:
            yield
        except click.ClickException as error:
            said = StringIO()
            error.show(said)
            tell(said.getvalue().rstrip(), err=True)
            raise Exit(error.exit_code) from None
        except YibaoError as error:
            tell(f"yibao: {in_one_line(str(error))}", err=True)
            raise Exit(2) from None
        except KeyboardInterrupt:
            tell("yibao: interrupted", err=True)
            raise Exit(128 + signal.SIGINT) from None
        finally:  # here, where it can be told, and not when the interpreter ends
            sys.stdout.flush()
            sys.stderr.flush()
    except OSError as error:
        if error.filename is not None:  # no stream, but a file, and a mistake of ours
            raise
        _let_go(sys.stdout)
        try:
            tell(f"yibao: the output cannot be written: {error.strerror or error}", err=True)
        except OSError:
            _let_go(sys.stderr)
        raise Exit(2) from None


def _let_go(stream: TextIO) -> None:
    """Lets what a stream still holds go nowhere: the interpreter would fail over it at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _lang(command: F) -> F:
    return click.option(
        "--lang",
        type=click.Choice(["en", "zh"]),
        default="en",
        envvar="YIBAO_LANG",
        show_default=True,
        help="The language in which yibao speaks to people.",
    )(command)


def _policies(command: F) -> F:
    return click.option(
        "--policies",
        type=click.Path(file_okay=False, path_type=Path),
        help="A directory of policy editions of your own (default: $YIBAO_POLICIES).",
    )(command)


def _subjects(command: F) -> F:
    """Whom it is about: a story's FILE and a --student of it, or one in a --store."""
    for option in (
        click.option("--year", type=int, help="The benefit year in the store."),
        click.option("--ref", help="The student's reference in the store."),
        click.option("--store", help="Of a student in a store instead: sqlite:///PATH."),
        click.option("--student", help="The student's name in the story, where it has several."),
        click.argument("file", type=FILE, required=False),
    ):
        command = option(command)
    return command


_AT = click.option(
    "--at", type=INSTANT, help="The instant asked about (default: a story's latest, or now)."
)
_KNOWN_AT = click.option(
    "--known-at", type=CUTOFF, help="What was known by then: an instant or a version."
)
_FORCE = click.option(
    "--force", is_flag=True, help="Replace a file that is there already; a store never is."
)
_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON array, one object a student."
)


@click.group(cls=_Commands)
@click.version_option(__version__)
def main() -> None:
    """Who is covered, since when, until when, and why: enrollment of students in Shanghai."""


@main.command()
@click.argument("paths", nargs=-1, required=True, type=FILE)
@click.option("--at", type=INSTANT, help="The instant asked about (default: the story's latest).")
@click.option(
    "--known-at", type=CUTOFF, help="What was known by then: an instant, or a stream version."
)
@click.option("--policy", help="Replay under another edition than the story's own.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, one object a file.")
@click.option(
    "--store",
    default="memory:",
    help="The rehearsal store to record in, a new file or one made by `db init --rehearsal` "
    "(default: a fresh store a file).",
)
@_policies
@_lang
def replay(
    paths: tuple[Path, ...],
    at: datetime | None,
    known_at: datetime | int | None,
    policy: str | None,
    as_json: bool,
    store: str,
    policies: Path | None,
    lang: Any,
) -> None:
    """Replay stories through the real service and store, and check what they expect.

    PATHS are story files or folders of them. Exits with 0 when everything holds, 1 when a step
    fails, 2 when a file cannot be read.

    A story says itself when it was recorded, so it goes into a rehearsal store alone: one that
    holds nothing but stories, each student once. Any other store is refused.
    """
    from yibao.adapters.cli.replay_files import Replayer, summary
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.views import console
    from yibao.adapters.views.words import Words

    words = Words(lang)
    replayer = Replayer(Editions(policies), words, at, known_at, policy, store)
    files = replayer.files(paths)
    out, err = console.to(sys.stdout), console.to(sys.stderr)
    results = []
    with replayer.watched(files, err) as watched:
        for file in watched:
            result = replayer.run(file)
            results.append(result)
            if not as_json:
                out.print(result.report(detailed=len(files) == 1))
    if as_json:
        _print_json([result.as_json() for result in results])
    else:
        out.print(summary(results, words))
    sys.exit(max((result.exit_code for result in results), default=0))


@main.command()
@_subjects
@_AT
@_KNOWN_AT
@click.option("--policy", help="Replay under another edition than the story's own.")
@_JSON
@_policies
@_lang
def explain(
    at: datetime | None,
    known_at: datetime | int | None,
    as_json: bool,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """Show the tree behind each value: rule, clause, basis, facts and parameters."""
    from yibao.adapters.cli.subjects import subjects
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.shapes.explanation import explained
    from yibao.adapters.views import console
    from yibao.adapters.views.console.explanations import explanation
    from yibao.adapters.views.words import Words

    words = Words(lang)
    with subjects(Editions(policies), **whom) as asked:
        answers = {name: asked.answer(name, at, known_at) for name in asked.students}
    if as_json:
        _print_json([{"student": name, **explained(answer)} for name, answer in answers.items()])
        return
    for answer in answers.values():
        console.to(sys.stdout).print(explanation(answer, words))


@main.command()
@_subjects
@click.option(
    "--known-at",
    "known_at",
    type=CUTOFF,
    multiple=True,
    required=True,
    help="What was known by then; given twice, or once to compare with everything.",
)
@_AT
@_JSON
@_policies
@_lang
def compare(
    known_at: tuple[datetime | int, ...],
    at: datetime | None,
    as_json: bool,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """Show what changed between two states of knowledge, and which facts changed it."""
    from yibao.adapters.cli.subjects import subjects
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.shapes.comparison import comparison_json
    from yibao.adapters.views import console
    from yibao.adapters.views.console.comparisons import comparison_report
    from yibao.adapters.views.words import Words

    if not 1 <= len(known_at) <= 2:
        raise click.UsageError("--known-at is given once or twice")
    with subjects(Editions(policies), **whom) as asked:
        then, *later = known_at
        now = later[0] if later else asked.known_at
        compared = {
            name: asked.service.compare(enrollment, then, now, at=at or asked.at)
            for name, enrollment in asked.students.items()
        }
    if as_json:
        _print_json(
            [{"student": name, **comparison_json(found)} for name, found in compared.items()]
        )
        return
    for name, found in compared.items():
        if len(compared) > 1:
            tell(in_one_line(name))
        console.to(sys.stdout).print(comparison_report(found, Words(lang)))


@main.command()
@_subjects
@_AT
@_KNOWN_AT
@_JSON
@_policies
@_lang
def review(
    at: datetime | None,
    known_at: datetime | int | None,
    as_json: bool,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """List care that was settled or refused and would be assessed otherwise now."""
    from yibao.adapters.cli.subjects import subjects
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.shapes.care import review_json
    from yibao.adapters.views import console
    from yibao.adapters.views.console.care import review_report
    from yibao.adapters.views.words import Words

    with subjects(Editions(policies), **whom) as asked:
        cutoff = asked.known_at if known_at is None else known_at
        found = {
            name: asked.service.review(enrollment, at=at or asked.at, known_at=cutoff)
            for name, enrollment in asked.students.items()
        }
    if as_json:
        _print_json(
            [{"student": name, "review": review_json(each)} for name, each in found.items()]
        )
        return
    for name, each in found.items():
        if len(found) > 1:
            tell(in_one_line(name))
        console.to(sys.stdout).print(review_report(each, Words(lang)))


@main.command()
@_subjects
@click.option(
    "--value",
    default="coverage",
    show_default=True,
    help="The part of the answer: state, coverage, next_steps …",
)
@click.option("--at", type=INSTANT, help="Answers about this instant (default: as time went on).")
@_JSON
@_policies
@_lang
def history(
    value: str,
    at: datetime | None,
    as_json: bool,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """List every answer ever given for a value, from when until when, and what ended each."""
    from yibao.adapters.cli.subjects import subjects
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.following.trail.shapes import history_json
    from yibao.adapters.views import console
    from yibao.adapters.views.console.audit import history_report
    from yibao.adapters.views.words import Words

    with subjects(Editions(policies), **whom) as asked:
        found = {
            name: asked.service.history(enrollment, value, at=at)
            for name, enrollment in asked.students.items()
        }
    if as_json:
        _print_json(
            [{"student": name, **history_json(value, at, held)} for name, held in found.items()]
        )
        return
    for name, held in found.items():
        if len(found) > 1:
            tell(in_one_line(name))
        console.to(sys.stdout).print(history_report(value, held, Words(lang)))


@main.command()
@_subjects
@_AT
@_KNOWN_AT
@_policies
@_lang
def timeline(
    at: datetime | None,
    known_at: datetime | int | None,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """Draw the lifecycle as bars over the calendar, as known now and as known then."""
    from yibao.adapters.cli.subjects import subjects
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.views import console
    from yibao.adapters.views.console.timelines import carries_blocks, timeline_report
    from yibao.adapters.views.words import Words

    out = console.to(sys.stdout)
    with subjects(Editions(policies), **whom) as asked:
        for name in asked.students:
            if len(asked.students) > 1:
                tell(in_one_line(name))
            answers = [asked.answer(name, at, None)]
            if known_at is not None:
                answers.append(asked.answer(name, at, known_at))
            plainly = not carries_blocks(out.encoding)
            out.print(timeline_report(answers, Words(lang), min(out.width, 120), ascii=plainly))


@main.command()
@_subjects
@_AT
@_KNOWN_AT
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="A page to read, data, or a self-contained web page that prints well.",
)
@click.option("--output", help="A new file to write (default, and -: standard output).")
@_FORCE
@_policies
@_lang
def dossier(
    at: datetime | None,
    known_at: datetime | int | None,
    form: str,
    output: str | None,
    force: bool,
    policies: Path | None,
    lang: Any,
    **whom: Any,
) -> None:
    """Write everything about one student into one document, notes included."""
    from yibao.adapters.cli.subjects import subjects
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.store.files.written import written
    from yibao.adapters.views.dossier import dossier_of
    from yibao.adapters.views.words import Words

    to = None if output in (None, "-") else Path(output)
    if force and to is None:
        raise click.UsageError("--force says nothing without --output")
    editions = Editions(policies)
    with subjects(editions, **whom) as asked:
        if len(asked.students) > 1:
            raise click.UsageError("a dossier is about one student; name a --student")
        (enrollment,) = asked.students.values()
        found = dossier_of(asked.service, enrollment, at or asked.at, known_at, asked.known_at)
    text = _WRITTEN[form](found, Words(lang), "utf-8" if to else sys.stdout.encoding)
    if to is None:
        tell(text)
        return
    with written(to, force=force) as new:
        new.write_text(text + "\n", encoding="utf-8")
    tell(Words(lang)("audit", "written", file=to), err=True)


def _as_text(dossier: Any, words: Any, encoding: str) -> str:
    from yibao.adapters.views.console.dossier import dossier_text

    return dossier_text(dossier, words, encoding)


def _as_json(dossier: Any, words: Any, encoding: str) -> str:
    from yibao.adapters.views.dossier import dossier_json

    return json_for(encoding, dossier_json(dossier), indent=2)


def _as_page(dossier: Any, words: Any, encoding: str) -> str:
    from yibao.adapters.views.pages.dossier import dossier_page

    return dossier_page(dossier, words)


_WRITTEN = {"text": _as_text, "json": _as_json, "html": _as_page}


_TRAIL = click.option(
    "--trail", help="The file of the audit trail, a path or sqlite:///PATH (default: the store's)."
)


@main.command()
@click.argument("file", type=FILE, required=False)
@click.option("--store", help="The store to ask: sqlite:///PATH.")
@_TRAIL
@click.option("--ref", help="Of this student.")
@click.option("--year", type=int, help="Of this benefit year.")
@click.option("--edition", help="Under this edition.")
@click.option("--school", help="Of students then at this school.")
@click.option("--by", help="By this actor.")
@click.option("--via", help="Via this channel.")
@click.option("--kind", help="Of this kind: confirmed, voided, … or refused.")
@click.option("--code", help="Refused, or not fitting, with this code.")
@click.option("--correlation-id", help="Of this correlation id.")
@click.option("--facts-only", is_flag=True, help="Without what was refused.")
@click.option("--changed", help="That changed this part of the answer: coverage, state …")
@click.option("--recorded-from", type=BOUND, help="Recorded at this instant or later.")
@click.option("--recorded-until", type=BOUND, help="Recorded before this instant.")
@click.option("--happened-from", type=BOUND, help="Happened at this instant or later.")
@click.option("--happened-until", type=BOUND, help="Happened before this instant.")
@click.option("--newest-first", is_flag=True, help="The newest first (default: the oldest).")
@click.option("--size", type=click.IntRange(1, 10000), help="Of a page (default: 50).")
@click.option("--after", help="Go on after this key, with which the page before ended.")
@click.option("--all", "every", is_flag=True, help="Every entry, page after page.")
@click.option("--brief", is_flag=True, help="One line an entry.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, one line an entry: all of them.")
@_policies
@_lang
def audit(policies: Path | None, lang: Any, **asked: Any) -> None:
    """Ask the audit trail: who recorded what, when and why, what it changed, what was refused.

    Of a story's FILE or a --store. Everything given must fit.
    """
    from yibao.adapters.cli.audit_report import audited
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.views.words import Words

    audited(Editions(policies), Words(lang), sys.stdout, sys.stderr, **asked)


@main.command()
@click.option(
    "--setting",
    required=True,
    type=click.Choice(["campus_clinic", "village_clinic", "outpatient", "emergency", "inpatient"]),
    help="Where care is given.",
)
@click.option("--level", type=click.Choice(["first", "second", "third"]), help="Of the hospital.")
@click.option("--cost", required=True, help="The eligible cost in yuan, as 120.00.")
@click.option("--on", required=True, help="The day of care, or of admission.")
@click.option("--province", help="Where, if not in Shanghai.")
@click.option("--story", type=FILE, help="Of a student in a story.")
@click.option("--student", help="The student's name in the story, where it has several.")
@click.option("--store", help="Of a student in a store: sqlite:///PATH.")
@click.option("--ref", help="The student's reference in the store.")
@click.option("--year", type=int, help="The benefit year in the store.")
@click.option("--policy", default="shanghai-2025", show_default=True, help="Anybody's edition.")
@click.option("--registered", help="Anybody's registration day.")
@click.option("--confirmed", type=INSTANT, help="The instant of the confirmation.")
@click.option("--lapsed-years", type=int, help="What the check found.")
@click.option("--document", default="resident_id_card", show_default=True, help="Anybody's.")
@click.option("--category", default="undergraduate", show_default=True, help="Anybody's.")
@click.option("--employee-cover-stopped", help="The first day without employee cover.")
@click.option(
    "--medical-card", type=INSTANT, help="The instant at which a medical card was issued."
)
@click.option(
    "--filed", type=INSTANT, help="The instant at which care in the province was filed for."
)
@click.option("--withdrawn", help="The first day outside.")
@click.option("--at", type=INSTANT, help="The instant asked about (default: the end of that day).")
@click.option("--known-at", type=CUTOFF, help="What was known by then: an instant or a version.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_policies
@_lang
def quote(as_json: bool, policies: Path | None, lang: Any, **asked: Any) -> None:
    """Tell what a piece of care would cost, without recording anything.

    For a student of a --story, for one in a --store, or for anybody described by --registered,
    --confirmed and what else is known.
    """
    from yibao.adapters.cli.quotes import quoted
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.shapes.care import care_json
    from yibao.adapters.views import console
    from yibao.adapters.views.console.care import quote_report
    from yibao.adapters.views.words import Words

    assessed = quoted(Editions(policies), **asked)
    if as_json:
        left = {"deductible_left": str(assessed.deductible_left.value)}
        covered_from = assessed.covered_from.isoformat() if assessed.covered_from else None
        told = care_json(assessed) | left | {"covered_from": covered_from}
        _print_json(told)
        return
    console.to(sys.stdout).print(quote_report(assessed, Words(lang)))


@main.group()
def policy() -> None:
    """List, show and check policy editions."""


@policy.command("list")
@_policies
@_lang
def list_editions(policies: Path | None, lang: Any) -> None:
    """List the editions at hand."""
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.views import console
    from yibao.adapters.views.console.editions import policy_list
    from yibao.adapters.views.words import Words

    console.to(sys.stdout).print(policy_list(Editions(policies), Words(lang)))


@policy.command("show")
@click.argument("edition")
@_policies
@_lang
def show_edition(edition: str, policies: Path | None, lang: Any) -> None:
    """Show every parameter and rule of an EDITION with its citation."""
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.views import console
    from yibao.adapters.views.console.editions import policy_tables
    from yibao.adapters.views.words import Words

    found = Editions(policies).get(edition)
    console.to(sys.stdout).print(policy_tables(found, Words(lang)))


@policy.command("check")
@click.argument("file", type=FILE)
@_policies
@_lang
def check_edition(file: Path, policies: Path | None, lang: Any) -> None:
    """Check an edition in a FILE; a mistake is named with file, line and column."""
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.views.words import Words

    found = Editions(policies).check(file)
    tell(Words(lang)("phrase", "edition_is_right", edition=found.edition))


@main.group()
def db() -> None:
    """Create, upgrade, check and copy a store."""


_STORE = click.option(
    "--store", required=True, help="The store: sqlite:///PATH, or postgresql://HOST/DATABASE."
)


@db.command("init")
@_STORE
@click.option("--rehearsal", is_flag=True, help="It is for stories alone: `replay` records there.")
@_lang
def init_store(store: str, rehearsal: bool, lang: Any) -> None:
    """Create a store where there is none: for what happens, or a rehearsal store for stories."""
    from yibao.adapters.upkeep.creating import init
    from yibao.adapters.views.words import Words

    words = Words(lang)
    tell(words("store", "created", layout=init(store, rehearsal=rehearsal)))
    if rehearsal:
        tell(words("store", "rehearsal"))


@db.command("migrate")
@_STORE
@_lang
def migrate_store(store: str, lang: Any) -> None:
    """Bring a store that is there to the newest layout; opening a file does so, too."""
    from yibao.adapters.upkeep.creating import migrate
    from yibao.adapters.views.words import Words

    before, now = migrate(store)
    tell(Words(lang)("store", "migrated", before=before, now=now))


@db.command("copy")
@_STORE
@click.option("--to", required=True, help="The store to copy to: a new file, or after `db init`.")
@_lang
def copy_store(store: str, to: str, lang: Any) -> None:
    """Copy a store into an empty one of either kind, as from a file into PostgreSQL.

    Whoever still records on the first is not heard of by the other: stop them before.
    """
    from yibao.adapters.store.urls import shown
    from yibao.adapters.upkeep.copying import copy
    from yibao.adapters.views.console.progress import watched
    from yibao.adapters.views.words import Words

    words = Words(lang)
    with watched(sys.stderr, words("store", "copying")) as watch:
        facts = copy(store, to, watch)
    tell(words("store", "copied", facts=facts, file=shown(to)))


@db.command("grant")
@_STORE
@click.argument("role")
@click.option("--read-only", "reads_only", is_flag=True, help="It may ask, and not record.")
@_lang
def grant_store(store: str, role: str, reads_only: bool, lang: Any) -> None:
    """Let a ROLE of PostgreSQL append and read; it may neither change nor delete a fact."""
    from yibao.adapters.upkeep.creating import grant
    from yibao.adapters.views.words import Words

    grant(store, role, reads_only=reads_only)
    tell(Words(lang)("store", "reads" if reads_only else "appends", role=role))


@db.command("check")
@_STORE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_policies
@_lang
def check_store(store: str, as_json: bool, policies: Path | None, lang: Any) -> None:
    """Read everything in a store and tell what is not right; exit 1 where anything is.

    The store is not changed, and may be at work meanwhile.
    """
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.upkeep.checking import check
    from yibao.adapters.views.console.progress import watched
    from yibao.adapters.views.words import Words

    words = Words(lang)
    with watched(sys.stderr, words("store", "checking")) as watch:
        health = check(store, Editions(policies), watch)
    if as_json:
        findings = [finding._asdict() for finding in health.findings]
        _print_json({"format": 1, **health._asdict(), "findings": findings})
    else:
        counts = health._asdict()
        tell(words("store", "holds", **counts))
        if health.rehearsal:
            tell(words("store", "rehearsal"))
        for finding in health.findings:
            tell(f"{words('finding', finding.code)}: {finding.where}")
        if not health.findings:
            tell(words("store", "whole"))
    sys.exit(1 if health.findings else 0)


@db.command("backup")
@_STORE
@click.argument("to", type=click.Path(path_type=Path))
@_FORCE
@_lang
def backup_store(store: str, to: Path, force: bool, lang: Any) -> None:
    """Copy a store into the new file TO, as it is at one moment, while it is at work."""
    from yibao.adapters.upkeep.copying import backup
    from yibao.adapters.views.words import Words

    facts = backup(store, to, force=force)
    tell(Words(lang)("store", "copied", facts=facts, file=to))


@main.group()
def projections() -> None:
    """See how far projections are, and keep them up with the facts."""


@projections.command("status")
@_STORE
@_TRAIL
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_policies
@_lang
def projections_status(
    store: str, trail: str | None, as_json: bool, policies: Path | None, lang: Any
) -> None:
    """Tell how far each projection is, how far behind, and whom it could not take in.

    Nothing is taken in by asking. Exit 1 where anything is parked, or a projection halts.
    """
    from yibao.adapters.cli.projecting import status_json, statuses
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.views.console.projections import status_report
    from yibao.adapters.views.words import Words

    found = statuses(store, trail, Editions(policies))
    if as_json:
        _print_json({"format": 1, "projections": [status_json(each) for each in found]})
    else:
        from yibao.adapters.views import console

        console.to(sys.stdout).print(status_report(found, Words(lang)))
    sys.exit(1 if any(each.standing.parked or each.halted for each in found) else 0)


@projections.command("follow")
@_STORE
@_TRAIL
@click.option("--once", is_flag=True, help="Take in what there is, and end.")
@click.option(
    "--log",
    type=click.Choice(["json", "none"]),
    default="json",
    show_default=True,
    help="What is written to standard error.",
)
@_policies
def projections_follow(
    store: str, trail: str | None, once: bool, log: str, policies: Path | None
) -> None:
    """Keep the projections up with the facts, until stopped; of several at once one works.

    It logs one line of JSON for what it takes in, and for every alarm.
    """
    from yibao.adapters.cli.projecting import follow
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.telemetry.logs import log_json

    if log == "json":
        log_json()
    follow(store, trail, Editions(policies), once=once)


@projections.command("retry")
@_STORE
@_TRAIL
@_policies
@_lang
def projections_retry(store: str, trail: str | None, policies: Path | None, lang: Any) -> None:
    """Take in anew whom a projection had to park; exit 1 where somebody still is."""
    from yibao.adapters.cli.projecting import retry
    from yibao.adapters.editions.files import Editions
    from yibao.adapters.views.words import Words

    left = retry(store, trail, Editions(policies))
    tell(Words(lang)("projections", "left", parked=left))
    sys.exit(1 if left else 0)


@main.command()
def diagram() -> None:
    """Print the state machine as a Mermaid diagram, drawn from its table."""
    from yibao.domain.lifecycle.table import mermaid

    tell(mermaid())


@main.command()
@click.argument(
    "name",
    type=click.Choice(["events", "attempts", "story", "edition", "replay", "audit"]),
)
def schema(name: str) -> None:
    """Print the JSON Schema of what is stored, of stories and editions, or of answers."""
    from yibao.adapters.cli.schemas import SCHEMAS

    tell(json_for(sys.stdout.encoding, SCHEMAS[name](), indent=2, sort_keys=True))


def _print_json(told: Any) -> None:
    tell(json_for(sys.stdout.encoding, told))
