"""Bearer tokens: who asks is told by a provider, whose signature is looked at each time."""

from fastapi import Request

from yibao.adapters.http.identify.claims import Claims
from yibao.adapters.http.identify.provider import Provider
from yibao.adapters.http.identify.tokens import bearer_of
from yibao.adapters.http.rights import Who

#: How long a token may be; a longer one is nobody's.
_LONGEST = 16_384


class Bearer:
    """Who has a token that a provider has signed for an audience."""

    def __init__(self, provider: Provider, audience: str, claims: Claims) -> None:
        self._provider = provider
        self._audience = audience
        self._claims = claims

    async def __call__(self, request: Request) -> Who | None:
        token = bearer_of(request)
        if token is None or token.count(".") != 2 or len(token) > _LONGEST:
            return None
        claims = await self._provider.claims(token, self._audience)
        return self._claims.who(claims) if claims else None
