"""Policy editions in the terminal: every value and rule with its citation."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from yibao.adapters.answer_json import plain
from yibao.adapters.console.values import told
from yibao.adapters.words import Words
from yibao.domain.citation import Citation, Parameter
from yibao.domain.policy import Policy


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
    parameters = Table(box=None, pad_edge=False)
    for column in ("name", "value", "unit", "clause", "basis"):
        parameters.add_column(words("policy", column), overflow="fold")
    for name in type(policy.parameters).model_fields:
        parameter = getattr(policy.parameters, name)
        if parameter is not None:
            parameters.add_row(
                name,
                told(plain(parameter.value), words),
                parameter.unit,
                *_citation(parameter, words),
            )
    rules = Table(box=None, pad_edge=False)
    for column in ("rule", "clause", "basis"):
        rules.add_column(words("policy", column), overflow="fold")
    for name, rule in policy.rules.items():
        rules.add_row(name, *_citation(rule, words))
    title = Text(f"{policy.edition} · {getattr(policy.title, words.language)}", style="bold")
    return Group(title, Text(policy.digest, style="dim"), Text(), parameters, Text(), rules)


def _citation(citation: Citation | Parameter[Any], words: Words) -> tuple[str, str]:
    basis = words("phrase", citation.basis)
    if citation.reason is not None:
        basis += f": {getattr(citation.reason, words.language)}"
    return f"{citation.notice} {citation.clause}", basis
