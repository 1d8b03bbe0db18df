"""What care costs before anybody is paid, and which settlement should be looked at again."""

from yibao.projections.care.quoting import quote
from yibao.projections.care.reviewing import Changed, review

__all__ = ["Changed", "quote", "review"]
