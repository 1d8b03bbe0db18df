"""A server of our own: uvicorn, with the application of the environment in each worker."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from yibao.adapters.http.app import app
from yibao.adapters.http.identify import Tokens
from yibao.adapters.http.rights import Role, Who
from yibao.adapters.http.settings import PREFIX, HttpSettings
from yibao.adapters.office import check_office
from yibao.adapters.service import Clock, shanghai_now
from yibao.adapters.store import url_given
from yibao.adapters.telemetry import log_json

#: Where a worker is told which store it is.
_STORE: Final = f"{PREFIX}STORE"
#: Logs of the server's own would tell the path, and so of whom.
_QUIET: Final[dict[str, Any]] = {
    "access_log": False,
    "log_config": None,
    "server_header": False,
}


def run(url: str, settings: HttpSettings, *, host: str, port: int, workers: int) -> None:
    """Serves a store until it is stopped."""
    os.environ[_STORE] = url  # each worker reads it anew
    os.environ.setdefault(f"{PREFIX}SECRET", token_urlsafe(32))
    if settings.tokens is not None:
        os.environ[f"{PREFIX}TOKENS"] = str(settings.tokens)
    uvicorn.run(f"{__name__}:served", factory=True, host=host, port=port, workers=workers, **_QUIET)


def run_demo(host: str, port: int, tell_link: Callable[[str], None]) -> None:
    """Serves a synthetic school until it is stopped, and nothing is left of it.

    A link is told that signs in one time, as somebody who may do all there is.
    """
    check_office()
    from yibao.adapters.office.demo import make_school

    token = token_urlsafe(24)
    with _folder_for_now() as folder:
        made = make_school(folder / "school")
        roles = frozenset(Role) - {Role.STUDENT}
        who = Who("demo-1", roles, frozenset({made.school}))
        tokens = Tokens({sha256(token.encode()).hexdigest(): who})
        served = app(
            url_given(made.store), HttpSettings(), identify=tokens, directory=made.settings,
            clock=_going_on_from(made.at), once=token,
        )  # fmt: skip
        tell_link(f"http://{host}:{port}/console/once/{token}")
        uvicorn.run(served, host=host, port=port, **_QUIET)


@contextmanager
def _folder_for_now() -> Iterator[Path]:
    """A private folder that is gone however this ends, unless the process is killed outright.

    In memory alone a school cannot be: keys and tables are files, as what follows its facts is.
    """
    # uvicorn raises again by what it was stopped; what it does not know must stop it as well.
    stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.getsignal(each) for each in stopping}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    folder = mkdtemp(prefix="yibao-")
    try:
        yield Path(folder)
    finally:
        for each in stopping:  # whoever is impatient waits
            signal.signal(each, signal.SIG_IGN)
        rmtree(folder)
        for each, handler in before.items():
            signal.signal(each, handler)


def _going_on_from(at: datetime) -> Clock:
    """A clock that stands at an instant and goes on from there: in the school it is December."""
    began = shanghai_now()
    return lambda: at + (shanghai_now() - began)


def served() -> FastAPI:
    """The application of the environment, in a process of its own."""
    log_json()
    return app(os.environ[_STORE])
