"""What is asked of one student, and what an auditor asks: a module a group of commands."""

from yibao.adapters.cli.asking import (  # noqa: F401 - each adds its commands
    answers,
    audit,
    care,
    dossier,
)
