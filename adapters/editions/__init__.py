"""Reads and checks the YAML files of editions; a mistake is named with line and column."""

from yibao.adapters.editions.checking import Warned, warnings
from yibao.adapters.editions.files import FOLDER, OF_A_CITY, TO_DO, Editions, released
from yibao.adapters.editions.schema import edition_schema
from yibao.adapters.editions.yaml_source import Source, SourceError, parse, read, short

__all__ = [
    "FOLDER",
    "OF_A_CITY",
    "TO_DO",
    "Editions",
    "Source",
    "SourceError",
    "Warned",
    "edition_schema",
    "parse",
    "read",
    "released",
    "short",
    "warnings",
]
