"""The tree of hashes over a log (RFC 6962), kept in tiles (C2SP tlog-tiles).

A tile holds up to 256 hashes of one level; each hash of the level above is that of a full tile.
What lies between follows from these. Nothing that a tile holds ever changes, so that the tree of
any earlier size can still be read in the tiles of a later one.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from struct import Struct
from typing import Final

from yibao.projections.evidence.errors import NotProven

Hash = bytes
#: The hashes of a tile, one after the other: of a level, and by its number in it.
ReadTile = Callable[[int, int], bytes]

SIZE: Final = 32
#: The hashes of a full tile, and the levels of the tree from one level of tiles to the next.
WIDTH, HEIGHT = 256, 8
#: How many bytes a full tile has.
TILE: Final = WIDTH * SIZE
#: What is hashed before an entry, and before two hashes.
LEAF, NODE = b"\0", b"\1"
_PAIR: Final = Struct(f"{2 * SIZE}s")
#: The root of a log that has no entry.
EMPTY: Final[Hash] = sha256(b"").digest()


def leaf_hash(entry: bytes) -> Hash:
    """The hash of an entry."""
    return sha256(LEAF + entry).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """The hash of what stands above two others."""
    return sha256(NODE + left + right).digest()


def split(size: int) -> int:
    """How many leaves stand on the left: the largest power of two below the size, which is > 1."""
    return 1 << (size - 1).bit_length() - 1


def root_of(hashes: bytes) -> Hash:
    """The root over some hashes of one level, one after the other; there is at least one."""
    while len(hashes) > SIZE:
        # An odd one goes up as it is: that gives the same root as the tree that is cut in two.
        pairs = len(hashes) // _PAIR.size * _PAIR.size
        hashes = _above(hashes[:pairs]) + hashes[pairs:]
    return hashes


def _tops(tiles: bytes) -> bytes:
    """The root of each of some full tiles."""
    for _ in range(HEIGHT):
        tiles = _above(tiles)
    return tiles


def _above(hashes: bytes) -> bytes:
    """The level above some hashes, of which there is an even number."""
    node, sha = NODE, sha256
    return b"".join([sha(node + pair).digest() for (pair,) in _PAIR.iter_unpack(hashes)])


def appended(
    size: int, leaves: Sequence[Hash], read_tile: ReadTile
) -> Iterator[tuple[int, int, bytes]]:
    """The tiles that change where leaves are added to a tree of a size: level, number, hashes.

    Read is at most one tile of each level, the last, where it is not full. Raises NotProven where
    that is not there.
    """
    level, begins, hashes = 0, size, b"".join(leaves)
    while hashes:
        begins, held = divmod(begins, WIDTH)
        if held:
            hashes = _first(read_tile, level, begins, held) + hashes
        for number, offset in enumerate(range(0, len(hashes), TILE), begins):
            yield level, number, hashes[offset : offset + TILE]
        level, hashes = level + 1, _tops(hashes[: len(hashes) // TILE * TILE])


class Tree:
    """The tree of a size, read from tiles, which may hold more.

    Whatever is asked of it raises NotProven where a tile lacks hashes.
    """

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self.size = size
        self._read_tile = read_tile
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self) -> Hash:
        """The root."""
        return self._hash(0, self.size) if self.size else EMPTY

    def inclusion(self, index: int) -> list[Hash]:
        """What proves that a leaf stands at an index below the size, its sibling first."""
        if not 0 <= index < self.size:
            raise IndexError(f"a log of {self.size} entries has none at {index}")
        return list(self._path(index, 0, self.size))

    def consistency(self, earlier: int) -> list[Hash]:
        """What proves that this tree goes on from that of an earlier size."""
        if not 0 <= earlier <= self.size:
            raise IndexError(f"a log of {self.size} entries was never one of {earlier}")
        return list(self._since(earlier, 0, self.size)) if earlier not in (0, self.size) else []

    def _path(self, index: int, begins: int, ends: int) -> Iterator[Hash]:
        if ends - begins > 1:
            middle = begins + split(ends - begins)
            if index < middle:
                yield from self._path(index, begins, middle)
                yield self._hash(middle, ends)
            else:
                yield from self._path(index, middle, ends)
                yield self._hash(begins, middle)

    def _since(self, earlier: int, begins: int, ends: int) -> Iterator[Hash]:
        """What the earlier tree has of these leaves, and what was added to it, from below."""
        if earlier == ends:
            if begins:
                yield self._hash(begins, ends)
            return
        middle = begins + split(ends - begins)
        if earlier <= middle:
            yield from self._since(earlier, begins, middle)
            yield self._hash(middle, ends)
        else:
            yield from self._since(earlier, middle, ends)
            yield self._hash(begins, middle)

    def _hash(self, begins: int, ends: int) -> Hash:
        """The hash over some leaves, as the tree is cut."""
        size = ends - begins
        if size & (size - 1):
            middle = begins + split(size)
            return node_hash(self._hash(begins, middle), self._hash(middle, ends))
        level, above = divmod(size.bit_length() - 1, HEIGHT)
        number, first = divmod(begins >> HEIGHT * level, WIDTH)
        tile = _first(self._tile, level, number, first + (1 << above))
        return root_of(tile[first * SIZE :])

    def _tile(self, level: int, number: int) -> bytes:
        key = level, number
        if key not in self._tiles:
            self._tiles[key] = self._read_tile(level, number)
        return self._tiles[key]


def _first(read_tile: ReadTile, level: int, number: int, width: int) -> bytes:
    """The first hashes of a tile; raises NotProven where it has not as many."""
    tile = read_tile(level, number)[: width * SIZE]
    if len(tile) < width * SIZE:
        raise NotProven(f"tile {number} of level {level} lacks hashes")
    return tile
