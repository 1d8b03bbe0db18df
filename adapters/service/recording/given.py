"""What is asked for, as it was given: targets, commands, and groups of these."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from yibao.domain.facts.commands import Command
from yibao.domain.facts.telling import Unread, read_told
from yibao.domain.judging import Target
from yibao.domain.refusals import BadValue, Refused, UnknownEdition
from yibao.domain.vocabulary import EnrollmentId, edition_stream, revealing

R = TypeVar("R")

#: What is asked of a target: a command, or several that are recorded whole or not at all; each
#: may be told by its values, with its name among them under `command`.
CommandOrGroup = Command | Mapping[str, Any] | Sequence[Command | Mapping[str, Any]]

#: The stream of attempts that could not be read far enough to say about whom they were.
NOBODY: Final = UUID(int=0)


class Item(NamedTuple):
    """One of many things asked for, with one reply.

    `misfit` tells why it cannot be asked at all, and `told` is what it told of that. The target is
    None where it can be none.
    """

    target: Target | None
    commands: Sequence[Command]
    is_group: bool
    misfit: Refused | None = None
    told: Mapping[str, Any] = {}


def each_of(asked: Iterable[R]) -> Iterator[R]:
    """One after the other of what may be many; raises BadValue where it is not."""
    try:
        return iter(asked)
    except TypeError:
        raise BadValue("asked", "must be a sequence") from None


def item_of(given: Any) -> Item:
    """A target, and what is asked of it; what is no pair is no command either."""
    is_pair = isinstance(given, tuple | list) and len(given) == 2
    target: Any
    target, asked = given if is_pair else (None, None)
    is_group = isinstance(asked, tuple | list)
    several = asked if isinstance(asked, tuple | list) else [asked]
    commands: list[Any] = [command_of(each) for each in several]
    for command in commands:
        if found := misfit(target, command):
            return Item(None, commands, is_group, found, told_by(command))
        if isinstance(command, Unread):
            return Item(target, commands, is_group, command.error, command.told)
    if not commands and (found := wrong(target)):
        return Item(None, commands, is_group, found, told_by(None))
    return Item(target, commands, is_group)


def command_of(asked: Any) -> Any:
    """A command, also where its values are told in its place."""
    if isinstance(asked, Command):  # as nearly always; what is a mapping is dear to tell
        return asked
    return read_told(asked) if isinstance(asked, Mapping) else asked


def misfit(target: object, command: object) -> BadValue | None:
    """Why these can be no target and no command, if they cannot."""
    if not isinstance(command, Command | Unread):
        return BadValue("asked", "is no command")
    return wrong(target)


def wrong(target: object) -> BadValue | None:
    """Why this can be no target, if it cannot."""
    if isinstance(target, str):
        told = revealing(target)  # an edition that is not at hand would be named
        return BadValue("target", told) if told else None
    if not isinstance(target, EnrollmentId):
        return BadValue("target", "is neither an EnrollmentId nor the name of an edition")
    try:
        _ = target.stream
    except BadValue as error:
        return error
    return None


def told_by(command: object) -> dict[str, Any]:
    """Everything a command tells, by name; of what is no command nothing is known."""
    if isinstance(command, Unread):
        return command.told
    if not isinstance(command, Command):
        return {"command": None}
    return {"command": command.name, **vars(command), "values": command.asked()}


def as_refusal(error: Refused | UnknownEdition) -> Refused:
    """An edition that is not at hand is a bad value, where a code is told."""
    return error if isinstance(error, Refused) else BadValue("policy", "no such edition")


def stream_of(target: Target) -> UUID:
    return edition_stream(target) if isinstance(target, str) else target.stream
