"""A table of any kind recorded."""

from yibao.adapters.office.directory import Directory
from yibao.adapters.office.imports.known import import_known
from yibao.adapters.office.imports.roster import import_roster
from yibao.adapters.office.imports.rows import Asked
from yibao.adapters.office.imports.verdicts import Imported
from yibao.adapters.office.judging import KINDS
from yibao.adapters.office.reading import Table
from yibao.adapters.service import Service
from yibao.adapters.telemetry import Watch


def record_table(
    service: Service,
    directory: Directory | None,
    kind: str,
    table: Table,
    asked: Asked,
    watch: Watch | None = None,
) -> Imported:
    """Records a table of some kind; a verdict for each row. Raises as `import_roster`."""
    if kind == "roster":
        return import_roster(service, directory, table, asked, watch)
    return import_known(service, directory, KINDS[kind], table, asked, watch)
