"""Static tokens for machines: a file of their hashes, and who each is."""

import hashlib
from pathlib import Path
from typing import Annotated, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from yibao.adapters.http.identify.files import read_yaml
from yibao.adapters.http.rights import Identify, Role, Who
from yibao.domain.vocabulary import GivenKey, GivenName

_SCHEME: Final = "bearer "


class _Token(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    actor: GivenKey
    roles: list[Role] = Field(min_length=1)
    schools: list[GivenName] = []
    ref: GivenKey | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    tokens: list[_Token]


class Tokens:
    """Who has which token, by its SHA-256; the tokens themselves are nowhere here."""

    def __init__(self, known: dict[str, Who]) -> None:
        self._known = known

    @classmethod
    def read(cls, file: Path) -> "Tokens":
        """Those of a YAML file; raises YibaoError for one that cannot be read."""
        return cls(
            {
                each.sha256: Who(
                    each.actor, frozenset(each.roles), frozenset(each.schools), each.ref
                )
                for each in read_yaml(file, _File).tokens
            }
        )

    async def __call__(self, request: Request) -> Who | None:
        token = bearer_of(request)
        return self._known.get(hashlib.sha256(token.encode()).hexdigest()) if token else None


def bearer_of(request: Request) -> str | None:
    """The bearer token of a request, if it has one."""
    given = request.headers.get("authorization", "")
    return given[len(_SCHEME) :].strip() if given[: len(_SCHEME)].lower() == _SCHEME else None


def first_of(*ways: Identify) -> Identify:
    """Asks one way after the other; the first that knows who it is counts."""

    async def identify(request: Request) -> Who | None:
        for way in ways:
            if who := await way(request):
                return who
        return None

    return identify
