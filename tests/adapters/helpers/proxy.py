"""A proxy before a PostgreSQL server, which cuts connections at the moments that matter.

It reads the messages of both sides (protocol 3), so it can tell the two ends of one doubt: a
client that loses its connection while it commits does not know whether it has committed.

Its threads are the test's own process's: a call into libpq that waits without releasing the
interpreter (psycopg's `close_prepared` is one; no ordinary query is) would wait forever.
"""

import re
import shutil
import socket
import struct
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Self

#: The file by which libpq finds a server in a folder; its number is a port that nobody uses.
SOCKET = ".s.PGSQL.5432"

#: What a client may ask for before it starts: TLS, or encryption by Kerberos.
_ENCRYPTIONS = {80877103, 80877104}

#: A COMMIT among the statements of a query; not the second half of a two-phase commit.
_COMMIT = re.compile(rb"(?:^|;)\s*COMMIT\b(?!\s+PREPARED\b)", re.IGNORECASE)


class Cut(StrEnum):
    """Why a connection was cut."""

    AFTER_COMMIT = "after commit"
    BEFORE_COMMIT = "before commit"
    NOW = "now"
    REFUSED = "refused"


class Proxy:
    """Stands before the server whose socket is in a folder; a context that leaves nothing behind.

    `cuts` counts the connections that were cut, by why.
    """

    def __init__(self, server_folder: Path) -> None:
        self.server_folder = server_folder
        # A socket's path may have about a hundred characters: not pytest's own folder.
        self.folder = Path(tempfile.mkdtemp(prefix="yibao-proxy-"))
        self.cuts: Counter[Cut] = Counter()
        self._to_cut: Counter[Cut] = Counter()
        self._refusing = False
        self._links: set[_Link] = set()
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._thread = threading.Thread(target=self._listen, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._listener.bind(str(self.folder / SOCKET))
        self._listener.listen(100)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        # A socket that is only closed would leave whoever waits for a client waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for link in self._open():
            link.cut()
            link.join()
        shutil.rmtree(self.folder)

    def url(self, database: str = "postgres", user: str = "postgres", **options: str) -> str:
        """A database of the server, as one opens it through the proxy."""
        told = "&".join([f"host={self.folder}", *(f"{k}={v}" for k, v in options.items())])
        return f"postgresql://{user}@/{database}?{told}"

    def through(self, url: str) -> str:
        """The same database, through the proxy."""
        return url.replace(f"host={self.server_folder}", f"host={self.folder}")

    def cut_after_commit(self, times: int = 1) -> None:
        """The next commits are made, and nobody is told: the connection is cut instead."""
        self._cut_next(Cut.AFTER_COMMIT, times)

    def cut_before_commit(self, times: int = 1) -> None:
        """The next commits do not reach the server, which rolls back before the client knows."""
        self._cut_next(Cut.BEFORE_COMMIT, times)

    def cut_now(self) -> None:
        """Cuts every open connection, whatever it is doing."""
        for link in self._open():
            self.cuts[Cut.NOW] += 1
            link.cut()

    def refuse(self, refusing: bool = True) -> None:
        """From now on a new connection is closed at once, as if the server were down; or not."""
        self._refusing = refusing

    def takes(self, cut: Cut) -> bool:
        """Whether a commit that has come so far is one of those to be cut."""
        with self._lock:
            if not self._to_cut[cut]:
                return False
            self._to_cut[cut] -= 1
            self.cuts[cut] += 1
            return True

    def forget(self, link: "_Link") -> None:
        with self._lock:
            self._links.discard(link)

    def _cut_next(self, cut: Cut, times: int) -> None:
        with self._lock:
            self._to_cut[cut] = times

    def _open(self) -> "list[_Link]":
        with self._lock:
            return list(self._links)

    def _listen(self) -> None:
        with suppress(OSError):  # shut down
            while True:
                client, _ = self._listener.accept()
                if self._refusing:
                    self.cuts[Cut.REFUSED] += 1
                    client.close()
                    continue
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(self.server_folder / SOCKET))
        except OSError:  # the server is down, and so is what stands before it
            server.close()
            client.close()
            return
        link = _Link(self, client, server)
        with self._lock:
            self._links.add(link)
        link.start()


