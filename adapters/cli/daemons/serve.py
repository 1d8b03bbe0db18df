"""`yibao serve`."""

from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import FILE, STORE_URL, examples, lang_option
from yibao.adapters.views import tell
from yibao.domain.refusals import YibaoError

#: Where nobody from another machine listens.
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@main.command(
    epilog=examples("serve --demo", "serve --store facts.db --tokens tokens.yaml"),
)
@click.option(
    "--store",
    type=STORE_URL,
    envvar="YIBAO_STORE",
    help="The store: a file's PATH, sqlite:///PATH or postgresql://HOST/DATABASE "
    "(default: $YIBAO_STORE).",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, help="The port to listen on.")
@click.option("--workers", default=1, show_default=True, help="How many processes answer.")
@click.option(
    "--tokens",
    type=FILE,
    help="A YAML file of static tokens, by their SHA-256 (default: $YIBAO_HTTP_TOKENS).",
)
@click.option(
    "--demo",
    is_flag=True,
    help="A school of people who are not real, gone when it ends (default: a store of yours).",
)
@lang_option
def serve(
    store: str | None,
    host: str,
    port: int,
    workers: int,
    tokens: Path | None,
    demo: bool,
    lang: Any,
) -> None:
    """Serve endpoints and console on the web, until stopped.

    Who asks is told by tokens or by an OpenID provider; without either it listens to this machine
    alone. It logs one line of JSON for each request, without whom it was about.
    """
    from yibao.adapters.http import check_http

    check_http()
    from yibao.adapters.http.running import run, run_demo
    from yibao.adapters.http.settings import http_settings
    from yibao.adapters.views.words import Words

    if demo:
        if host not in _LOOPBACK:
            raise YibaoError("without a way to tell who asks it listens on this machine alone")
        words = Words(lang)
        run_demo(host, port, lambda url: tell(words("serve", "demo", url=url)))
        return
    if store is None:
        raise click.UsageError("name a --store, or try --demo")
    settings = http_settings()
    if tokens is not None:
        settings = settings.model_copy(update={"tokens": tokens})
    if host not in _LOOPBACK and not settings.identifies:
        raise YibaoError("without a way to tell who asks it listens on this machine alone")
    run(store, settings, host=host, port=port, workers=workers)
