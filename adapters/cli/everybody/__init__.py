"""What is asked of everybody at once: a module a group of commands."""

from yibao.adapters.cli.everybody import (  # noqa: F401 - each adds its commands
    cohort,
    due,
    what_if,
)
