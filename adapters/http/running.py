"""A server of our own: uvicorn, with the application of the environment in each worker."""

import os
from secrets import token_urlsafe

import uvicorn
from fastapi import FastAPI

from yibao.adapters.http.app import app
from yibao.adapters.http.settings import PREFIX, HttpSettings
from yibao.adapters.telemetry import log_json

#: Where a worker is told which store it is.
_STORE = f"{PREFIX}STORE"


def run(url: str, settings: HttpSettings, *, host: str, port: int, workers: int) -> None:
    """Serves a store until it is stopped."""
    os.environ[_STORE] = url  # each worker reads it anew
    os.environ.setdefault(f"{PREFIX}SECRET", token_urlsafe(32))
    if settings.tokens is not None:
        os.environ[f"{PREFIX}TOKENS"] = str(settings.tokens)
    uvicorn.run(
        f"{__name__}:served",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,  # it would tell the path, and so of whom
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=True,
    )


def served() -> FastAPI:
    """The application of the environment, in a process of its own."""
    log_json()
    return app(os.environ[_STORE])
