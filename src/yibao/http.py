"""The service on the web: endpoints to embed in an application, or an application to run.

    app = yibao.http.app("postgresql://host/enrollments")

It needs `yibao[http]`, and raises YibaoError where that is not installed. `router` has all
endpoints, `app` is an application with them and the console, and `Who` says who asks.
"""

from yibao.adapters.http import check_http

check_http()

from yibao.adapters.http.app import HttpSettings, Identify, Role, Who, app, router  # noqa: E402

__all__ = ["HttpSettings", "Identify", "Role", "Who", "app", "router"]