class _Link:
    """A connection of one client, in two threads: one for what it asks, one for the answers."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy = proxy
        self.client = client
        self.server = server
        self._asking = threading.Thread(target=self._ask, name="proxy-asking", daemon=True)
        self._answering = threading.Thread(target=self._answer, name="proxy-answering", daemon=True)

    def start(self) -> None:
        self._answering.start()
        self._asking.start()

    def join(self) -> None:
        self._asking.join()

    def cut(self) -> None:
        """Ends both sides; what is under way in a thread ends with them."""
        for side in (self.client, self.server):
            _shut(side, socket.SHUT_RDWR)

    def _ask(self) -> None:
        with self.client, self.server:
            with suppress(OSError), self.client.makefile("rb") as asked:
                commits = _Commits()
                for message in _requests(asked, self.client):
                    if commits.is_one(message) and self.proxy.takes(Cut.BEFORE_COMMIT):
                        break
                    self.server.sendall(message)
            # The server rolls back what is open, and hangs up; only then does the client hear of
            # it. An answer that is on its way still arrives.
            _shut(self.server, socket.SHUT_WR)
            self._answering.join()
            self.proxy.forget(self)

    def _answer(self) -> None:
        with suppress(OSError), self.server.makefile("rb") as answers:
            for message in _messages(answers):
                # The server says so when it has committed, by whatever protocol it was asked.
                if message == _COMMITTED and self.proxy.takes(Cut.AFTER_COMMIT):
                    break
                self.client.sendall(message)
        self.cut()


def _shut(side: socket.socket, how: int) -> None:
    with suppress(OSError):  # it is gone already
        side.shutdown(how)


#: CommandComplete of a COMMIT; of one that could only roll back it says ROLLBACK.
_COMMITTED = b"C" + struct.pack("!i", 11) + b"COMMIT\0"


class _Commits:
    """Which messages of a client are commits, by a query or by a statement prepared before."""

    def __init__(self) -> None:
        self._statements: set[bytes] = set()
        self._portals: set[bytes] = set()

    def is_one(self, message: bytes) -> bool:
        """Whether a message makes the server commit; each has to be shown, in order."""
        body = message[5:]
        match message[:1]:
            case b"Q":  # Query: text
                return bool(_COMMIT.search(body))
            case b"P":  # Parse: statement, text
                name, text, *_ = body.split(b"\0", 2)
                _note(self._statements, name, bool(_COMMIT.search(text)))
            case b"B":  # Bind: portal, statement
                portal, name, *_ = body.split(b"\0", 2)
                _note(self._portals, portal, name in self._statements)
            case b"E":  # Execute: portal
                return body.split(b"\0", 1)[0] in self._portals
            case b"C":  # Close: kind, name
                _note(self._statements if body[:1] == b"S" else self._portals, body[1:-1], False)
            case _:
                pass
        return False


def _note(names: set[bytes], name: bytes, is_commit: bool) -> None:
    if is_commit:
        names.add(name)
    else:
        names.discard(name)


def _requests(asked: BinaryIO, client: socket.socket) -> Iterator[bytes]:
    """What a client sends: a startup packet, which has no type, then messages."""
    while packet := _packet(asked, b""):
        (code,) = struct.unpack_from("!i", packet, 4)
        if code not in _ENCRYPTIONS:
            yield packet
            break
        client.sendall(b"N")  # or there would be nothing to read
    yield from _messages(asked)


def _messages(stream: BinaryIO) -> Iterator[bytes]:
    while kind := stream.read(1):
        message = _packet(stream, kind)
        if not message:
            break
        yield message


def _packet(stream: BinaryIO, kind: bytes) -> bytes:
    """A type, if any, a length that counts itself, and as much; empty if it breaks off."""
    length = stream.read(4)
    if len(length) < 4:
        return b""
    size = struct.unpack("!i", length)[0] - 4
    body = stream.read(size)
    return kind + length + body if len(body) == size else b""
