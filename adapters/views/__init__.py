"""What people see: words in both languages, the terminal, pages and pictures."""

from yibao.adapters.views.terminal import in_one_line, json_for, printable, tell

__all__ = [
    "in_one_line",
    "json_for",
    "printable",
    "tell",
]
