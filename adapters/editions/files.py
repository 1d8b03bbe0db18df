"""Finds, reads and checks policy editions: those that come with yibao, and the user's own."""

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from yibao.adapters.editions.yaml_source import Source, SourceError, parse, read, short
from yibao.domain.editions import (
    BENEFIT_RULES,
    OPTIONAL_BENEFIT_RULES,
    OPTIONAL_RULES,
    RULES,
    Benefits,
    Parameters,
    Policy,
    Words,
)
from yibao.domain.kept import kept
from yibao.domain.refusals import UnknownEdition
from yibao.domain.vocabulary import EditionId

#: The directory of a user's own editions, where no option names one.
ENVIRONMENT_VARIABLE: Final = "YIBAO_POLICIES"

#: What stands where something is still to be looked up.
TO_DO: Final = "TODO"
#: Where the editions of stories lie, beside them.
FOLDER: Final = "policies"

#: What an edition says, section by section, and the names that each may use.
SECTIONS: Final[dict[str, Collection[str]]] = {
    "parameters": Parameters.model_fields,
    "rules": (*RULES, *(rule for rule in OPTIONAL_RULES if rule not in OPTIONAL_BENEFIT_RULES)),
    "benefits": Benefits.model_fields,
    "benefit_rules": (*BENEFIT_RULES, *OPTIONAL_BENEFIT_RULES),
}
#: What every edition has to cite.
_REQUIRED: Final = {"rules": RULES, "benefit_rules": BENEFIT_RULES}
#: The benefit years of the released editions, known before any of them is read.
YEARS: Final = {"shanghai-2024": 2024, "shanghai-2025": 2025, "shanghai-2026-continuing": 2026}
#: An edition goes back to a released one in so many steps at most.
MAX_EXTENDED: Final = 20
_OF_VALUES: Final = ("parameters", "benefits")
_TOP: Final = ("edition", "title", "extends", "city", "words", *SECTIONS)
#: Whom to ask and where to go is of one city: another has to say it itself.
OF_A_CITY: Final = frozenset(
    {
        "insurance_hotline",
        "insurance_hotline_elsewhere",
        "social_security_hotline",
        "confirmation_places",
        "activation_places",
        "remote_filing_places",
        "claim_places",
    }
)


class _Head(BaseModel):
    city: EditionId


