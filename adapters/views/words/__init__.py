"""Codes into words: Chinese and English, from two lists with the same keys.

What happened is told in one list for both, so that a new fact has its words in one place.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from yibao.adapters.editions import parse
from yibao.domain.refusals import FAILURES, REASONS
from yibao.projections.parts import PARTS

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")


class Words:
    """The words of one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._lists = _lists(language)

    def __call__(self, section: str, code: str, /, **parts: object) -> str:
        """The words for a code, its parts filled in; raises KeyError for an unknown code."""
        return self._lists[section][code].format(**parts)

    def knows(self, section: str, code: str) -> bool:
        return code in self._lists.get(section, ())

    def codes(self) -> dict[str, set[str]]:
        """Every code there are words for, by section."""
        return {section: set(entries) for section, entries in self._lists.items()}


@cache
def _lists(language: Language) -> dict[str, dict[str, str]]:
    lists: dict[str, dict[str, str]] = _read(f"{language}.yaml")
    lists["event"] = {
        n: told[language] for n, told in _read("events.yaml").items() if language in told
    }
    if language == "en":  # the domain's own sentences, which its exceptions carry
        lists["refusal"], lists["failure"] = REASONS, FAILURES
    for part in PARTS:
        if part not in lists["value"]:
            raise LookupError(f"{language}.yaml has no words for the part {part!r}")
    return lists


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = parse(
        (files("yibao.adapters.views.words") / name).read_bytes(), name
    ).data
    return found
