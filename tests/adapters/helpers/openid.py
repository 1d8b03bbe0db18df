"""An OpenID provider of the tests' own: it signs whoever is named in, and everybody trusts it."""

import base64
import hashlib
import time
from typing import Any
from urllib.parse import parse_qs, urlencode

from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response

CLIENT, SECRET, AUDIENCE = "console", "of-the-console", "yibao-api"


class OpenId:
    """What it knows: its keys, whom it signs in, and who is on the way."""

    def __init__(self) -> None:
        self.issuer = ""
        self.keys = [RSAKey.generate_key(2048, {"kid": "first"})]
        self.fetched = 0
        self.person: dict[str, Any] = {"sub": "teacher-17", "groups": ["office"], "unit": "10248"}
        self.codes: dict[str, dict[str, str]] = {}
        self.app = FastAPI()
        self.app.add_api_route("/.well-known/openid-configuration", self.about)
        self.app.add_api_route("/keys", self.known_keys)
        self.app.add_api_route("/authorize", self.authorize)
        self.app.add_api_route("/token", self.token, methods=["POST"])

    async def about(self) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/keys",
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
            }
        )

    async def known_keys(self) -> Response:
        self.fetched += 1
        return JSONResponse(KeySet(list(self.keys)).as_dict())

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 303)

    async def token(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        told = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(form.get("code", ""), None)
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or request.headers.get("authorization") != f"Basic {told}"
            or base64.urlsafe_b64encode(proof).decode().rstrip("=") != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = self.signed({"aud": CLIENT, "nonce": asked["nonce"]})
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def signed(
        self, claims: dict[str, Any], key: Any = None, alg: str = "RS256", **header: Any
    ) -> str:
        """A token about the person, with other claims."""
        now = int(time.time())
        whole = {"iss": self.issuer, "exp": now + 60, "iat": now, **self.person, **claims}
        whole = {name: value for name, value in whole.items() if value is not None}
        key = key or self.keys[-1]
        told = {"alg": alg, "kid": key.kid, **header}
        return jwt.encode(told, whole, key, algorithms=["RS256", "ES256", "HS256"])


def secret_of(text: str) -> OctKey:
    return OctKey.import_key(text)


def curve(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid})
