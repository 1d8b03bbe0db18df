"""What was refused is kept beside the facts, and counted where it is too much to keep."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE refused_attempts ("
        "attempt_id INTEGER PRIMARY KEY AUTOINCREMENT, position INTEGER NOT NULL, "
        "stream TEXT NOT NULL, actor TEXT NOT NULL, hour TEXT NOT NULL, state BLOB NOT NULL)"
    )
    op.execute("CREATE INDEX refused_attempts_by_stream ON refused_attempts (stream)")
    op.execute("CREATE INDEX refused_attempts_by_actor ON refused_attempts (actor, hour)")
    op.execute(
        "CREATE TABLE counted_attempts (number INTEGER PRIMARY KEY AUTOINCREMENT, "
        "actor TEXT NOT NULL, hour TEXT NOT NULL, command TEXT NOT NULL, code TEXT NOT NULL, "
        "attempts INTEGER NOT NULL, changed INTEGER NOT NULL, "
        "UNIQUE (actor, hour, command, code))"
    )
    op.execute("CREATE INDEX counted_attempts_by_change ON counted_attempts (changed)")
