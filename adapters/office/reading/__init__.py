"""Tables as registries write them: the header is found, and each row has its number."""

from yibao.adapters.office.reading.archives import UnreadableTable
from yibao.adapters.office.reading.cells import Unfit, day_in, instant_in, since_1900, text_in
from yibao.adapters.office.reading.headers import Heading, plain
from yibao.adapters.office.reading.tables import Cell, Row, Table, Warned, read_table

__all__ = [
    "Cell",
    "Heading",
    "Row",
    "Table",
    "Unfit",
    "UnreadableTable",
    "Warned",
    "day_in",
    "instant_in",
    "plain",
    "read_table",
    "since_1900",
    "text_in",
]
