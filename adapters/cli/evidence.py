"""`yibao evidence …`."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    FILE,
    FORCE,
    ONE_JSON,
    STORE,
    STORE_URL,
    check_cryptography,
    examples,
    lang_option,
    print_json,
)
from yibao.adapters.views import in_one_line, tell
from yibao.domain.refusals import YibaoError

KEY = click.option(
    "--key", type=FILE, required=True, help="The file of the key that signs, in PKCS8."
)
SIGN_WITH = click.option(
    "--sign-with",
    metavar="COMMAND",
    help="Signs standard input; --key is then the public key alone (default: the key signs).",
)
PUBLISH = click.option(
    "--publish",
    multiple=True,
    metavar="DIR|COMMAND",
    help="Where each note goes: a folder/, or a command that reads it; repeatable (default: none).",
)
VKEY = click.option(
    "--vkey",
    required=True,
    metavar="KEY|FILE",
    help="The verifier key of the log, as `evidence init` prints it, or a file of such keys.",
)


@main.group(
    epilog=examples(
        "evidence init --key main.pem\n--origin insurance.example.edu.cn/yibao/main",
        "evidence checkpoint --store facts.db --key main.pem",
    )
)
def evidence() -> None:
    """Show that nobody has changed what was recorded.

    A tree of hashes over the facts is signed, and held against them.
    """
    check_cryptography()


@evidence.command(
    "init",
    epilog=examples(
        "evidence init --key main.pem\n--origin insurance.example.edu.cn/yibao/main",
    ),
)
@click.option("--origin", required=True, help="The name of the logs for all time: HOST/yibao/NAME.")
@KEY
@SIGN_WITH
@click.option(
    "--store",
    type=STORE_URL,
    help="The store whose logs begin (default: the first with which the key is used).",
)
@lang_option
def init(origin: str, key: Path, sign_with: str | None, store: str | None, lang: Any) -> None:
    """Make a key, or use the one there.

    Prints the verifier keys, a line each, of the facts first, and writes them beside the key. Keep
    the key where the administrator of the database does not rule.
    """
    from yibao.adapters.cli.running.evidence import begin

    for vkey in begin(origin, key, sign_with, store):
        tell(str(vkey))


@evidence.command(
    "follow",
    epilog=examples("evidence follow --store facts.db --key main.pem --once\n--publish notes/"),
)
@STORE
@KEY
@SIGN_WITH
@PUBLISH
@click.option("--once", is_flag=True, help="Take in what there is, sign and end (default: go on).")
@click.option(
    "--every",
    type=click.IntRange(1, 86_400),
    default=60,
    show_default=True,
    help="How many seconds after a note the next is signed, if anything is new.",
)
@lang_option
def follow(
    store: str,
    key: Path,
    sign_with: str | None,
    publish: tuple[str, ...],
    once: bool,
    every: int,
    lang: Any,
) -> None:
    """Keep the logs up with the facts, sign and publish.

    Of several at once one works. It logs one line of JSON for what it takes in and signs. With
    --once, exit 1 where a note is signed and a place did not take it.
    """
    from yibao.adapters.cli.running.evidence import follow
    from yibao.adapters.telemetry import log_json

    log_json()
    _end_with(follow(store, key, sign_with, publish, once=once, every=every), lang)


@evidence.command(
    "checkpoint", epilog=examples("evidence checkpoint --store facts.db --key main.pem")
)
@STORE
@KEY
@SIGN_WITH
@PUBLISH
@click.option(
    "--log",
    type=click.Choice(["facts", "attempts"]),
    default="facts",
    show_default=True,
    help="Whose note is printed; both are signed.",
)
@lang_option
def checkpoint(
    store: str,
    key: Path,
    sign_with: str | None,
    publish: tuple[str, ...],
    log: Any,
    lang: Any,
) -> None:
    """Take in what is new, and print the signed note.

    Exit 1 where it is signed and a place did not take it.
    """
    from yibao.adapters.cli.running.evidence import sign_now, warning_of
    from yibao.adapters.views.words import Words

    note, failed = sign_now(store, key, sign_with, publish, log)
    click.echo(note, nl=False)
    if warning := warning_of(key, sign_with):
        tell(in_one_line(f"yibao: {Words(lang).said(warning)}"), err=True)
    _end_with(failed, lang)


def _end_with(failed: Sequence[YibaoError], lang: Any) -> None:
    """Tells what could not be done, and exits 1 if anything could not."""
    from yibao.adapters.views.words import Words

    for each in failed:
        tell(in_one_line(f"yibao: {Words(lang).said(str(each))}"), err=True)
    sys.exit(1 if failed else 0)


@contextmanager
def _failure_in_json(as_json: bool, told: Callable[[str], Any]) -> Iterator[None]:
    """Has a program that asked for JSON read there why it gets no answer, before it is raised."""
    try:
        yield
    except YibaoError as error:
        if as_json:
            print_json(told(str(error)))
        raise


@evidence.command("status", epilog=examples("evidence status --store facts.db"))
@STORE
@click.option("--key", type=FILE, help="Not needed: nothing is signed (default: none).")
@ONE_JSON
@lang_option
def status(store: str, key: Path | None, as_json: bool, lang: Any) -> None:
    """Tell how much is signed, published, and not proven yet."""
    from yibao.adapters.cli.running.evidence import statuses
    from yibao.adapters.views.words import Words

    found = statuses(store)
    if as_json:
        print_json({"format": 1, "logs": [each._asdict() for each in found]})
        return
    words = Words(lang)
    for each in found:
        tell(in_one_line(words("evidence", "status", **each._asdict())))


@evidence.command(
    "prove", epilog=examples("evidence prove --store facts.db --ref s1 --year 2025 --out proofs")
)
@STORE
@click.option("--ref", required=True, help="Her reference in the store.")
@click.option("--year", type=int, required=True, help="Her benefit year in the store.")
@click.option(
    "--version", type=int, help="One fact of the enrollment alone (default: all, and her care)."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder in which a proof is written for each fact.",
)
@FORCE
@lang_option
def prove(
    store: str, ref: str, year: int, version: int | None, out: Path, force: bool, lang: Any
) -> None:
    """Write what proves that her facts stand in the log.

    Exit 1 where a fact is not what was signed, or newer than the last note.
    """
    from yibao.adapters.cli.running.evidence import write_proofs
    from yibao.adapters.views.words import Words

    words = Words(lang)
    written, newer = write_proofs(store, ref, year, version, out, force=force)
    tell(in_one_line(words("evidence", "written", proofs=written, folder=str(out))))
    if newer:
        tell(words("evidence", "newer", facts=newer))
    sys.exit(1 if newer else 0)


@evidence.command(
    "check", epilog=examples("evidence check s1-2025-1.tlog-proof --vkey main.pem.pub")
)
@click.argument("proof", type=FILE)
@VKEY
@ONE_JSON
@lang_option
def check(proof: Path, vkey: str, as_json: bool, lang: Any) -> None:
    """Check a PROOF, offline: no store is asked.

    Or a dossier or an audit export written with --proofs: in JSON, what is told of each fact must
    be what is proven. Exit 1 where it does not prove what it says, 2 where it cannot be read.
    """
    from yibao.adapters.cli.running.evidence_files import checked, told_of, unreadable

    with _failure_in_json(as_json, lambda why: unreadable(why).as_json()):
        found = checked(proof, vkey)
    if as_json:
        print_json(found.as_json())
    else:
        tell(in_one_line(told_of(found, lang)))
    sys.exit(0 if found.ok else 1)


@evidence.command(
    "verify",
    epilog=examples("evidence verify --store facts.db --note main.note --vkey main.pem.pub"),
)
@STORE
@click.option("--note", type=FILE, required=True, help="A note that was held outside.")
@VKEY
@ONE_JSON
@lang_option
def verify(store: str, note: Path, vkey: str, as_json: bool, lang: Any) -> None:
    """Hold every row of a store against a note.

    Exit 1 where a row is not what was signed, or the last of them are lost.
    """
    from yibao.adapters.cli.running.evidence import not_verified, verified
    from yibao.adapters.views.words import Words

    with _failure_in_json(as_json, not_verified):
        found = verified(store, note, vkey)
    if as_json:
        print_json({**found._asdict(), "warnings": list(found.warnings)})
    else:
        words = Words(lang)
        kind = "stands" if found.ok else str(found.kind)
        where = {name: "?" if told is None else told for name, told in found._asdict().items()}
        tell(in_one_line(words("evidence", kind, **where)))
        for warning in found.warnings:
            tell(in_one_line(words.said(warning)))
    sys.exit(0 if found.ok else 1)


@evidence.command(
    "consistency",
    epilog=examples(
        "evidence consistency --store facts.db\n"
        "--from old.note --to new.note --vkey main.pem.pub --out proof"
    ),
)
@STORE
@click.option("--from", "earlier", type=FILE, required=True, help="The earlier note.")
@click.option("--to", "later", type=FILE, required=True, help="The later note.")
@VKEY
@click.option("--out", type=FILE, required=True, help="The file in which the proof is written.")
@FORCE
@lang_option
def consistency(
    store: str, earlier: Path, later: Path, vkey: str, out: Path, force: bool, lang: Any
) -> None:
    """Write what proves that the log went on from a note to another.

    Exit 1 where it did not.
    """
    from yibao.adapters.cli.running.evidence import write_consistency
    from yibao.adapters.views.words import Words

    was, now = write_consistency(store, earlier, later, vkey, out, force=force)
    tell(in_one_line(Words(lang)("evidence", "consistent", earlier=was, later=now, file=str(out))))


@evidence.command("rotate", epilog=examples("evidence rotate --store facts.db --key new.pem"))
@STORE
@KEY
@SIGN_WITH
@click.option("--old", type=FILE, help="The key so far (default: the file it was last read from).")
@click.option(
    "--old-sign-with",
    metavar="COMMAND",
    help="Signs for the key so far; --old is then the public key alone (default: the key signs).",
)
@lang_option
def rotate(
    store: str,
    key: Path,
    sign_with: str | None,
    old: Path | None,
    old_sign_with: str | None,
    lang: Any,
) -> None:
    """Hand the logs over to another key.

    Prints a note for each log in which both keys say so, of the facts first; notes are signed with
    the new one from now on.
    """
    from yibao.adapters.cli.running.evidence import hand_over

    for note in hand_over(store, key, sign_with, old, old_sign_with):
        click.echo(note)
