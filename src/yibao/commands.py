"""Everything that may be asked of an enrollment or an edition, as values: a class a command.

    >>> from yibao.commands import Confirm
    >>> Confirm(at="2025-09-06 14:20", channel="app").name
    'confirm'

Each is what the method of `Service` of its name is told; `Service.record`, `record_together` and
`record_each` take them. Making one raises pydantic's ValidationError for values that cannot be
right.
"""

from yibao.domain.facts.commands import *  # noqa: F403
from yibao.domain.facts.commands import ASKED
from yibao.domain.facts.telling import told as told

__all__ = sorted(kind.__name__ for kind in ASKED.values())
