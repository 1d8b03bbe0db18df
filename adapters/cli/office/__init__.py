"""`yibao office …`: the season of a school's insurance officer."""

from yibao.adapters.cli.office import imports, morning, people, templates
from yibao.adapters.cli.office.group import office

__all__ = ["imports", "morning", "office", "people", "templates"]
