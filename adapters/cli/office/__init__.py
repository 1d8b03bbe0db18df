"""`yibao office …`: the season of a school's insurance officer."""

from yibao.adapters.cli.office import demo, imports, morning, people, templates
from yibao.adapters.cli.office.group import office

__all__ = ["demo", "imports", "morning", "office", "people", "templates"]
