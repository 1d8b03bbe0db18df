"""What of a stored row is hashed: the bytes as they stand there, never decoded.

The state, so that it cannot be altered; the name, so that it cannot be read as something else;
stream and version, so that it cannot be moved to somebody else; the position, so that rows cannot
be swapped and numbered anew. A row that no writer of ours leaves gives an entry that no fact has.
"""

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

from yibao.projections.evidence.tree import LEAF, Hash, leaf_hash

Entry = bytes

_FACT: Final = b"yibao-fact-v1"
_ATTEMPT: Final = b"yibao-attempt-v1"
_STRANGE: Final = b"yibao-strange-v1"
_U16, _U64, _STREAM = struct.Struct(">H"), struct.Struct(">Q"), struct.Struct("16s")
#: What is before the name of a fact: position, stream, version, and how long the name is.
_HEAD: Final = struct.Struct(">Q16sQH")
#: What is hashed before the length of the name.
_BEFORE: Final = struct.Struct(f">{len(LEAF + _FACT)}sQ16sQ")


def fact_entry(position: Any, stream: Any, version: Any, name: Any, state: Any) -> Entry:
    """The entry of a fact, of its five columns as the database gives them.

    The stream is 32 hex digits, or a UUID. Numbers are unsigned and big-endian.
    """
    try:
        return b"".join(
            (
                _FACT,
                _U64.pack(position),
                _bytes_of(stream),
                _U64.pack(version),
                _sized(name.encode()),
                _blob(state),
            )
        )
    except _MISFIT:
        return strange_entry(position, stream, version, name, state)


def fact_leaves(rows: Sequence[Sequence[Any]]) -> list[Hash]:
    """The leaf of each fact, of its five columns: that of its entry, in half the time."""
    try:
        return _leaves(rows)
    except _MISFIT:
        # One of them is strange: that shows one by one.
        return [leaf_hash(fact_entry(*row)) for row in rows]


def _leaves(rows: Sequence[Sequence[Any]]) -> list[Hash]:
    names, before, begins, sha = _Sized(), _BEFORE.pack, LEAF + _FACT, sha256
    streams = _bytes_of_each([row[1] for row in rows])
    leaves = [
        sha(before(begins, position, stream, version) + names[name] + state).digest()
        for (position, _, version, name, state), (stream,) in zip(rows, streams, strict=True)
        if type(state) is bytes
    ]
    if len(leaves) != len(rows):
        raise TypeError("is no bytes")
    return leaves


def _bytes_of_each(streams: list[Any]) -> Iterable[tuple[bytes]]:
    if streams and isinstance(streams[0], UUID):
        return [(_bytes_of(stream),) for stream in streams]
    spelt = " ".join(streams)
    found = bytes.fromhex(spelt)
    if found.hex(" ", 16) != spelt:
        raise ValueError
    return _STREAM.iter_unpack(found)


class _Sized(dict[Any, bytes]):
    """Names behind their lengths."""

    def __missing__(self, name: Any) -> bytes:
        self[name] = _sized(name.encode())
        return self[name]


def _sized(text: bytes) -> bytes:
    return _U16.pack(len(text)) + text


class HashedFact(NamedTuple):
    """What an entry of a fact says: what stood in the row."""

    position: int
    stream: UUID
    version: int
    name: str
    state: bytes


def fact_in(entry: Entry) -> HashedFact | None:
    """The fact that an entry was made of; None for any other entry."""
    if not entry.startswith(_FACT) or len(entry) < len(_FACT) + _HEAD.size:
        return None
    position, stream, version, length = _HEAD.unpack_from(entry, len(_FACT))
    begins = len(_FACT) + _HEAD.size
    name, state = entry[begins : begins + length], entry[begins + length :]
    return HashedFact(position, UUID(bytes=stream), version, name.decode(errors="replace"), state)


def attempt_entry(
    number: Any, position: Any, stream: Any, actor: Any, hour: Any, state: Any
) -> Entry:
    """The entry of a refused attempt that is kept, of the columns of its row."""
    try:
        return b"".join(
            (
                _ATTEMPT,
                _U64.pack(number),
                _U64.pack(position),
                _bytes_of(stream),
                _sized(actor.encode()),
                _sized(hour.encode()),
                _blob(state),
            )
        )
    except _MISFIT:
        return strange_entry(number, position, stream, actor, hour, state)


def strange_entry(*columns: Any) -> Entry:
    """The entry of a row that is not as a writer of ours leaves it; each kind of value tells."""
    return _STRANGE + b"".join(_U64.pack(len(each)) + each for each in map(_told, columns))


_MISFIT: Final = (AttributeError, TypeError, ValueError, struct.error, UnicodeError)


def _bytes_of(stream: Any) -> bytes:
    if isinstance(stream, UUID):
        return stream.bytes
    found = bytes.fromhex(stream)
    if len(found) != 16 or found.hex() != stream:
        raise ValueError
    return found


def _blob(state: Any) -> bytes:
    if not isinstance(state, bytes):
        raise TypeError("is no bytes")
    return state


def _told(value: Any) -> bytes:
    kind = type(value).__name__.encode()
    spelt = value if isinstance(value, bytes) else repr(value).encode("utf-8", "backslashreplace")
    return kind + b"\0" + spelt
