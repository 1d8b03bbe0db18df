"""The schema of an edition."""

from typing import Any

from yibao.adapters.editions.files import SECTIONS
from yibao.adapters.shapes import DIALECT, part
from yibao.domain.editions import Citation, Policy


def edition_schema() -> dict[str, Any]:
    """An edition file; what it does not name is taken from the edition it extends."""
    definitions: dict[str, Any] = {}
    whole = part(Policy, definitions)
    for section in ("Parameters", "Benefits"):
        definitions[section].pop("required")
    for name, definition in definitions.items():
        if name == Citation.__name__ or name.startswith("Parameter_"):
            for filled_in in ("notice", "name"):
                definition["properties"].pop(filled_in, None)
            definition["required"] = [
                key for key in definition["required"] if key not in ("notice", "name")
            ]
    for section in ("rules", "benefit_rules"):
        whole["properties"][section]["propertyNames"] = {"enum": list(SECTIONS[section])}
    whole["required"] = ["edition", "title"]
    return {"$schema": DIALECT, **whole, "$defs": definitions}
