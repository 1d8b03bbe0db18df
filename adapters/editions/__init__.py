"""Reads and checks the YAML files of editions; a mistake is named with line and column."""

from yibao.adapters.editions.files import FOLDER, Editions
from yibao.adapters.editions.schema import edition_schema
from yibao.adapters.editions.yaml_source import Source, SourceError, parse, read, short

__all__ = [
    "FOLDER",
    "Editions",
    "Source",
    "SourceError",
    "edition_schema",
    "parse",
    "read",
    "short",
]
