"""Codes into words: Chinese and English, from two lists with the same keys.

What happened is told in one list for both, so that a new fact has its words in one place; so are
the values of facts. What is written in English elsewhere, sentences of errors and the help of the
command line, has its Chinese by the English (`said`).
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any, Final, Literal

from yibao.adapters.editions import Editions, parse
from yibao.adapters.views.words.sentences import Sentences
from yibao.domain.editions import Policy, Text
from yibao.domain.facts.commands import ASKED
from yibao.domain.refusals import FAILURES, REASONS, YibaoError
from yibao.projections.parts import PARTS

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")


#: The sections of codes that an edition may have of its own; `ask` has no others.
_OPEN: Final = frozenset({"where", "category", "document", "ask"})


class _Counting(Formatter):
    """Fills in parts; `{days:day|days}` is the noun that goes with so many."""

    def format_field(self, value: Any, format_spec: str) -> str:
        one, apart, more = format_spec.partition("|")
        if not apart:
            return str(super().format_field(value, format_spec))
        return one if str(value) == "1" else more


_COUNTING: Final = _Counting()


class Words:
    """The words of one language, and those of an edition for codes of its own."""

    def __init__(
        self,
        language: Language,
        editions: Editions | None = None,
        own: Mapping[str, Text] | None = None,
    ) -> None:
        self.language: Language = language
        self._lists = _lists(language)
        self._editions = editions
        self._own = own or {}

    def of(self, edition: Policy | str | None) -> "Words":
        """The same with the words of an edition; one by its name, where it is at hand."""
        if isinstance(edition, str):
            with suppress(YibaoError):
                return self.of(self._editions.get(edition) if self._editions else None)
            return self
        own = edition.words if edition else None
        return Words(self.language, self._editions, own) if own else self

    def among(self, editions: Editions | None) -> "Words":
        """The same for editions that are at hand."""
        return Words(self.language, editions, self._own)

    def __call__(self, section: str, code: str, /, **parts: object) -> str:
        """The words for a code, its parts filled in; raises KeyError for an unknown code."""
        if section in _OPEN and code in self._own:
            return str(getattr(self._own[code], self.language))
        told = self._lists[section][code]
        return _COUNTING.vformat(told, (), parts) if "{" in told or "}" in told else told

    def knows(self, section: str, code: str) -> bool:
        return (section in _OPEN and code in self._own) or code in self._lists.get(section, ())

    def asked(self, whom: Iterable[str]) -> str:
        """Whom to ask: numbers, or what an edition says in their place."""
        return " / ".join(self("ask", each) if self.knows("ask", each) else each for each in whom)

    def codes(self) -> dict[str, set[str]]:
        """Every code there are words for, by section."""
        return {section: set(entries) for section, entries in self._lists.items()}

    def joined(self, parts: Iterable[str], how: str = "between") -> str:
        """Several, one behind the other: parts `between`, equals `listed`, or well `apart`."""
        return self("phrase", how).join(parts)

    def named(self, name: object, value: object) -> str:
        """A value behind its name."""
        return self("phrase", "field", name=name, value=value)

    def aside(self, remark: str) -> str:
        """A remark on what stands before it, in brackets."""
        return self("phrase", "aside", remark=remark)

    def field(self, key: str, event: str = "") -> str:
        """What the value of a fact is called, of this one or of any; an unknown key is itself."""
        fields = self._lists["field"]
        return fields.get(f"{event} {key}") or fields.get(key, key)

    def said(self, sentence: str) -> str:
        """What is written in English elsewhere, in this language; what nobody knows stays."""
        return sentence if self.language == "en" else _sentences("errors.yaml")(sentence)

    def help(self, text: str) -> str:
        """What the command line says of itself, in this language."""
        return text if self.language == "en" else _sentences("help.yaml")(text)

    def clause(self, clause: str) -> str:
        """Where something stands in a notice; an edition of one's own says it in its own words."""
        if self.language == "en":
            return clause
        return "；".join(map(_sentences("clauses.yaml"), clause.split("; ")))


@cache
def _lists(language: Language) -> dict[str, dict[str, str]]:
    lists: dict[str, dict[str, str]] = _read(f"{language}.yaml")
    events = _read("events.yaml")
    lists["event"] = {n: told[language] for n, told in events.items() if language in told}
    lists["console"] = {key: told[language] for key, told in _read("console.yaml").items()}
    lists["field"] = {key: told[language] for key, told in _read("fields.yaml").items()}
    if language == "en":  # the domain's own sentences, which its exceptions carry
        lists["refusal"], lists["failure"] = REASONS, FAILURES
        lists["command"] |= {name: name for name in ASKED}
    else:
        for name, kind in ASKED.items():
            if kind.fact is not None and (told := events.get(kind.fact.name)):
                lists["command"].setdefault(name, told.get("asked", told.get("zh", name)))
    for part in PARTS:
        if part not in lists["value"]:
            raise LookupError(f"{language}.yaml has no words for the part {part!r}")
    return lists


@cache
def _sentences(name: str) -> Sentences:
    return Sentences(_read(name))


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = parse(
        (files("yibao.adapters.views.words") / name).read_bytes(), name
    ).data
    return found
