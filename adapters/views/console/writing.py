"""Where tables and lines are written, with nothing in them that a terminal would obey."""

from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from yibao.adapters.views.terminal import printable

#: Marks of what is so and what is not, the best first: GBK and ASCII have not all of them.
_MARKS: Final = ("✓✗", "√×", "+x")


class Plain(Console):
    """A console that takes text as it is, and of what steers a terminal shows but its own."""

    def __init__(self, file: Any, width: int | None) -> None:
        super().__init__(file=file, width=width, highlight=False, markup=False, emoji=False)
        self._marks = str.maketrans(_MARKS[0], next(filter(self._carries, _MARKS)))

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else printable(segment.text)
            yield segment._replace(text=text.translate(self._marks))

    def _carries(self, text: str) -> bool:
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError:
            return False
        return True

    def on_broken_pipe(self) -> None:
        raise


class Unwatched(Plain):
    """The same where nobody watches: without the blanks with which a table fills up its lines."""

    def print(self, *objects: Any, **how: Any) -> None:
        with self.capture() as captured:
            super().print(*objects, **how)
        for line in captured.get().splitlines(keepends=True):
            self.file.write(line.rstrip() + "\n" * line.endswith("\n"))


def to(stream: Any) -> Console:
    """A console on a stream; where nobody watches, wide enough for what a pipe reads."""
    watched = Console(file=stream).is_terminal
    return Plain(stream, None) if watched else Unwatched(stream, 200)
