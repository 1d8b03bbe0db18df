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
from types import FrameType
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
    with _stopping() as stopping, _folder_for_now() as folder:
        made = make_school(folder / "school", watch=stopping.check)
        roles = frozenset(Role) - {Role.STUDENT}
        who = Who("demo-1", roles, frozenset({made.school}))
        tokens = Tokens({sha256(token.encode()).hexdigest(): who})
        served = app(
            url_given(made.store), HttpSettings(), identify=tokens, directory=made.settings,
            clock=_going_on_from(made.at), once=token,
        )  # fmt: skip
        stopping.server = uvicorn.Server(uvicorn.Config(served, host=host, port=port, **_QUIET))
        stopping.check()
        tell_link(f"http://{host}:{port}/console/once/{token}")
        stopping.server.run()
        if stopping.by != signal.SIGINT:  # so a demo is meant to end
            stopping.check()


class _Stopping:
    """By which signal a demo is asked to stop, if it is.

    That is noted and looked at, and nothing is raised where a signal happens to come: what is
    raised inside a library's callback can be lost, and the demo would go on.
    """

    by: int | None = None
    server: uvicorn.Server | None = None

    def ask(self, number: int, frame: FrameType | None) -> None:
        self.by = number
        if self.server is not None:  # which listens to signals itself as soon as it runs
            self.server.should_exit = True

    def check(self, *progress: int) -> None:
        """Raises SystemExit where it was asked for."""
        if self.by is not None:
            sys.exit(128 + self.by)


@contextmanager
def _stopping() -> Iterator[_Stopping]:
    """Until this has ended signals ask to stop, and do nothing else: whoever is impatient waits."""
    stopping = _Stopping()
    asking = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stopping.ask) for number in asking}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _folder_for_now() -> Iterator[Path]:
    """A private folder that is gone however this ends, unless the process is killed outright.

    In memory alone a school cannot be: keys and tables are files, as what follows its facts is.
    """
    folder = mkdtemp(prefix="yibao-")
    try:
        yield Path(folder)
    finally:
        rmtree(folder)


def _going_on_from(at: datetime) -> Clock:
    """A clock that stands at an instant and goes on from there: in the school it is December."""
    began = shanghai_now()
    return lambda: at + (shanghai_now() - began)


def served() -> FastAPI:
    """The application of the environment, in a process of its own."""
    log_json()
    return app(os.environ[_STORE])