class Editions:
    """The editions at hand. A user's own may extend another, but not take its name."""

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        chosen = directory or os.environ.get(ENVIRONMENT_VARIABLE)
        self._own: dict[str, Path] = {}
        self._read: dict[str, Policy] = {}
        self._sources: dict[str, Source] = {}
        self._contents: dict[str, dict[str, Any]] = {}
        self._beside: dict[Path, Editions] = {}
        if chosen:
            folder = Path(chosen)
            if not os.path.isdir(folder):  # also false for what can be no path
                raise SourceError(str(folder), 1, 1, "no such directory of editions")
            self._own = _files_in(folder)

    def beside(self, story: Path) -> "Editions":
        """These, and those in a folder `policies` beside a story, where there is one."""
        folder = story.parent / FOLDER
        if not os.path.isdir(folder):
            return self
        if folder not in self._beside:
            found = self._beside[folder] = Editions(folder)
            found._own |= self._own  # those that somebody has chosen come first
        return self._beside[folder]

    def names(self) -> list[str]:
        """Every edition at hand, by name."""
        return sorted([*released(), *self._own])

    def get(self, name: str) -> Policy:
        """The edition; raises UnknownEdition, or SourceError where its file is not right."""
        if name not in self._read:
            self._read[name] = self._build(self._source(name), name)
        return self._read[name]

    @kept
    def years(self) -> tuple[int, ...]:
        """The benefit years of the editions at hand, ascending.

        Where the file of one is not right, nobody can be registered under it.
        """
        found = set(YEARS.values())
        for name in self._own:
            with suppress(SourceError, UnknownEdition):
                found.add(self.get(name).year)
        return tuple(sorted(found))

    def around(self, year: int) -> list[int]:
        """The years beside one that may have to do with it: all before it, and the next.

        None where no edition is of that year: then nothing can be recorded in it.
        """
        if year not in self.years:
            return []
        return [each for each in self.years if each <= year + 1 and each != year]

    def digests_until_0_4_0(self, name: str) -> tuple[str, str]:
        """What 0.4.0 and before remembered of an edition: its digest, and that of its benefits."""
        return self.get(name).digests_with(_words_of_0_4_0())

    def check(self, path: Path) -> Policy:
        """A file that need not lie in the directory; raises SourceError at the first mistake."""
        return self._build(read(path))

    def left_open(self, path: Path) -> list[SourceError]:
        """What is still to be filled in of a file, place by place."""
        source = read(path)
        return [_open_at(source, place) for place in _places_left_open(source.data)]

    def __iter__(self) -> Iterator[Policy]:
        return (self.get(name) for name in self.names())

    def _source(self, name: str) -> Source:
        if name not in self._sources:
            if name in self._own:
                self._sources[name] = self._own_source(self._own[name])
            elif name in released():
                self._sources[name] = _released_source(name)
            else:
                raise UnknownEdition(f"no edition {name!r}; there are {', '.join(self.names())}")
        return self._sources[name]

    def _own_source(self, path: Path) -> Source:
        """A file of the directory; a link is followed only as long as it stays within."""
        within = Path(os.path.realpath(path))
        if not within.is_relative_to(os.path.realpath(path.parent)):
            raise SourceError(str(path), 1, 1, "a link that leads out of the directory of editions")
        return read(within, str(path))

    def _build(self, source: Source, name: str | None = None) -> Policy:
        """The edition in a file, which must be of that name, and right as all it extends is."""
        content: dict[str, Any] = {}
        for base, base_name in reversed(self._bases(source)):
            if base_name not in self._contents:
                self._contents[base_name], self._read[base_name] = _right(base, base_name, content)
            content = self._contents[base_name]
        return _right(source, name, content)[1]

    def _bases(self, source: Source) -> list[tuple[Source, str]]:
        """The editions that one extends, one after the other, by name."""
        bases, names = list[tuple[Source, str]](), [_named(source)]
        while (base := source.data.get("extends")) is not None:
            try:
                if str(base) in names:
                    raise source.error(("extends",), "an edition cannot extend itself")
                if len(bases) == MAX_EXTENDED:
                    told = f"{short(names[0])} extends more than {MAX_EXTENDED} editions"
                    raise source.error(("extends",), told)
                source = self._source(str(base))
            except UnknownEdition as error:
                raise source.error(("extends",), str(error)) from None
            bases.append((source, str(base)))
            names.append(_named(source))
        return bases


def _files_in(folder: Path) -> dict[str, Path]:
    """The editions in a directory, by name; raises SourceError for the name of a released one."""
    own = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    for name, path in own.items():
        if name in released():
            told = f"{name!r} is a released edition; choose another name"
            raise SourceError(str(path), 1, 1, told)
    return own


def _named(source: Source) -> str:
    """The name that a file gives to its edition."""
    data = source.mapping(source.data, (), "an edition")
    for place in _places_left_open(data):
        raise _open_at(source, place)
    source.check_keys(data, (), _TOP, ("edition", "title"))
    return str(data["edition"])


