"""Reads YAML that people write: every scalar as text, every mistake with its line and column.

YAML's own guesses (`on` is true, `12:30` is 750) are switched off, and what a story or an
edition never needs is refused: tags, anchors, documents after the first, duplicate keys, deep
nesting. What a value means is decided by the model it is validated with.
"""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from yibao.domain.refusals import YibaoError

try:  # the C parser is several times faster and keeps the marks
    from yaml import CSafeLoader as _Loader
except ImportError:  # pragma: no cover - a PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 20

Path_ = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


class SourceError(YibaoError):
    """Something in a file is wrong; its text is `file:line:column: reason`."""

    failure = "unreadable_source"

    def __init__(self, file: str, line: int, column: int, reason: str) -> None:
        self.file, self.line, self.column, self.reason = file, line, column, reason
        super().__init__(f"{file}:{line}:{column}: {reason}")


class Source:
    """A YAML file as plain mappings, lists and text, remembering where each stands."""

    def __init__(self, file: str, root: yaml.Node) -> None:
        self.file = file
        self._root = root
        self.data: Any = self._plain(root)

    def error(self, path: Sequence[str | int], reason: str, *, key: bool = False) -> SourceError:
        """An error at the place of a value, or of its key; as near as the path leads."""
        node: yaml.Node = self._root
        for part in path:  # what names no place in the file, such as a choice, is passed over
            if isinstance(node, yaml.MappingNode):
                entry = next((pair for pair in node.value if pair[0].value == part), None)
                if entry is not None:
                    node = entry[0] if key and part is path[-1] else entry[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                node = node.value[part] if part < len(node.value) else node
        return self._at(node, reason)

    def line(self, path: Sequence[str | int]) -> int:
        """The line on which a value begins."""
        return self.error(path, "").line

    def validate(self, model: type[M], data: Any, at: Sequence[str | int] = ()) -> M:
        """The data as a model; raises SourceError at the first value that does not fit."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            # A model's own check knows better than pydantic which of its values to look at.
            inner = getattr(first.get("ctx", {}).get("error"), "where", ())
            where = [*at, *first["loc"], *inner]
            raise self.error(where, reason_of(first), key=_is_key(first)) from None

    def mapping(self, data: Any, path: Sequence[str | int], what: str) -> dict[str, Any]:
        """The data, which must be a mapping."""
        if not isinstance(data, dict):
            raise self.error(path, f"{what} must be a mapping")
        return data

    def check_keys(
        self,
        data: dict[str, Any],
        path: Sequence[str | int],
        allowed: Sequence[str],
        required: Sequence[str] = (),
    ) -> None:
        """Raises at the first unknown key, else at the mapping that lacks one."""
        for name in data:
            if name not in allowed:
                raise self.error([*path, name], f"unknown key {short(name)}", key=True)
        for name in required:
            if name not in data:
                raise self.error(path, f"missing key {name!r}")

    def _plain(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            plain: dict[str, Any] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise self._at(key, "a key must be text")
                if key.value in plain:
                    raise self._at(key, f"duplicate key {short(key.value)}")
                plain[key.value] = self._plain(value)
            return plain
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item) for item in node.value]
        return str(node.value)

    def _at(self, node: yaml.Node, reason: str) -> SourceError:
        mark = node.start_mark
        return SourceError(self.file, mark.line + 1, mark.column + 1, reason)


def read(path: Path, name: str | None = None) -> Source:
    """The file as a Source; raises SourceError, also where it cannot be opened."""
    file = name or str(path)
    try:
        with open(path, "rb", opener=_without_waiting) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise SourceError(file, 1, 1, "no regular file")
            content = opened.read(MAX_BYTES + 1) or b""  # none where it would be waited for
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "cannot be opened"
        raise SourceError(file, 1, 1, reason.lower()) from None
    if len(content) > MAX_BYTES:
        raise SourceError(file, 1, 1, f"larger than {MAX_BYTES} bytes")
    return parse(content, file)


def _without_waiting(path: str, flags: int) -> int:
    """Opens whatever it is: nobody may ever write into a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def parse(content: bytes, file: str) -> Source:
    """The content as a Source; `file` is the name that errors carry."""
    text = _decoded(content, file)
    try:
        _refuse_what_no_story_needs(text, file)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise SourceError(file, line, column, str(error.problem or error.context)) from None
    except yaml.YAMLError:
        raise SourceError(file, 1, 1, "not YAML") from None
    if root is None:
        raise SourceError(file, 1, 1, "the file is empty")
    return Source(file, root)


def reason_of(error: Any) -> str:
    """pydantic's finding in our words, never repeating the value."""
    kind, message = error["type"], str(error["msg"])
    if kind == "extra_forbidden":
        return f"unknown key {short(str(error['loc'][-1]))}"
    if kind == "missing":
        return f"missing key {str(error['loc'][-1])!r}"
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _is_key(error: Any) -> bool:
    return bool(error["type"] == "extra_forbidden")


def _decoded(content: bytes, file: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise SourceError(file, line, column, "not UTF-8") from None
    unprintable = re.search(
        r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text
    )
    if unprintable:
        before_it = text[: unprintable.start()]
        line = before_it.count("\n") + 1
        column = unprintable.start() - (before_it.rfind("\n") + 1) + 1
        raise SourceError(file, line, column, "a character that text cannot hold")
    return text


def _refuse_what_no_story_needs(text: str, file: str) -> None:
    depth, documents = 0, 0
    for event in yaml.parse(text, Loader=_Loader):
        reason = None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            reason = "anchors and aliases are not used here"
        elif _tag_of(event):
            reason = "tags are not used here"
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                reason = f"nested deeper than {MAX_DEPTH}"
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                reason = "a second document in one file"
        if reason:
            mark = event.start_mark
            assert mark is not None
            raise SourceError(file, mark.line + 1, mark.column + 1, reason)


def _tag_of(event: yaml.Event) -> str | None:
    tag: str | None = getattr(event, "tag", None)
    return tag


def short(name: str) -> str:
    """A name that stands in a file; what is no word, and may be anything, is not repeated."""
    if not re.fullmatch(r"[\w.-]+", name):
        return "…"
    return repr(name if len(name) <= 40 else name[:40] + "…")
