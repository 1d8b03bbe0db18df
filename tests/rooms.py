"""An import contract of our own: nothing imports a room's insides but the room itself."""

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class Rooms(Contract):
    """Every package below a layer is a room: others import what its `__init__` shows.

    What is a room of its own inside another may be imported as such. On `shelves` each module is
    imported by its own name: it tells apart what it holds, or should be loaded by itself.
    """

    type_name = "rooms"
    layers: Any = fields.SetField(subfield=fields.StringField())
    shelves: Any = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        found = [
            (importer, imported)
            for imported in sorted(graph.modules)
            if (room := self._room_of(graph, imported))
            for importer in sorted(graph.find_modules_that_directly_import(imported))
            if importer != room and not importer.startswith(f"{room}.")
        ]
        return ContractCheck(kept=not found, metadata={"found": found})

    def _room_of(self, graph: ImportGraph, module: str) -> str | None:
        """The room a module is inside of; None for a room itself, and for what lies in a layer."""
        room = module.rpartition(".")[0]
        if not any(room.startswith(f"{layer}.") for layer in self.layers):
            return None
        is_shown = {module, room} & self.shelves or graph.find_children(module)
        return None if is_shown else room

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["found"]:
            output.print_error(f"{importer} imports {imported}, which is inside a room", bold=False)
