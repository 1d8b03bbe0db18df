"""`yibao office …`: the season of a school's insurance officer."""

from yibao.adapters.cli.office import imports, people
from yibao.adapters.cli.office.group import office

__all__ = ["imports", "office", "people"]
