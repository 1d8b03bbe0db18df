"""Writes the reference of all public names, from their docstrings, as HTML into a folder.

    cd tests && ../.venv/bin/python tools/reference.py ../docs/reference

What pdoc warns of, a type or a link that it cannot read, is an error.
"""

import inspect
import sys
import warnings
from pathlib import Path
from typing import get_args

import pdoc

import yibao


def write(folder: Path) -> None:
    """The pages: `yibao` with everything in it, and its modules `commands` and `testing`."""
    for name in yibao.__all__:
        made = getattr(getattr(yibao, name), "__new__", None)
        if str(getattr(made, "__module__", None)).startswith("namedtuple_"):
            # Its types are looked up where it was written.
            made.__module__ = getattr(yibao, name).__module__
    show_whole(yibao.Service)
    private = (f"!yibao.{layer}" for layer in ("adapters", "projections", "domain"))
    footer = f"yibao {yibao.__version__}"
    pdoc.render.configure(docformat="markdown", show_source=False, footer_text=footer)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pdoc.pdoc("yibao", *private, output_directory=folder)


def show_whole(kind: type) -> None:
    """Takes what a class has from others for its own: these are on no page."""
    for base in kind.__mro__[1:-1]:
        for name, member in vars(base).items():
            if not name.startswith("_") and inspect.isfunction(member):
                told = member.__annotations__
                if "how" in told:
                    told["how"] = get_args(told["how"])[0]  # `Unpack[…]`, which no page tells well
                member.__qualname__ = f"{kind.__qualname__}.{name}"
                setattr(kind, name, member)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    write(Path(sys.argv[1]))
