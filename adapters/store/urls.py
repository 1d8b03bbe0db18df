"""How a store is written: a file, a database, or memory."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from yibao.adapters.store.errors import StoreError

if TYPE_CHECKING:
    pass


MEMORY: Final = "memory:"


_SQLITE: Final = "sqlite"


_POSTGRES: Final = ("postgresql", "postgres")


def is_postgres(url: str) -> bool:
    """Whether a URL leads to a PostgreSQL database."""
    return url.partition("://")[0] in _POSTGRES and "://" in url


def shown(url: str) -> str:
    """A URL without the passwords that may stand in it."""
    if not is_postgres(url):
        return url
    parts = urlsplit(url)
    account, at, host = parts.netloc.rpartition("@")
    options = [option for option in parse_qsl(parts.query) if not option[0].endswith("password")]
    asked = f"?{urlencode(options, safe='/')}" if options else ""
    return f"{parts.scheme}://{account.partition(':')[0]}{at}{host}{parts.path}{asked}"


def url_of(file: str | Path) -> str:
    """How a store in a file is written."""
    return f"{_SQLITE}:///{quote(str(file))}"


def url_given(text: str) -> str:
    """A store as a person names it, by its URL or by the path of its file; raises ValueError."""
    is_url = "://" in text or text.startswith((f"{_SQLITE}:", MEMORY))
    return text if is_url else url_of(text)


def file_of(url: str) -> str:
    """The path in `sqlite:///path`; raises StoreError for anything else.

    A query, a fragment and control characters are none of it, unless percent-encoded.
    """
    scheme, _, rest = url.partition(":///")
    try:
        path = unquote(rest, errors="strict")
        path.encode()
    except ValueError:
        raise StoreError(HOW_WRITTEN) from None
    is_plain = scheme.lower() == _SQLITE and not _NO_PATH.search(rest)
    # What SQLite or the library would read options out of, or not keep, is no path of a file.
    is_file = path and not path.startswith("file:") and not _IN_MEMORY.search(path)
    if not (is_plain and is_file) or "\0" in path:
        raise StoreError(HOW_WRITTEN)
    return path


_NO_PATH: Final = re.compile(r"[?#\x00-\x1f\x7f]")


_IN_MEMORY: Final = re.compile(r"^:|:memory:|mode=memory")


HOW_WRITTEN: Final = (
    "a store is written sqlite:///relative/path, sqlite:////absolute/path, "
    "postgresql://host/database or memory:"
)
