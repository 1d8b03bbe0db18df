"""The web: endpoints to embed in an application or to run, and a console.

All of it needs `yibao[http]`. `app.py` has what others use: the router, and the application.
"""

from importlib.util import find_spec
from typing import Final

from yibao.domain.refusals import YibaoError

#: What `yibao[http]` brings, by the name under which it is imported.
_NEEDED: Final = {
    "fastapi": "fastapi",
    "uvicorn": "uvicorn",
    "joserfc": "joserfc",
    "authlib": "authlib",
    "httpx": "httpx",
    "itsdangerous": "itsdangerous",
    "python_multipart": "python-multipart",
}


def check_http() -> None:
    """Raises YibaoError where something is not installed that it needs."""
    for module, name in _NEEDED.items():
        if find_spec(module) is None:
            raise YibaoError(f"for the web yibao needs {name}: pip install 'yibao[http]'")
