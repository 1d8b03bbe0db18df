"""Editions of the policy, as released or with other values."""

from functools import cache
from typing import Any

from yibao.adapters.editions.files import Editions
from yibao.domain.editions.policy import Policy

#: What the released editions leave out, by its unit.
_LEFT_OUT = {
    "outpatient_cap": "yuan a year",
    "outpatient_cap_counts_campus": "yes or no",
    "yearly_amounts_restart": "period",
    "cover_after_leaving": "kinds of leaving",
    "enrolled_by": "event",
}


@cache
def edition(name: str = "shanghai-2025") -> Policy:
    return Editions().get(name)


def edition_with(base: str = "shanghai-2025", **values: Any) -> Policy:
    """An edition some of whose parameters, or cells of its table, have other values."""
    content = edition(base).model_dump()
    for name, value in values.items():
        section = "benefits" if name in content["benefits"] else "parameters"
        cited = content[section][name] or _cited(name)
        content[section][name] = cited | {"value": value}
    return Policy.model_validate(content)


def _cited(name: str) -> dict[str, Any]:
    """The citation of a parameter that the released editions leave out."""
    notice = {"clause": "circular 7", "basis": "stated", "notice": "shanghai-2025"}
    return {"name": name, "unit": _LEFT_OUT[name]} | notice
