"""An OpenID provider: where it is asked, its keys, and how somebody signs in there."""

from collections.abc import Mapping
from time import monotonic
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from yibao.domain.refusals import YibaoError

#: What a token may be signed with, and nothing else: not `none`, not a secret that both know.
ALGORITHMS: Final = ["RS256", "ES256"]
#: In seconds: how often keys are fetched at most, and how long a provider is waited for.
_AGAIN_AFTER, _PATIENCE = 60.0, 5.0
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class NotAnswered(ValueError):
    """The provider does not answer, or not as one; what it said is nobody's to read here."""


class SignIn(NamedTuple):
    """Somebody who is signing in: where to send her, and what has to be kept until she is back."""

    url: str
    state: str
    nonce: str
    verifier: str


class Provider:
    """A provider by its issuer; what it says of itself is fetched when it is first needed."""

    def __init__(self, issuer: str) -> None:
        where = urlsplit(issuer)
        if where.scheme != "https" and where.hostname not in _LOOPBACK:
            raise YibaoError("an OpenID provider is asked by https alone")
        self.issuer = issuer
        self._known: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None
        self._fetched = -_AGAIN_AFTER

    async def claims(self, token: str, audience: str) -> dict[str, Any] | None:
        """What a token claims that this provider has signed for an audience; else None."""
        try:
            decoded = jwt.decode(token, await self._keys_for(token), algorithms=ALGORITHMS)
            self._registry(audience).validate(decoded.claims)
        except (JoseError, ValueError, KeyError, TypeError):
            return None
        return decoded.claims

    def _registry(self, audience: str) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def _keys_for(self, token: str) -> KeySet:
        """The keys; fetched again for one that is not known, at most once a minute."""
        key_id = _header(token).get("kid")
        known = self._keys is not None and any(key.kid == key_id for key in self._keys.keys)
        if not known and monotonic() - self._fetched >= _AGAIN_AFTER:
            self._fetched = monotonic()  # also where it fails: nobody's tokens make us knock
            about = await self._about()
            self._keys = KeySet.import_key_set(await _fetched(about["jwks_uri"]))  # type: ignore[arg-type]
        if self._keys is None:
            raise NotAnswered
        return self._keys

    async def _about(self) -> Mapping[str, Any]:
        """What the provider says of itself; raises NotAnswered where it is another's."""
        if self._known is None:
            path = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = await _fetched(path)
            if found.get("issuer") != self.issuer:
                raise NotAnswered
            self._known = found
        return self._known

    async def begin(self, client_id: str, secret: str | None, redirect: str) -> SignIn:
        """Begins to sign somebody in, by a code with PKCE; raises NotAnswered."""
        verifier, nonce = generate_token(64), generate_token(32)
        about = await self._about()
        async with _client(client_id, secret, redirect) as client:
            url, state = client.create_authorization_url(
                about["authorization_endpoint"], code_verifier=verifier, nonce=nonce
            )
        return SignIn(url, state, nonce, verifier)

    async def end(
        self, client_id: str, secret: str | None, redirect: str, code: str, sign_in: SignIn
    ) -> dict[str, Any] | None:
        """What is claimed of who has come back with a code; None where that is not proven."""
        about = await self._about()
        async with _client(client_id, secret, redirect) as client:
            try:
                token = await client.fetch_token(
                    about["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=sign_in.verifier,
                )
            except Exception:  # whatever the provider says, and authlib makes of it
                return None
        claims = await self.claims(str(token.get("id_token", "")), client_id)
        return claims if claims and claims.get("nonce") == sign_in.nonce else None


def _client(client_id: str, secret: str | None, redirect: str) -> Any:
    return AsyncOAuth2Client(
        client_id,
        secret,
        scope="openid",
        redirect_uri=redirect,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
        timeout=_PATIENCE,
    )


async def _fetched(url: str) -> dict[str, Any]:
    """A JSON object; raises NotAnswered where there is none to be had."""
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=False) as client:
            found = (await client.get(url)).raise_for_status().json()
    except httpx.HTTPError:
        raise NotAnswered from None
    if not isinstance(found, dict):
        raise NotAnswered
    return found


def _header(token: str) -> Mapping[str, Any]:
    """The header of a token, which nobody has proven yet; raises ValueError."""
    from joserfc.jws import extract_compact

    header: Mapping[str, Any] = extract_compact(token.encode()).headers()
    return header
