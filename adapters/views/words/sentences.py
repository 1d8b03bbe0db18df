"""What is written in English elsewhere, in Chinese: a list of sentences with places to fill in."""

import re
from collections.abc import Mapping
from functools import cached_property
from string import Formatter
from typing import Final, NamedTuple

#: How deep one sentence stands in another: `Error: Invalid value for …: a day is written …`.
_DEEP: Final = 5
#: What may fill a place: anything, a number, or one word.
_FILLED: Final = {"": ".+?", "d": r"\d+", "w": r"\S+"}


class _Sentence(NamedTuple):
    """A sentence as a pattern, and what it is in Chinese."""

    pattern: re.Pattern[str]
    told: str


class Sentences:
    """Sentences by the English, in which `{name}` stands for whatever is filled in there.

    What fills a place may be a sentence itself and is told likewise; what nobody knows stays as it
    is, and what a person typed with it. Of several that fit, the one that says most itself counts.
    """

    def __init__(self, told: Mapping[str, str]) -> None:
        self.told = {_spaced(english): chinese.strip() for english, chinese in told.items()}

    def __call__(self, sentence: str, deep: int = _DEEP) -> str:
        plain = _spaced(sentence)
        if (known := self.told.get(plain)) is not None:
            return known
        for found in self._with_places if deep else ():
            if fits := found.pattern.fullmatch(plain):
                places = {name: self(part, deep - 1) for name, part in fits.groupdict().items()}
                return found.told.format(**places)
        return sentence

    def knows(self, sentence: str) -> bool:
        return self(sentence) != sentence

    @cached_property
    def _with_places(self) -> list[_Sentence]:
        """Those with places, what says most first."""
        found = [(english, told) for english, told in self.told.items() if "{" in english]
        found.sort(key=lambda each: -sum(len(part) for part, *_ in Formatter().parse(each[0])))
        return [_Sentence(re.compile(_pattern(english)), told) for english, told in found]


def _spaced(text: str) -> str:
    """Wherever its lines are broken, it is the same sentence."""
    return " ".join(text.split())


def _pattern(english: str) -> str:
    """One place is filled in as another of its name is."""
    seen: set[str] = set()
    told = ""
    for literal, name, kind, _ in Formatter().parse(english):
        told += re.escape(literal)
        if name:
            told += f"(?P={name})" if name in seen else f"(?P<{name}>{_FILLED[kind or '']})"
            seen.add(name)
    return told
