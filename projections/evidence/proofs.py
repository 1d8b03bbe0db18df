"""Does a proof prove? Whoever asks needs nothing but it, and a root that they trust."""

from collections.abc import Sequence

from yibao.projections.evidence.errors import NotProven
from yibao.projections.evidence.tree import EMPTY, Hash, node_hash, split


def check_inclusion(index: int, size: int, leaf: Hash, path: Sequence[Hash], root: Hash) -> None:
    """Raises NotProven unless the leaf stands at that index of the log of that size and root."""
    if not 0 <= index < size:
        raise NotProven(f"a log of {size} entries has none at {index}")
    if _root(index, size, leaf, path) != root:
        raise NotProven("the proof does not lead from the entry to the root of the note")


def check_consistency(
    earlier: int, size: int, path: Sequence[Hash], earlier_root: Hash, root: Hash
) -> None:
    """Raises NotProven unless the log of the later size goes on from that of the earlier one."""
    if not 0 <= earlier <= size:
        raise NotProven(f"a log of {size} entries was never one of {earlier}")
    if earlier in (0, size):
        if path:
            raise NotProven("the proof is longer than it can be")
        roots = (EMPTY, root) if earlier == 0 < size else (root, root)
        if size == 0 and root != EMPTY:
            raise NotProven("a log without entries has another root")
    else:
        roots = _roots(earlier, 0, size, path, earlier_root)
    if roots != (earlier_root, root):
        raise NotProven("the later log does not go on from the earlier one")


def _root(index: int, size: int, leaf: Hash, path: Sequence[Hash]) -> Hash:
    if size == 1:
        if path:
            raise NotProven("the proof is longer than it can be")
        return leaf
    if not path:
        raise NotProven("the proof is shorter than it must be")
    *below, beside = path
    left = split(size)
    if index < left:
        return node_hash(_root(index, left, leaf, below), beside)
    return node_hash(beside, _root(index - left, size - left, leaf, below))


def _roots(
    earlier: int, begins: int, ends: int, path: Sequence[Hash], earlier_root: Hash
) -> tuple[Hash, Hash]:
    """What stands above these leaves in the earlier log and in the later one."""
    if earlier == ends and begins == 0:
        if path:
            raise NotProven("the proof is longer than it can be")
        return earlier_root, earlier_root
    if not path:
        raise NotProven("the proof is shorter than it must be")
    *below, beside = path
    if earlier == ends:
        if below:
            raise NotProven("the proof is longer than it can be")
        return beside, beside
    middle = begins + split(ends - begins)
    if earlier <= middle:
        was, now = _roots(earlier, begins, middle, below, earlier_root)
        return was, node_hash(now, beside)
    was, now = _roots(earlier, middle, ends, below, earlier_root)
    return node_hash(beside, was), node_hash(beside, now)
