"""What can be set about a store besides its URL: by the program, or in the environment."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from yibao.adapters.store.errors import StoreError
from yibao.domain.refusals import place, reason

PREFIX: Final = "YIBAO_"
#: No time on a PostgreSQL server is longer, in seconds: it counts milliseconds in 31 bits.
LONGEST: Final = (2**31 - 1) // 1000
Seconds = Annotated[float, Field(ge=0, le=LONGEST, allow_inf_nan=False)]
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


class StoreSettings(BaseSettings):
    """The connections to PostgreSQL; times in seconds.

    Each may stand in the environment, in capitals after `YIBAO_`: `YIBAO_POOL_MAX=20`. The
    hosts and the account are in the URL, or in libpq's own variables and files, where a password
    is best kept. What the URL says of TLS and of `connect_timeout` comes before what is set here;
    the other times hold for the connections of a service whatever it says.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    pool_min: int = Field(default=1, ge=0)
    """Connections that stay open once they were needed; others are closed after a while."""
    pool_max: int = Field(default=8, ge=2)
    """Connections at most; a thread that finds none waits.

    Who follows needs two.
    """
    connect_timeout: int = Field(default=10, ge=2, le=LONGEST)
    """For opening a connection, to each of several hosts."""
    statement_timeout: Seconds = 60
    """For one statement; 0 is without end."""
    lock_timeout: Seconds = 30
    """For others who record on the same student."""
    idle_in_transaction_timeout: Seconds = 20
    """After which the server ends a transaction of a process that has stopped asking.

    A process stopped in the middle of a transaction holds up others on the same student, and
    every projection; it is ended before `lock_timeout` ends those others.
    """
    retry_for: Seconds = 30
    """How long something is tried again that was interrupted: a fail-over takes as long."""
    sslmode: SslMode | None = None
    """What of TLS is asked of a server, as libpq has it; only `verify-full` knows whose it is."""
    sslrootcert: Path | None = None
    """The certificates of those who may vouch for the server."""
    sslcert: Path | None = None
    """The certificate that a client shows, where the server asks for one."""
    sslkey: Path | None = None
    """The key to it."""


def settings_here() -> StoreSettings:
    """The settings of the environment; raises StoreError for one that cannot be read."""
    try:
        return StoreSettings()
    except ValidationError as error:
        told = f"{PREFIX}{place(error).upper()} in the environment: {reason(error)}"
        raise StoreError(told) from None
