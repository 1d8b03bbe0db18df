"""yibao: who is covered, since when, until when, and why.

The system of record for students' medical insurance in Shanghai: dated facts go in; the state
at any instant, the benefit window, the e-voucher's availability and the next steps come out,
as known at any moment, each with its derivation.

    >>> import yibao
    >>> service = yibao.open("memory:", by="registrar")
    >>> ada = yibao.EnrollmentId("s-4f2a", 2025)
    >>> receipt = service.register(
    ...     "s-4f2a", policy="shanghai-2025", on="2025-09-01", at="2025-09-01 08:30",
    ...     school="sjtu", category="undergraduate", document="resident_id_card",
    ... )
    >>> service.at(ada).version
    1
"""

from typing import Any

__version__ = "1.0.0rc1"


def __getattr__(name: str) -> Any:
    """Imports what is asked for when it is asked for: a command line should start at once."""
    if name == "__all__":
        return sorted(_declared())
    if name.startswith("_") or name not in _declared():
        raise AttributeError(f"module 'yibao' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _declared()[name]
    found = getattr(import_module(module), attribute) if attribute else import_module(module)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """All names, asked for or not; but who freezes a clock looks for it in what is loaded only."""
    from datetime import datetime

    if datetime.__module__ != "datetime":
        return sorted(globals())
    private = (name for name in globals() if name.startswith("_"))
    return sorted({*private, *_declared()})


_found: dict[str, tuple[str, str | None]] = {}


def _declared() -> dict[str, tuple[str, str | None]]:
    """Where each public name is, as the stub beside this file says: its module, and as what.

    None of it where it is a module itself.
    """
    if not _found:
        import ast
        from pkgutil import get_data

        stub = ast.parse(get_data(__name__, "__init__.pyi") or b"")
        found: dict[str, tuple[str, str | None]] = {}
        for each in stub.body:
            if not isinstance(each, ast.ImportFrom):
                continue
            for name in each.names:
                if name.asname and each.module:
                    found[name.asname] = each.module, name.name
                elif name.asname:
                    found[name.asname] = f"{__name__}.{name.name}", None
        _found.update(found)  # at once: another thread may be asking
    return _found
