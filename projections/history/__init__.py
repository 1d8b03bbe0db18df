"""What was answered through time: each value's history, and the instants at which answers turn."""

from yibao.projections.history.held import Held, histories, history
from yibao.projections.history.turning import Asking

__all__ = ["Asking", "Held", "histories", "history"]