def _places_left_open(data: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where `TO_DO` stands for what nobody has looked up yet."""
    if data == TO_DO:
        yield at
    inner = data.items() if isinstance(data, dict) else ()
    for key, each in enumerate(data) if isinstance(data, list) else inner:
        yield from _places_left_open(each, (*at, key))


def _open_at(source: Source, place: tuple[str | int, ...]) -> SourceError:
    return source.error(place, f"still to be filled in: {_dotted(place)}")


def _dotted(place: tuple[str | int, ...]) -> str:
    return ".".join(short(str(part)).strip("'") for part in place)


def _right(source: Source, name: str | None, base: dict[str, Any]) -> tuple[dict[str, Any], Policy]:
    """The complete content and the edition; raises SourceError at the first mistake."""
    content = _completed(source, base)
    if name is not None and content["edition"] != name:
        raise source.error(("edition",), f"the file is named {name!r}")
    return content, source.validate(Policy, content)


def _completed(source: Source, base: dict[str, Any]) -> dict[str, Any]:
    """The content with what it extends filled in, every citation naming its notice."""
    data = source.data
    before = base.get("city", "shanghai")
    city = source.validate(_Head, {"city": data.get("city", before)}).city
    moved = bool(base) and city != before
    own = {section: _cited(source, section) for section in SECTIONS}
    content: dict[str, Any] = {}
    for section, entries in own.items():
        inherited = _inherited(base.get(section) or {}, own, moved=moved)
        content[section] = inherited | entries
    if not content["benefits"]:  # written before there was a table of benefits
        content["benefits"] = None
    for section in ("rules", *(["benefit_rules"] if content["benefits"] else [])):
        for rule in _REQUIRED[section]:
            if rule not in content[section]:
                raise source.error((section,), f"missing citation of {rule}", key=True)
    if moved:
        _check_what_is_of_the_city(source, content)
    words = source.mapping(data.get("words", {}), ("words",), "words")
    content["words"] = base.get("words", {}) | words
    return {**data, **content, "city": city}


def _cited(source: Source, section: str) -> dict[str, dict[str, Any]]:
    """What a file itself says in a section, every entry with its notice and its name."""
    found: dict[str, dict[str, Any]] = {}
    for key, entry in source.mapping(source.data.get(section, {}), (section,), section).items():
        path = (section, key)
        if key not in SECTIONS[section]:
            raise source.error(path, f"unknown key {short(key)}", key=True)
        cited = dict(source.mapping(entry, path, key))
        for missing in ("clause", "basis"):
            if missing not in cited:
                raise source.error(path, f"missing citation: {missing!r}", key=True)
        for filled_in in ("notice", "name"):
            if filled_in in cited:
                raise source.error((*path, filled_in), f"unknown key {filled_in!r}", key=True)
        cited["notice"] = source.data["edition"]
        if section in _OF_VALUES:
            cited["name"] = key
        found[key] = cited
    return found


def _inherited(
    entries: dict[str, Any], own: dict[str, dict[str, Any]], *, moved: bool
) -> dict[str, Any]:
    """What is taken over from the base: a window gives way to periods, a place to a move."""
    left = OF_A_CITY if moved else frozenset[str]()
    if "concentrated_period" in own["parameters"]:
        left |= {"window_opens", "window_closes_on"}
    return {key: entry for key, entry in entries.items() if key not in left}


def _check_what_is_of_the_city(source: Source, content: dict[str, Any]) -> None:
    for section in _OF_VALUES:
        known = SECTIONS[section] if content[section] is not None else ()
        for key in known:
            if key in OF_A_CITY and key not in content[section]:
                told = f"missing key {key!r}: it is not taken over from another city"
                raise source.error((section,), told, key=True)


@cache
def released() -> frozenset[str]:
    """The names of the editions that come with yibao."""
    folder = files("yibao.domain.editions") / "policies"
    return frozenset(
        entry.name.removesuffix(".yaml")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    )


@cache
def _words_of_0_4_0() -> Words:
    resource = files("yibao.domain.editions") / "policies" / "words" / "0.4.0.yaml"
    words: Words = parse(resource.read_bytes(), resource.name).data
    return words


def _released_source(name: str) -> Source:
    resource = files("yibao.domain.editions") / "policies" / f"{name}.yaml"
    return parse(resource.read_bytes(), f"{name}.yaml")
