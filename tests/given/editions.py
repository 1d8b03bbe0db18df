"""Editions of the policy, as released or with other values."""

from functools import cache
from typing import Any

from yibao.adapters.editions.files import Editions
from yibao.domain.editions.policy import Policy


@cache
def edition(name: str = "shanghai-2025") -> Policy:
    return Editions().get(name)


def edition_with(base: str = "shanghai-2025", **values: Any) -> Policy:
    """An edition some of whose parameters, or cells of its table, have other values."""
    content = edition(base).model_dump()
    for name, value in values.items():
        section = "benefits" if name in content["benefits"] else "parameters"
        content[section][name]["value"] = value
    return Policy.model_validate(content)
