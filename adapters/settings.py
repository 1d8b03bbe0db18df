"""What can be set about a store besides its URL: by the program, or in the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StoreSettings(BaseSettings):
    """The connections to PostgreSQL; times in seconds.

    Each may stand in the environment, in capitals after `YIBAO_`: `YIBAO_POOL_MAX=20`. What
    libpq itself knows (hosts, TLS, the account) is in the URL, or in libpq's own variables and
    files, where a password is best kept.
    """

    model_config = SettingsConfigDict(env_prefix="YIBAO_", frozen=True, extra="forbid")

    pool_min: int = Field(default=1, ge=0)
    """Connections that are always open."""
    pool_max: int = Field(default=8, ge=2)
    """Connections at most; a thread that finds none waits. Who follows needs two."""
    connect_timeout: int = Field(default=10, ge=2)
    """For opening a connection, to each of several hosts."""
    statement_timeout: float = Field(default=60, ge=0)
    """For one statement; 0 is without end."""
    lock_timeout: float = Field(default=30, ge=0)
    """For others who record on the same student."""
    idle_in_transaction_timeout: float = Field(default=20, ge=0)
    """After which the server ends a transaction of a process that has stopped asking.

    A process stopped in the middle of a transaction holds up others on the same student, and
    every projection; it is ended before `lock_timeout` ends those others.
    """
    retry_for: float = Field(default=30, ge=0)
    """How long something is tried again that was interrupted: a fail-over takes as long."""
