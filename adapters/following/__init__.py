"""What follows the facts: who keeps a projection up, who leads; in it the projections."""

from yibao.adapters.following.leading import lead_of
from yibao.adapters.following.supervisor import (
    Parked,
    Standing,
    Status,
    Stop,
    Supervisor,
    mistakes_halt,
)

__all__ = [
    "Parked",
    "Standing",
    "Status",
    "Stop",
    "Supervisor",
    "lead_of",
    "mistakes_halt",
]
