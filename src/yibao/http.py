"""The service on the web: endpoints to embed in an application, or an application to run.

    app = yibao.http.app("postgresql://host/enrollments")

`router` has all endpoints, `app` is an application with them and the console, and `Who` says who
asks. All of it needs `yibao[http]`: without it each name raises YibaoError, which says what lacks.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yibao.adapters.http.app import HttpSettings, Identify, Role, Who, app, router

__all__ = ["HttpSettings", "Identify", "Role", "Who", "app", "router"]


def __getattr__(name: str) -> Any:
    """Loads what is asked for when it is asked for: to name the web should not need it."""
    if name not in __all__:
        raise AttributeError(f"module 'yibao.http' has no attribute {name!r}")
    from yibao.adapters.http import check_http

    check_http()
    from yibao.adapters.http import app

    globals().update({each: getattr(app, each) for each in __all__})
    return globals()[name]
