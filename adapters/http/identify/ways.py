"""The ways in which the settings say that it is told who asks."""

from typing import NamedTuple

from yibao.adapters.http.identify.bearer import Bearer
from yibao.adapters.http.identify.claims import Claims
from yibao.adapters.http.identify.provider import Provider
from yibao.adapters.http.identify.tokens import Tokens
from yibao.adapters.http.rights import Identify
from yibao.adapters.http.settings import PREFIX, HttpSettings
from yibao.domain.refusals import YibaoError


class Registered(NamedTuple):
    """The console as a provider knows it, and whom its claims are about."""

    provider: Provider
    claims: Claims
    client_id: str
    secret: str | None


def ways_of(settings: HttpSettings) -> tuple[list[Identify], Registered | None]:
    """How it is told who asks, and how the console signs in; raises YibaoError."""
    ways: list[Identify] = [Tokens.read(settings.tokens)] if settings.tokens else []
    if settings.issuer is None:
        return ways, None
    if settings.claims is None:
        raise YibaoError(f"{PREFIX}CLAIMS is lacking: it says which claims make which role")
    if settings.actor_key is None:
        raise YibaoError(f"{PREFIX}ACTOR_KEY is lacking: of it actors are made")
    claims = Claims.read(settings.claims, settings.actor_key.get_secret_value())
    provider = Provider(settings.issuer)
    if settings.audience:
        ways.append(Bearer(provider, settings.audience, claims))
    if settings.client_id is None:
        return ways, None
    secret = settings.client_secret.get_secret_value() if settings.client_secret else None
    return ways, Registered(provider, claims, settings.client_id, secret)
