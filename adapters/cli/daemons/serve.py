"""`yibao serve`."""

from pathlib import Path

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import FILE, STORE, examples
from yibao.domain.refusals import YibaoError

#: Where nobody from another machine listens.
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@main.command(
    epilog=examples("serve --store facts.db --tokens tokens.yaml"),
)
@STORE
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, help="The port to listen on.")
@click.option("--workers", default=1, show_default=True, help="How many processes answer.")
@click.option(
    "--tokens",
    type=FILE,
    help="A YAML file of static tokens, by their SHA-256 (default: $YIBAO_HTTP_TOKENS).",
)
def serve(store: str, host: str, port: int, workers: int, tokens: Path | None) -> None:
    """Serve endpoints and console on the web, until stopped.

    Who asks is told by tokens or by an OpenID provider; without either it listens to this machine
    alone. It logs one line of JSON for each request, without whom it was about.
    """
    from yibao.adapters.http import check_http

    check_http()
    from yibao.adapters.http.running import run
    from yibao.adapters.http.settings import http_settings

    settings = http_settings()
    if tokens is not None:
        settings = settings.model_copy(update={"tokens": tokens})
    if host not in _LOOPBACK and not settings.identifies:
        raise YibaoError("without a way to tell who asks it listens on this machine alone")
    run(store, settings, host=host, port=port, workers=workers)
