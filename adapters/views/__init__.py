"""What people see: words in both languages, the terminal, pages and pictures."""

from yibao.adapters.views.help import Group, Spoken, language_here, language_of
from yibao.adapters.views.terminal import in_one_line, json_for, printable, tell, tell_page

__all__ = [
    "Group",
    "Spoken",
    "in_one_line",
    "json_for",
    "language_here",
    "language_of",
    "printable",
    "tell",
    "tell_page",
]
