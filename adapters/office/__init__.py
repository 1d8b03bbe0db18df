"""The officer's season: people who can be forgotten, tables read, rosters recorded, workbooks.

All of it needs `yibao[office]`.
"""

from importlib.util import find_spec
from typing import Final

from yibao.adapters.store import StoreError

#: What `yibao[office]` brings, by the name under which it is imported.
_NEEDED: Final = {
    "cryptography": "cryptography",
    "python_calamine": "python-calamine",
    "xlsxwriter": "XlsxWriter",
}


def check_office() -> None:
    """Raises StoreError where something is not installed that all of it needs."""
    for module, name in _NEEDED.items():
        if find_spec(module) is None:
            raise StoreError(f"for the office yibao needs {name}: pip install 'yibao[office]'")
