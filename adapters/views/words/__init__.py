"""Codes into words: Chinese and English, from two lists with the same keys."""

from functools import cache
from importlib.resources import files
from typing import Final, Literal

from yibao.adapters.editions import parse
from yibao.domain.refusals import REASONS
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
        return code in self._lists[section]

    def codes(self) -> dict[str, set[str]]:
        """Every code there are words for, by section."""
        return {section: set(entries) for section, entries in self._lists.items()}


@cache
def _lists(language: Language) -> dict[str, dict[str, str]]:
    name = f"{language}.yaml"
    lists: dict[str, dict[str, str]] = parse(
        (files("yibao.adapters.views.words") / name).read_bytes(), name
    ).data
    if language == "en":  # the domain's own sentences, which its exceptions carry
        lists["refusal"] = REASONS
    for part in PARTS:
        if part not in lists["value"]:
            raise LookupError(f"{name} has no words for the part {part!r}")
    return lists
