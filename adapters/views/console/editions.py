"""Policy editions in the terminal: every value and rule with its citation."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from yibao.adapters.shapes import edition_differences, plain
from yibao.adapters.views.telling import told
from yibao.adapters.views.words import Words
from yibao.domain.editions import Benefits, Citation, Parameter, Policy, Row
from yibao.domain.vocabulary import CareSetting


def policy_list(policies: Iterable[Policy], words: Words) -> Table:
    """The editions at hand."""
    table = Table(box=None, pad_edge=False)
    for column in ("edition", "year", "title", "digest"):
        table.add_column(words("policy", column), overflow="fold")
    for policy in policies:
        title = getattr(policy.title, words.language)
        table.add_row(policy.edition, str(policy.year), title, policy.digest[:12])
    return table


def policy_tables(policy: Policy, words: Words) -> RenderableType:
    """Every parameter and rule of an edition with its citation."""
    words = words.of(policy)
    parameters = Table(box=None, pad_edge=False)
    for column in ("name", "value", "unit", "clause", "basis"):
        parameters.add_column(words("policy", column), overflow="fold")
    for name in type(policy.parameters).model_fields:
        parameter = getattr(policy.parameters, name)
        if parameter is not None:
            named, unit = name, parameter.unit
            if words.language != "en":  # in English by the keys of the file
                named, unit = (
                    words("parameter", name),
                    words("unit", parameter.unit, value=parameter.value),
                )
            parameters.add_row(
                named,
                told(plain(parameter.value), words, parameter.unit),
                unit,
                *_citation(parameter, words),
            )
    rules = Table(box=None, pad_edge=False)
    for column in ("rule", "clause", "basis"):
        rules.add_column(words("policy", column), overflow="fold")
    for name, rule in (policy.rules | policy.benefit_rules).items():
        rules.add_row(_rule(name, words), *_citation(rule, words))
    title = Text(f"{policy.edition} · {getattr(policy.title, words.language)}", style="bold")
    parts: list[RenderableType] = [title, Text(policy.digest, style="dim"), Text(), parameters]
    if policy.benefits is not None:
        table = benefits_table(policy.benefits, words)
        parts += [Text(), Text(policy.benefits_digest, style="dim"), table]
    return Group(*parts, Text(), rules)


def policy_differences(a: Policy, b: Policy, words: Words) -> RenderableType:
    """What edition B says otherwise than A: values, shares, rules, and the clauses of all."""
    found = edition_differences(a, b)
    parts: list[RenderableType] = []
    for section, line in (
        ("values", _valued),
        ("shares", _valued),
        ("rules", _ruled),
        ("clauses", _placed),
    ):
        if not found[section]:
            continue
        table = Table(box=None, pad_edge=False)
        for column in (words("policy", section), a.edition, b.edition):
            table.add_column(column, overflow="fold")
        for each in found[section]:
            known = words.knows("parameter", each["name"])
            name = words("parameter", each["name"]) if known else _rule(each["name"], words)
            table.add_row(
                name, *(line(each[side], words.of(policy)) for side, policy in (("a", a), ("b", b)))
            )
        parts += [table, Text()]
    return Group(*parts[:-1]) if parts else Text(words("policy", "same"))


def _valued(cell: dict[str, Any] | None, words: Words) -> str:
    if cell is None:
        return words("phrase", "none")
    unit = words("unit", cell["unit"], value=cell["value"])
    return f"{told(cell['value'], words, cell['unit'])} {unit}".rstrip() + _assumed(cell, words)


def _ruled(cell: dict[str, Any] | None, words: Words) -> str:
    if cell is None:
        return words("phrase", "none")
    return words("phrase", cell["basis"]) if cell["basis"] == "stated" else _reason(cell, words)


def _placed(place: str | None, words: Words) -> str:
    return words("phrase", "none") if place is None else words.clause(place)


def _assumed(cell: dict[str, Any], words: Words) -> str:
    return "" if cell["basis"] == "stated" else words.aside(_reason(cell, words))


def _reason(cell: dict[str, Any], words: Words) -> str:
    return words.named(words("phrase", cell["basis"]), cell["reason"][words.language])


def benefits_table(benefits: Benefits, words: Words) -> Table:
    """What is paid, row by row as the notice prints it, each cell with its citation."""
    table = Table(box=None, pad_edge=False)
    for column in ("setting", "level", "deductible", "share", "clause", "basis"):
        table.add_column(words("policy", column), overflow="fold")
    for row in benefits.table:
        cited = dict.fromkeys(_citation(cell, words) for cell in (row.deductible, row.share))
        table.add_row(
            _settings(row, words),
            words("level", row.level) if row.level else "",
            *(
                f"{cell.value} {words('unit', cell.unit, value=cell.value)}"
                for cell in (row.deductible, row.share)
            ),
            *(words.joined(parts, "apart") for parts in zip(*cited, strict=True)),
        )
    for name in ("remote_filing_required", "remote_settles_by_evoucher"):
        cell = getattr(benefits, name)
        value = words("phrase", "yes" if cell.value else "no")
        table.add_row(words("parameter", name), "", value, "", *_citation(cell, words))
    for name in ("remote_filing_places", "claim_places"):
        cell = getattr(benefits, name)
        places = words.joined((words("where", place) for place in cell.value), "listed")
        table.add_row(words("parameter", name), "", places, "", *_citation(cell, words))
    return table


def _rule(name: str, words: Words) -> str:
    """A rule by its number; what follows a dash is a part of it."""
    number, dash, part = name.partition("-")
    return number + dash + (words("rule", part) if words.knows("rule", part) else part)


def _settings(row: Row, words: Words) -> str:
    """What a row holds for; emergency care is paid as outpatient care is."""
    shared = (row.setting, CareSetting.EMERGENCY) if row.is_yearly else (row.setting,)
    return words.joined((words("setting", setting) for setting in shared), "listed")


def _citation(citation: Citation | Parameter[Any], words: Words) -> tuple[str, str]:
    basis = words("phrase", citation.basis)
    if citation.reason is not None:
        basis = words.named(basis, getattr(citation.reason, words.language))
    return f"{citation.notice} {words.clause(citation.clause)}", basis
