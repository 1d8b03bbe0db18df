"""Which claims of a token make which role, school and reference: a mapping file."""

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from yibao.adapters.http.identify.files import read_yaml
from yibao.adapters.http.rights import Role, Who
from yibao.domain.vocabulary import GivenName


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    roles_claim: str = "roles"
    roles: dict[str, Role] = Field(min_length=1)
    schools_claim: str = "schools"
    #: As the provider calls them, by ours; none where both call them the same.
    schools: dict[str, GivenName] | None = None
    ref_claim: str | None = None


class Claims:
    """Who somebody is, by what a token claims; `key` makes actors of issuers and subjects."""

    def __init__(self, mapping: _File, key: str) -> None:
        self._mapping = mapping
        self._key = key.encode()

    @classmethod
    def read(cls, file: Path, key: str) -> "Claims":
        """Those of a YAML file; raises YibaoError for one that cannot be read."""
        return cls(read_yaml(file, _File), key)

    def who(self, claims: Mapping[str, Any]) -> Who:
        """Whom the claims of a token that was proven are about.

        The actor is the same for the same subject of an issuer, and says nothing of it.
        """
        told = f"{claims['iss']}\n{claims['sub']}".encode()
        actor = f"a-{hmac.new(self._key, told, sha256).hexdigest()[:32]}"
        mapping = self._mapping
        roles = {mapping.roles.get(each) for each in _words(claims.get(mapping.roles_claim))}
        schools = _words(claims.get(mapping.schools_claim))
        if mapping.schools is not None:
            schools = [mapping.schools[each] for each in schools if each in mapping.schools]
        ref = claims.get(mapping.ref_claim) if mapping.ref_claim else None
        return Who(
            actor,
            frozenset(role for role in roles if role),
            frozenset(schools),
            ref if isinstance(ref, str) else None,
        )


def _words(claimed: Any) -> list[str]:
    """One word or a list of them; what is anything else claims nothing."""
    several: Iterable[Any] = claimed if isinstance(claimed, list) else [claimed]
    return [each for each in several if isinstance(each, str)]
