"""The tree in its tiles, and what proves something about it, beside a second reading."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfc9162 import (
    proves_consistency,
    proves_inclusion,
    tree_hash,
)

from yibao.projections.evidence import (
    EMPTY,
    Hash,
    NotProven,
    Tree,
    appended,
    check_consistency,
    check_inclusion,
    leaf_hash,
    root_of,
)


def _entries(size: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(size)]


class _Tiles:
    """Tiles in memory, grown by so many leaves at a time."""

    def __init__(self, entries: Sequence[bytes], steps: Sequence[int]) -> None:
        self.held: dict[tuple[int, int], bytes] = {}
        self.read = 0
        leaves = [leaf_hash(entry) for entry in entries]
        for begins, ends in pairwise([0, *steps, len(leaves)]):
            for level, number, tile in list(appended(begins, leaves[begins:ends], self.tile)):
                self.held[level, number] = tile

    def tile(self, level: int, number: int) -> bytes:
        self.read += 1
        return self.held[level, number]

    def tree(self, size: int) -> Tree:
        return Tree(size, self.tile)


ENTRIES = _entries(70_000)
TILES = _Tiles(ENTRIES, [1, 255, 256, 257, 1000, 65_535, 65_536])


def _proves(check: Callable[..., None], *told: object) -> bool:
    try:
        check(*told)
    except NotProven:
        return False
    return True


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 255, 256, 257, 511, 512, 513, 1000, 65_536])
def test_the_root_is_that_of_the_definition_at_every_earlier_size(size: int) -> None:
    assert TILES.tree(size).root() == tree_hash(ENTRIES[:size])


def test_a_log_without_entries_has_the_root_of_nothing() -> None:
    assert Tree(0, TILES.tile).root() == EMPTY == tree_hash([])


def test_tiles_are_as_wide_as_tlog_tiles_says_for_seventy_thousand_entries() -> None:
    widths = {key: len(tile) // 32 for key, tile in TILES.held.items()}
    assert [sum(level == each for each, _ in widths) for level in range(4)] == [274, 2, 1, 0]
    assert (widths[0, 273], widths[1, 1], widths[2, 0]) == (112, 17, 1)


@given(st.lists(st.integers(0, 1500), max_size=6))
def test_however_it_grew_the_tiles_are_the_same(steps: list[int]) -> None:
    entries = _entries(1500)
    assert _Tiles(entries, sorted(steps)).held == _Tiles(entries, []).held


def test_growing_reads_one_tile_of_each_level_at_most() -> None:
    tiles = _Tiles(ENTRIES, [])
    before = tiles.read
    list(appended(len(ENTRIES), [leaf_hash(b"one more")] * 600, tiles.tile))
    assert tiles.read - before <= 3


@given(st.integers(1, 600), st.data())
def test_both_readings_agree_on_what_proves_an_entry(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = TILES.tree(size).inclusion(index)
    told = _spoilt(path, data)
    at = data.draw(st.sampled_from([index, index + 1, size, size + 1, 0]))
    of = data.draw(st.sampled_from([size, size + 1, max(size - 1, 1)]))
    leaf, root = leaf_hash(ENTRIES[index]), TILES.tree(size).root()
    first = _proves(check_inclusion, at, of, leaf, told, root)
    assert first == proves_inclusion(at, of, leaf, told, root)
    if (told, at, of) == (path, index, size):
        assert first


@given(st.integers(0, 600), st.integers(0, 600), st.data())
def test_both_readings_agree_on_what_proves_that_a_log_went_on(
    one: int, other: int, data: st.DataObject
) -> None:
    earlier, size = sorted((one, other))
    path = TILES.tree(size).consistency(earlier)
    told = _spoilt(path, data)
    roots = TILES.tree(earlier).root(), TILES.tree(size).root()
    first = _proves(check_consistency, earlier, size, told, *roots)
    assert first == proves_consistency(earlier, size, told, *roots)
    assert first or told != path


def _spoilt(path: list[Hash], data: st.DataObject) -> list[Hash]:
    """The path, or one that was shortened, lengthened, reordered or altered."""
    kind = data.draw(st.sampled_from(["whole", "shorter", "longer", "other order", "altered"]))
    if kind == "longer":
        where = data.draw(st.integers(0, len(path)))
        return [*path[:where], leaf_hash(b"of nothing"), *path[where:]]
    if kind == "other order":
        return data.draw(st.permutations(path))
    if kind != "whole" and path:
        where = data.draw(st.integers(0, len(path) - 1))
        between = [] if kind == "shorter" else [leaf_hash(path[where])]
        return [*path[:where], *between, *path[where + 1 :]]
    return path


def test_thousands_of_random_trees_and_proofs_are_read_alike() -> None:
    random = Random(20260901)
    for _ in range(2000):
        size = random.randint(1, len(ENTRIES))
        index, earlier = random.randrange(size), random.randint(0, size)
        tree, root = TILES.tree(size), TILES.tree(size).root()
        path, leaf = tree.inclusion(index), leaf_hash(ENTRIES[index])
        check_inclusion(index, size, leaf, path, root)
        assert proves_inclusion(index, size, leaf, path, root)
        since, was = tree.consistency(earlier), TILES.tree(earlier).root()
        check_consistency(earlier, size, since, was, root)
        assert proves_consistency(earlier, size, since, was, root)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 5), (5, 5), (2**64, 5), (0, -1)])
def test_an_index_beyond_the_size_proves_nothing(index: int, size: int) -> None:
    leaf = leaf_hash(ENTRIES[0])
    with pytest.raises(NotProven):
        check_inclusion(index, size, leaf, [], leaf)


def test_of_no_entries_any_log_goes_on_and_of_more_none() -> None:
    check_consistency(0, 0, [], EMPTY, EMPTY)
    check_consistency(0, 1, [], EMPTY, leaf_hash(b""))
    for told in [
        (0, 0, [], leaf_hash(b""), leaf_hash(b"")),
        (0, 1, [], leaf_hash(b""), leaf_hash(b"")),
        (0, 1, [EMPTY], EMPTY, leaf_hash(b"")),
        (1, 1, [EMPTY], leaf_hash(b""), leaf_hash(b"")),
        (2, 1, [], leaf_hash(b""), leaf_hash(b"")),
        (-1, 1, [], EMPTY, leaf_hash(b"")),
    ]:
        with pytest.raises(NotProven):
            check_consistency(*told)


def test_the_root_of_a_list_is_that_of_the_tree() -> None:
    for size in (1, 2, 3, 7, 100, 1000):
        leaves = [leaf_hash(entry) for entry in ENTRIES[:size]]
        assert root_of(b"".join(leaves)) == tree_hash(ENTRIES[:size])
