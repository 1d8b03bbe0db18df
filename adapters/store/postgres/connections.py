"""Connections to a server: how they are made, lent, and what their failures say."""

import logging
import math
import re
from typing import Final

import psycopg
import psycopg.errors
from eventsourcing.persistence import PersistenceError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from yibao.adapters.store.connections import Loan, NotLent, Pool, Turn
from yibao.adapters.store.errors import Interrupted, StoreError
from yibao.adapters.store.findings import refuse_altered
from yibao.adapters.store.postgres.layout import Connection, altered, check_layout
from yibao.adapters.store.postgres.settings import StoreSettings
from yibao.domain.refusals import YibaoError

LOGGER: Final = logging.getLogger("yibao.postgres")


#: How long a thread waits for a connection of the pool before it tries anew, in seconds.
POOL_PATIENCE: Final = 3.0


#: How long a connection stays open that nobody uses, beyond the few that always do, in seconds.
RESTS: Final = 600.0


#: How long a server is given to leave off a statement, in seconds.
CANCELLED_WITHIN: Final = 2.0


class Connections(Pool[Connection]):
    """A pool of connections, each set up alike."""

    harmless = (YibaoError, psycopg.Error)

    def __init__(self, url: str, settings: StoreSettings) -> None:
        super().__init__(
            settings.pool_max,
            POOL_PATIENCE,
            keep=min(settings.pool_min, settings.pool_max),
            rest=RESTS,
        )
        self.settings = settings
        #: Is had by a thread that needs a second connection as long as it has one.
        self.turn = Turn()
        self.conninfo = conninfo(url, settings)

    def open(self) -> None:
        """Checks that there is a store of this layout."""
        try:
            with self.lend() as connection:
                check_layout(connection)
                refuse_altered(altered(connection))
        except BaseException:
            self.close()
            raise

    def connection(self) -> Loan[Connection]:
        return self.lend()

    def _make(self) -> Connection:
        connection = psycopg.connect(self.conninfo, autocommit=True)
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _is_clean(self, connection: Connection) -> bool:
        if connection.closed:
            # What ended this one has ended those that wait for work as well.
            LOGGER.warning("connection-lost", extra={"told": {}})
            self._close_idle()
            return False
        status = connection.pgconn.transaction_status
        if status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            try:
                connection.rollback()
            except psycopg.Error:
                return False
        return connection.pgconn.transaction_status == TransactionStatus.IDLE

    def _close(self, connection: Connection) -> None:
        try:
            if connection.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # Or the server goes on with it, and keeps what it has locked so long.
                connection.cancel_safe(timeout=CANCELLED_WITHIN)
        except psycopg.Error:
            pass
        finally:
            connection.close()

    def _set_up(self, connection: Connection) -> None:
        waits = self.settings
        connection.execute(
            "SELECT set_config('search_path', 'yibao, yibao_trail', false), "
            "set_config('statement_timeout', %s, false), "
            "set_config('lock_timeout', %s, false), "
            "set_config('idle_in_transaction_session_timeout', %s, false), "
            # What was acknowledged is on the disk, whatever else holds in this database.
            "CASE current_setting('synchronous_commit') WHEN 'off' "
            "THEN set_config('synchronous_commit', 'on', false) END",
            [
                f"{math.ceil(seconds * 1000)}ms"  # 0 would be without end
                for seconds in (
                    waits.statement_timeout,
                    waits.lock_timeout,
                    waits.idle_in_transaction_timeout,
                )
            ],
        )


#: What is set under the name that libpq has for it.
_OF_LIBPQ: Final = {"connect_timeout", "sslmode", "sslrootcert", "sslcert", "sslkey"}


def conninfo(url: str, settings: StoreSettings) -> str:
    """How to connect: what is set, as far as the URL says nothing else.

    A server that the network has lost is given up after some seconds; libpq by itself would wait
    for many minutes.
    """
    set_here = {
        **settings.model_dump(mode="json", include=_OF_LIBPQ, exclude_none=True),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 1000 * settings.connect_timeout,
    }
    told = conninfo_to_dict(url)
    return make_conninfo(url, **{**set_here, **told, "client_encoding": "UTF8"})


def place_of(url: str) -> str:
    """Where a URL leads, without what nobody should read; raises StoreError for no URL."""
    no_url = "this is no URL of a PostgreSQL database: "
    account, _, path = url.partition("?")[0].partition("://")[2].partition("/")
    if account.count("@") > 1 or "@" in path:
        # What would be taken for a host or a database may be the rest of a password.
        raise StoreError(f"{no_url}{_WRITTEN}")
    try:
        told = conninfo_to_dict(url)
    except psycopg.Error as error:
        # It quotes what it could not read.
        reason = re.sub('".*"', "…", str(error).strip(), flags=re.DOTALL)
        raise StoreError(f"{no_url}{reason}; {_WRITTEN}") from None
    return f"{told.get('host') or 'local'}/{told.get('dbname') or ''}"


_WRITTEN: Final = "special characters of an account or a password are written as %XX"


def failure(error: BaseException) -> Exception | None:
    """A failure of psycopg or of the library as ours; None for anything else."""
    if isinstance(error, NotLent):
        return error.told
    cause = error.__cause__ if isinstance(error, PersistenceError) else error
    if not isinstance(cause, psycopg.Error):
        return StoreError(f"failed: {error}") if isinstance(error, OSError) else None
    told = f"failed: {first_line(cause)}"
    return Interrupted(told) if _may_be_tried_again(cause) else StoreError(told)


def _may_be_tried_again(error: psycopg.Error) -> bool:
    state = error.sqlstate
    if state is None:  # psycopg's own: the connection was lost, or could not be made
        return isinstance(error, psycopg.OperationalError)
    return state in _PASSING or state.startswith("08")


#: A deadlock or a conflict with others; a version that others were first to take; no room for the
#: locks of all; a server that shuts down or starts.
_PASSING: Final = frozenset(
    kind.sqlstate
    for kind in (
        psycopg.errors.SerializationFailure,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.UniqueViolation,
        psycopg.errors.OutOfMemory,
        psycopg.errors.AdminShutdown,
        psycopg.errors.CrashShutdown,
        psycopg.errors.CannotConnectNow,
        psycopg.errors.IdleInTransactionSessionTimeout,
    )
)


def first_line(error: psycopg.Error) -> str:
    """What the server says, without the row that it shows with some errors."""
    return (error.diag.message_primary or str(error)).partition("\n")[0]
