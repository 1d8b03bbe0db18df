"""What can be set about the service on the web: by the program, or in the environment."""

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from yibao.domain.refusals import YibaoError, place, reason

PREFIX: Final = "YIBAO_HTTP_"


class HttpSettings(BaseSettings):
    """Each stands in the environment, in capitals after `YIBAO_HTTP_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    tokens: Path | None = None
    """A YAML file of static tokens, by their SHA-256, and who each is."""
    issuer: str | None = None
    """The OpenID provider, by its URL: its tokens say who asks, and the console signs in by it."""
    audience: str | None = None
    """For whom bearer tokens have to be, as their `aud` says."""
    claims: Path | None = None
    """A YAML file that says which claims make which role, school and reference."""
    actor_key: SecretStr | None = None
    """Of which actors are made from issuer and subject; another would make others of them."""
    client_id: str | None = None
    """How the console is called at the provider; without it nobody signs in there."""
    client_secret: SecretStr | None = None
    """The provider's secret with the console, if there is one."""
    threads: int = Field(default=8, ge=1, le=256)
    """Requests that are worked on at once; on PostgreSQL no more than its pool has connections."""
    refused_tries: int = Field(default=1000, ge=1)
    """Refused tries of one actor in an hour, after which the next is answered with 429."""
    accesses_days: int = Field(default=1095, ge=1, le=36500)
    """How many days it is kept who looked at whom; what is older is erased at start and daily."""
    operated_from: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Networks from which health and figures are asked without a token; as JSON, a list."""
    console: bool = True
    """Whether the console is served, under `/console`."""

    secret: SecretStr | None = None
    """Signs the sessions of the console: the same in all workers; by default each start's own."""

    @property
    def identifies(self) -> bool:
        """Whether there is any way to tell who asks."""
        return self.tokens is not None or self.issuer is not None


def http_settings() -> HttpSettings:
    """The settings of the environment; raises YibaoError for one that cannot be read."""
    try:
        return HttpSettings()
    except ValidationError as error:
        told = f"{PREFIX}{place(error).upper()} in the environment: {reason(error)}"
        raise YibaoError(told) from None
