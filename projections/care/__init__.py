"""What care costs before anybody is paid, and which settlement should be looked at again."""

from yibao.projections.care.quote import quote
from yibao.projections.care.review import Changed, review

__all__ = ["Changed", "quote", "review"]
