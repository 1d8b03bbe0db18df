"""What of a stored row is hashed: the bytes as they stand there, never decoded.

The state, so that it cannot be altered; the name, so that it cannot be read as something else;
stream and version, so that it cannot be moved to somebody else; the position, so that rows cannot
be swapped and numbered anew. A row that no writer of ours leaves gives an entry that no fact has.
"""

import struct
from typing import Any, Final, NamedTuple
from uuid import UUID

Entry = bytes

_FACT: Final = b"yibao-fact-v1"
_ATTEMPT: Final = b"yibao-attempt-v1"
_STRANGE: Final = b"yibao-strange-v1"
_U16, _U64 = struct.Struct(">H"), struct.Struct(">Q")
#: What is before the name of a fact: position, stream, version, and how long the name is.
_HEAD: Final = struct.Struct(">Q16sQH")


def fact_entry(position: Any, stream: Any, version: Any, name: Any, state: Any) -> Entry:
    """The entry of a fact, of its five columns as the database gives them.

    The stream is 32 hex digits, or a UUID. Numbers are unsigned and big-endian.
    """
    try:
        spelt = name.encode()
        return b"".join(
            (
                _FACT,
                _U64.pack(position),
                _bytes_of(stream),
                _U64.pack(version),
                _U16.pack(len(spelt)),
                spelt,
                _blob(state),
            )
        )
    except _MISFIT:
        return strange_entry(position, stream, version, name, state)


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
        spelt = [text.encode() for text in (actor, hour)]
        return b"".join(
            (
                _ATTEMPT,
                _U64.pack(number),
                _U64.pack(position),
                _bytes_of(stream),
                *(_U16.pack(len(each)) + each for each in spelt),
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
