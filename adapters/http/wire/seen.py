"""What somebody has seen, as a tag: `"F.C.W"`, that of the year before behind a hyphen."""

import re
from collections.abc import Iterable
from typing import Final

from yibao.domain.vocabulary import NOTHING_SEEN, Seen

_ONE: Final = r"[0-9]{1,18}\.[0-9]{1,18}\.[0-9]{1,18}"
_TAG: Final = re.compile(rf'"({_ONE}(?:-{_ONE}){{0,99}})"')
#: What nobody has ever seen: it fits nothing.
_NEVER: Final = NOTHING_SEEN._replace(facts=2**63 - 1)


def etag_of(seen: Seen) -> str:
    """The strong tag of what was seen: `"4.1.0"`, or `"4.1.0-9.2.1"` where a year before counts."""
    return f'"{"-".join(_spelled(seen))}"'


def _spelled(seen: Seen | None) -> Iterable[str]:
    while seen is not None:
        yield f"{seen.facts}.{seen.care}.{seen.window}"
        seen = seen.before


def expected_of(if_match: str | None) -> Seen | None:
    """What a command expects by its `If-Match`; None where it is `*`, or is not there.

    A weak tag fits nothing, nor does one that is none of ours; of several the first counts.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    first = if_match.partition(",")[0].strip()
    found = _TAG.fullmatch(first)
    if found is None:
        return _NEVER
    seen: Seen | None = None
    for each in reversed(found[1].split("-")):
        facts, care, window = map(int, each.split("."))
        seen = Seen(facts, care, window, seen)
    return seen
