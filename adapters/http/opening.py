"""What an application opens as it starts, and closes as it ends."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from os import environ

from yibao.adapters.http.desk import Opened
from yibao.adapters.http.settings import HttpSettings
from yibao.adapters.office.directory import (
    DirectorySettings,
    directory_settings,
    open_accesses,
    open_directory,
    open_shared,
)
from yibao.adapters.service import Clock, shanghai_now
from yibao.adapters.service import open as open_service
from yibao.adapters.telemetry import Telemetry


def directory_here() -> DirectorySettings | None:
    """The settings of the directory, if the environment names one."""
    return directory_settings() if environ.get("YIBAO_DIRECTORY") else None


@contextmanager
def opened(
    url: str,
    settings: HttpSettings,
    telemetry: Telemetry,
    directory: DirectorySettings | None = None,
    clock: Clock = shanghai_now,
) -> Iterator[Opened]:
    """The service, the accesses and the directory, if there is one; raises StoreError.

    Where somebody is to be forgotten a second person is always asked: on the web one alone could
    be anybody who found a screen open.
    """
    with ExitStack() as held:
        service = held.enter_context(
            open_service(url, by="web", via="http", clock=clock, telemetry=telemetry)
        )
        people = None
        if directory is not None:
            agreed = directory.model_copy(update={"directory_two_persons": True})
            people = open_directory(agreed, shanghai_now, make=True)
            assert people is not None
            held.enter_context(people)
        accesses = people.accesses if people else held.enter_context(closing(open_accesses(url)))
        shared = held.enter_context(closing(open_shared(url)))
        yield Opened(service, accesses, people, shared)
