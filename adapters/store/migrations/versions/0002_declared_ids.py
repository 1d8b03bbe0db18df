"""Notification ids are declared, so that they survive a dump; notes get a table of their own."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE stored_events RENAME TO stored_events_0001")
    op.execute(
        "CREATE TABLE stored_events ("
        "notification_id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "originator_id TEXT NOT NULL, originator_version INTEGER NOT NULL, "
        "topic TEXT NOT NULL, state BLOB NOT NULL, UNIQUE (originator_id, originator_version))"
    )
    op.execute(
        "INSERT INTO stored_events "
        "(notification_id, originator_id, originator_version, topic, state) "
        "SELECT rowid, originator_id, originator_version, topic, state "
        "FROM stored_events_0001 ORDER BY rowid"
    )
    op.execute("DROP TABLE stored_events_0001")
    op.execute("CREATE TABLE notes (event_id TEXT PRIMARY KEY, note TEXT NOT NULL)")
