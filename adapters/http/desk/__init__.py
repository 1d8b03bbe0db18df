"""The desk, where requests are answered: by the rights of who asks, many at once, and noted."""

from yibao.adapters.http.desk.desk import Desk, Opened, check_served
from yibao.adapters.http.desk.theirs import is_theirs
from yibao.adapters.http.desk.whole import Theirs, whole_page

__all__ = ["Desk", "Opened", "Theirs", "check_served", "is_theirs", "whole_page"]
