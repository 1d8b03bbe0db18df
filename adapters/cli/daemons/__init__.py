"""What runs until it is stopped: projections that follow, and the web."""

from yibao.adapters.cli.daemons import projections, serve

__all__ = ["projections", "serve"]
