"""The desk, where requests are answered: by the rights of who asks, many at once, and noted."""

from yibao.adapters.http.desk.desk import Desk, Opened, is_theirs

__all__ = ["Desk", "Opened", "is_theirs"]
