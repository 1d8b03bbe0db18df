"""The layouts of the SQLite file, one after the other, by Alembic.

A new store is created at the newest layout; an older one is brought there when it is opened.
Facts are never rewritten by a migration: their shapes are for ever, and read as they are.
"""

import sqlite3
from pathlib import Path
from typing import Final

from yibao.adapters.errors import StoreError

#: Every layout there has been. Before they were numbered, there was the first.
LAYOUTS: Final = ("0001", "0002", "0003")
UNNUMBERED, HEAD = LAYOUTS[0], LAYOUTS[-1]

#: Where the layout is noted, as Alembic has it.
CREATE_VERSION_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def upgrade(database: str) -> None:
    """Brings an older store to the newest layout in one transaction, whoever else tries to.

    Raises StoreError where that fails; the store then is as it was.
    """
    import sqlalchemy
    import sqlalchemy.exc
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    engine = sqlalchemy.create_engine(
        "sqlite://", creator=lambda: _connected(database), poolclass=sqlalchemy.pool.NullPool
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = connection
            if not MigrationContext.configure(connection).get_current_heads():
                command.stamp(config, UNNUMBERED)
            command.upgrade(config, "head")
            connection.commit()
    except (sqlalchemy.exc.SQLAlchemyError, CommandError) as error:
        raise StoreError(f"the store could not be brought to layout {HEAD}: {error}") from error


def _connected(database: str) -> sqlite3.Connection:
    return sqlite3.connect(database, uri=True, timeout=30, isolation_level=None)
