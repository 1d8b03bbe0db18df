"""The service on the web for the tests: a real server on a socket, and whoever asks it."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
from fastapi import FastAPI

import yibao
from yibao.adapters.http.app import HttpSettings, Role, app
from yibao.adapters.office.directory import DirectorySettings

#: Who asks, by the token: a role of each kind, an officer and a clinic of another school as well.
PEOPLE: Final[dict[str, dict[str, Any]]] = {
    "student": {"roles": ["student"], "ref": "ada"},
    "officer": {"roles": ["officer"], "schools": ["sjtu"]},
    "other-officer": {"roles": ["officer"], "schools": ["fdu"]},
    "both-officer": {"roles": ["officer"], "schools": ["sjtu", "fdu"]},
    "clinic": {"roles": ["clinic"], "schools": ["sjtu"]},
    "other-clinic": {"roles": ["clinic"], "schools": ["fdu"]},
    "bureau": {"roles": ["bureau"]},
    "auditor": {"roles": ["auditor"]},
    "keeper": {"roles": ["keeper"]},
    "privacy": {"roles": ["privacy"]},
    "second-privacy": {"roles": ["privacy"]},
    "operator": {"roles": ["operator"]},
    "everybody": {"roles": [str(role) for role in Role], "schools": ["sjtu", "fdu"], "ref": "ada"},
}
REGISTRATION: Final = {
    "policy": "shanghai-2025",
    "on": "2025-09-01",
    "at": "2025-09-01 08:30",
    "school": "sjtu",
    "category": "undergraduate",
    "document": "resident_id_card",
}


def tokens_file(folder: Path) -> Path:
    """The static tokens of these people: each is the name itself."""
    lines = ["tokens:"]
    for name, told in PEOPLE.items():
        lines.append(f"  - sha256: {hashlib.sha256(name.encode()).hexdigest()}")
        lines.append(f"    actor: {name}")
        lines += [f"    {key}: {value}" for key, value in told.items()]
    path = folder / "tokens.yaml"
    path.write_text("\n".join(lines).replace("'", ""))
    return path


class Web:
    """A server that is there, asked over its socket in the name of somebody."""

    def __init__(self, base: str, app: FastAPI) -> None:
        self.base = base
        self.app = app
        self.client = httpx.Client(base_url=base, timeout=30)
        self._keys = count(1)
        self._refs = count(1)

    @property
    def service(self) -> yibao.Service:
        """The service behind it."""
        found: yibao.Service = self.app.state.service
        return found

    def get(self, who: str | None, path: str, **query: Any) -> httpx.Response:
        return self.client.get(f"/v1{path}", params=query, headers=_named(who))

    def post(
        self,
        who: str | None,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        match: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """A POST, under a key of its own if none is given."""
        headers |= {"Idempotency-Key": self.key() if key is None else key}
        if match is not None:
            headers["If-Match"] = match
        return self.client.post(
            f"/v1{path}", json={} if body is None else body, headers={**_named(who), **headers}
        )

    def key(self) -> str:
        return f"key-{next(self._keys)}"

    def student(
        self, school: str = "sjtu", ref: str | None = None, *, declared: bool = True
    ) -> str:
        """A student who is registered, and declared; her reference."""
        ref = ref or f"s-{next(self._refs)}"
        self.service.register(ref, **{**REGISTRATION, "school": school})  # type: ignore[arg-type]
        if declared:
            self.service.declare_roster(yibao.EnrollmentId(ref, 2025), at="2025-09-02 17:00")
        return ref


def _named(who: str | None) -> dict[str, str]:
    return {} if who is None else {"Authorization": f"Bearer {who}"}


@contextmanager
def serving(
    url: str, folder: Path, directory: DirectorySettings | None = None, **settings: Any
) -> Iterator[Web]:
    """The service on a store, on a socket of this machine."""
    made = app(url, HttpSettings(tokens=tokens_file(folder), **settings), directory=directory)
    with on_a_socket(made) as base:
        web = Web(base, made)
        with web.client:
            yield web


@contextmanager
def on_a_socket(app: FastAPI) -> Iterator[str]:
    """An application behind uvicorn, in a thread of its own; its address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
