"""The layout of the event-sourcing library: ids are implicit row ids, and there are no notes."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """What is found is already so."""
