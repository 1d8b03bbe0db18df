"""The draft of an edition: what has to be looked up, and what it was in the one it extends."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

from yibao.adapters.editions import OF_A_CITY, TO_DO
from yibao.adapters.shapes import plain
from yibao.adapters.views.telling import told
from yibao.adapters.views.words import LANGUAGES, Words
from yibao.domain.editions import Citation, Parameter, Period, Policy
from yibao.domain.vocabulary import is_edition_id

#: What is of one year; what else may change from year to year is listed beneath.
OF_A_YEAR: Final = (
    "autumn_from",
    "autumn_to",
    "benefit_year",
    "benefit_from",
    "benefit_to",
    "window_opens",
    "window_closes_on",
    "concentrated_period",
    "extended_period",
    "late_period",
    "first_premium",
    "premium",
    "table_premium",
    "waiting_counts_from",
)


def draft(base: Policy, out: Path | None) -> str:
    """An edition that extends another, as YAML, with `TODO` where something is to be looked up."""
    return "\n".join(_lines(base, out)) + "\n"


def _lines(base: Policy, out: Path | None) -> Iterator[str]:
    yield from _said("head", base=base.edition, file=out.name if out else "FILE")
    yield ""
    yield f"edition: {out.stem if out and is_edition_id(out.stem) else TO_DO}"
    yield from ("title:", f"  en: {TO_DO}", f"  zh: {TO_DO}")
    yield f"extends: {base.edition}"
    yield from _said("city")
    yield f"city: {base.city}"
    for section, given in (("parameters", base.parameters), ("benefits", base.benefits)):
        named = [(name, each) for name, each in given or () if each and _is_open(each)]
        if named:
            yield from ("", f"{section}:")
        for name, each in named:
            yield from (f"  {line}" for line in _entry(name, each, base))
        rest = [(name, each) for name, each in given or () if each and not _is_open(each)]
        yield from _listed("rest", rest, base)
    yield from _listed("rules", [*(base.rules | base.benefit_rules).items()], base)


def _is_open(parameter: Parameter[Any]) -> bool:
    """Whether a value depends on the year or the city; `enrollment` is a day of neither."""
    if parameter.name == "waiting_counts_from":
        return isinstance(parameter.value, date)
    return parameter.name in OF_A_YEAR or parameter.name in OF_A_CITY


def _entry(name: str, old: Parameter[Any], base: Policy) -> Iterator[str]:
    """One value: what it is called, what it was, what to look for, and the place to write it."""
    for language in LANGUAGES:
        words = Words(language).of(base)
        yield f"# {words.named(words('parameter', name), words('look_for', name))}"
    yield f"# {_cited(name, old, base)}"
    yield f"{name}:"
    if isinstance(old.value, Period):
        yield "  value:"
        yield from (f"    {key}: {TO_DO}" for key in ("opens", "closes"))
        rest = {"cover_from", "fixed_waiting_months"} & old.value.model_fields_set
        yield from (f"    {key}: {getattr(old.value, key)}" for key in sorted(rest))
    else:
        yield f"  value: {TO_DO}"
    yield from (f"  unit: {old.unit}", f"  clause: {TO_DO}", "  basis: stated")


def _listed(code: str, cited: list[tuple[str, Citation]], base: Policy) -> Iterator[str]:
    """What is taken over as it stands, in comments: to be named where it is otherwise now."""
    if cited:
        yield ""
        yield from _said(code, base=base.edition)
        yield from (f"#   {_cited(name, each, base)}" for name, each in cited)


def _cited(name: str, cited: Citation, base: Policy) -> str:
    """A value or a rule as it was: with its notice, its clause and its basis."""
    words = Words("en").of(base)
    value = ""
    if isinstance(cited, Parameter):
        unit = words("unit", cited.unit, value=cited.value)
        value = f" {told(plain(cited.value), words, cited.unit)} {unit}"
    return f"{name}:{value.rstrip()} ({cited.notice} {cited.clause}, {cited.basis})"


def _said(code: str, **parts: str) -> Iterator[str]:
    for language in LANGUAGES:
        for line in Words(language)("draft", code, **parts).split("\n"):
            yield f"# {line}".rstrip()
