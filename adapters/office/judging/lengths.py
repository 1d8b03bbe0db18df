"""How long the numbers of a column usually are: one that is shorter may have lost its zeros."""

from collections import Counter
from collections.abc import Iterable


def usual_length(numbers: Iterable[str]) -> int:
    """The length that most of the numbers have; 0 where no length has more than half of them."""
    lengths = Counter(map(len, numbers))
    if not lengths:
        return 0
    ((length, count),) = lengths.most_common(1)
    return length if 2 * count > lengths.total() else 0
