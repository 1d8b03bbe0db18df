"""The lifecycle in the terminal, drawn as bars over the calendar, with a legend that tells it all.

Every state has a line of its own, one beneath the other: some last for minutes or hours, and
side by side they would hide each other.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from yibao.adapters.views.telling import goes_on, shown
from yibao.adapters.views.words import Words
from yibao.domain.calendar import day_before
from yibao.domain.vocabulary import State
from yibao.projections.answer import Answer
from yibao.projections.bars import ROWS, VALUE_OF, Bar, Chart, Lane, charts

#: In cells; what is narrower cannot name two months.
NARROWEST: Final = 60


class Mark(NamedTuple):
    """What fills a cell: a block character, one that every stream carries, and a style."""

    block: str
    ascii: str
    style: str = ""


#: What a bar is drawn with, by its name: told from the others without color.
FILLS: Final[dict[str, Mark]] = {
    State.REGISTERED: Mark("░", "-", "blue"),
    State.CONFIRMED: Mark("▒", "o", "blue"),
    State.IN_WAITING_PERIOD: Mark("╱", "/", "yellow"),
    State.ACCOUNT_BUILT: Mark("▓", "=", "cyan"),
    State.EVOUCHER_ELIGIBLE: Mark("▚", "%", "cyan"),
    State.ACTIVE: Mark("█", "#", "green"),
    State.EXPIRED: Mark("·", ".", "dim"),
    State.OPTED_OUT: Mark("╲", "\\", "yellow"),
    State.LAPSED: Mark("╳", "x", "red"),
    State.WITHDRAWN: Mark("═", "~", "red"),
    "waiting": Mark("╱", "/", "yellow"),
    "coverage": Mark("█", "#", "green"),
    "evoucher_available_at": Mark("▚", "%", "cyan"),
}
BLANK: Final = Mark(" ", " ")
AXIS, TICK, GRID = Mark("─", "-", "dim"), Mark("┬", "+", "dim"), Mark("┊", ":", "dim")
THIN, ONWARD = Mark("▏", "!"), Mark("→", ">")
MARKER, POINTER = Mark("│", "|", "bold"), Mark("▲", "^", "bold")
BEFORE, AFTER = Mark("‹", "<", "bold"), Mark("›", ">", "bold")


class Legend(NamedTuple):
    """What is told of a bar, of a row that has none, or, without a row, of the instant asked about.

    Where there is no bar, `begins` says what is there instead. `leads` tells what comes after it.
    """

    row: Lane | None
    what: str
    begins: str
    until: str
    remark: str
    bar: Bar | None = None
    leads: str = ""


def timeline_report(
    answers: Sequence[Answer], words: Words, width: int = 100, ascii: bool = False
) -> RenderableType:
    """The timelines of one or more answers on one calendar, each with a legend of its dates.

    `width` is in cells, and at least sixty are taken. With `ascii` the drawing keeps to
    characters that every stream carries; the words of a language may not.
    """
    width = max(width, NARROWEST)
    drawn = charts(answers)
    told = [
        list(entries(answer, chart, words, answers))
        for answer, chart in zip(answers, drawn, strict=True)
    ]
    widest = max(cell_len(entry.what) for found in told for entry in found)
    margin = min(widest, width * 2 // 7)
    parts: list[RenderableType] = []
    for answer, chart, found in zip(answers, drawn, told, strict=True):
        if parts:
            parts.append(Text())
        drawing = _Drawing(chart, words, margin, width - margin - 1, ascii)
        parts += [Text(heading(answer, words, answers), style="bold"), *drawing.lines(found)]
        parts += [Text(), *_legend(found, words, ascii)]
    return Constrain(Group(*parts), width)


def carries_blocks(encoding: str) -> bool:
    """Whether a stream of an encoding carries what the drawing is made of; GBK does not."""
    marks = (*FILLS.values(), AXIS, TICK, GRID, THIN, ONWARD, MARKER, POINTER, BEFORE, AFTER)
    try:
        "…".join(mark.block for mark in marks).encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def heading(answer: Answer, words: Words, among: Sequence[Answer]) -> str:
    """As of when the answer is known; where not all are about one benefit year, that as well."""
    known = words("chart", "nothing_known")
    if answer.known_at is not None:
        known = words("phrase", "as_known", known_at=shown(answer.known_at, words))
    year = answer.enrollment.year
    is_one_of_many = any(each.enrollment.year != year for each in among)
    return words.joined([str(year), known]) if is_one_of_many else known


def month(tick: datetime, words: Words) -> str:
    return words("chart", "month", year=tick.year, month=tick.month)


def entries(
    answer: Answer, chart: Chart, words: Words, among: Sequence[Answer]
) -> Iterator[Legend]:
    """Everything that is drawn, in words: the instant asked about, then row by row.

    Where an answer about the next benefit year is drawn as well, `expired` leads on to it.
    """
    leads = goes_on(_following(answer, among), words)
    state = words("state", answer.state or "none")
    if answer.assumes_no_further_facts:
        state += words.aside(words("phrase", "assumes"))
    yield Legend(None, words("chart", "at"), shown(chart.at, words), "", state)
    for row in ROWS:
        for bar in chart.row(row):
            what = words("state", bar.name) if row == "state" else words("row", row)
            remark = words("chart", "scheduled") if bar.scheduled else ""
            led_on = leads if bar.name == State.EXPIRED else ""
            yield Legend(row, what, *_span(bar, words), remark, bar, led_on)
        if not chart.row(row):
            yield Legend(row, words("row", row), *_missing(answer, chart, row, words))


def _following(answer: Answer, among: Sequence[Answer]) -> Answer | None:
    """The answer about the next benefit year, of the same knowledge if there are several."""
    ref, year = answer.enrollment
    next_year = [each for each in among if each.enrollment == (ref, year + 1)]
    same = [each for each in next_year if each.known_at == answer.known_at]
    return next(iter(same or next_year), None)


def _span(bar: Bar, words: Words) -> tuple[str, str]:
    """From when and until when: in whole days where a notice counts days, else in instants."""
    if bar.until is None:
        return shown(bar.begins_at, words), words("chart", "onward")
    if bar.row in ("waiting", "coverage"):
        last = day_before(bar.until.date())
        return shown(bar.begins_at.date(), words), words("chart", "last_day", last=last)
    return shown(bar.begins_at, words), words("chart", "ends", until=shown(bar.until, words))


def _missing(answer: Answer, chart: Chart, row: Lane, words: Words) -> tuple[str, str, str]:
    """What is there in place of a bar, and why."""
    if row == "state":
        return words("state", "none"), "", ""
    derived = getattr(answer.values, VALUE_OF[row]) if answer.values else None
    reason = words("because", derived.because if derived else "not_registered")
    if VALUE_OF[row] in chart.pending:
        return words("phrase", "pending"), "", words("phrase", "missing", reason=reason)
    return words("phrase", "none"), "", words("phrase", "because", reason=reason)


def _legend(found: Sequence[Legend], words: Words, ascii: bool) -> Iterator[RenderableType]:
    """The dates of every bar, then the rest; a star marks what begins after what is known."""
    dates, rest = Table.grid(padding=(0, 2, 0, 0)), Table.grid(padding=(0, 2, 0, 0))
    for no_wrap in (True, False, True, True):
        dates.add_column(no_wrap=no_wrap, overflow="fold")
    for entry in found:
        if entry.bar is None:
            rest.add_row(entry.what, entry.begins, entry.remark)
            continue
        fill, star = FILLS[entry.bar.name], " *" if entry.bar.scheduled else ""
        swatch = Text(2 * (fill.ascii if ascii else fill.block), style=fill.style)
        dates.add_row(swatch, entry.what, entry.begins, entry.until + star)
    yield from (dates, rest) if dates.rows else (rest,)
    for entry in found:
        if entry.leads:
            yield Text(words.named(entry.what, entry.leads))
    if any(entry.bar and entry.bar.scheduled for entry in found):
        yield Text(words("chart", "star"))


class _Drawing(NamedTuple):
    """A chart on a grid: a margin of so many cells for the names, one cell, then the calendar."""

    chart: Chart
    words: Words
    margin: int
    cells: int
    ascii: bool

    def lines(self, found: Sequence[Legend]) -> Iterator[Text]:
        """The months, the axis, one line an entry, and the pointer to the instant asked about."""
        yield self._line("", Text(self._months(), style="dim"))
        yield self._line("", self._axis())
        yield from (self._entry(entry) for entry in found if entry.row == "state")
        yield self._line("", self._text(self._background()))
        yield from (self._entry(entry) for entry in found if entry.row in VALUE_OF)
        yield self._line("", self._pointer())

    def _line(self, name: str, drawn: Text) -> Text:
        start = Text(name)
        start.truncate(self.margin, overflow="crop" if self.ascii else "ellipsis", pad=True)
        return Text.assemble(start, " ", drawn, no_wrap=True, overflow="crop")

    def _months(self) -> str:
        """The names of the months at their ticks, but for one that would run off the end."""
        told = ""
        for tick in self._ticks():
            name, column = month(tick, self.words), self._cell(tick)
            if column + cell_len(name) <= self.cells:
                told += " " * (column - cell_len(told)) + name
        return told

    def _axis(self) -> Text:
        cells = [AXIS] * self.cells
        for tick in self._ticks():
            cells[self._cell(tick)] = TICK
        return self._text(cells)

    def _entry(self, entry: Legend) -> Text:
        if entry.bar:
            return self._line(entry.what, self._bar(entry.bar))
        rest = self._background()[cell_len(entry.begins) + 1 :]
        told = Text.assemble((entry.begins, "italic"), " ", self._text(rest))
        return self._line(entry.what, told)

    def _bar(self, bar: Bar) -> Text:
        """A bar; one shorter than a cell is a thin mark, which nothing hides."""
        until = bar.until or self.chart.until
        first, end = self._cell(bar.begins_at), self._edge(until)
        share = self.chart.share(until) - self.chart.share(bar.begins_at)
        mark, length = FILLS[bar.name], max(end - first, 1)
        style = f"{mark.style} dim" if bar.scheduled else mark.style
        if share * self.cells < 1:
            mark, length = THIN, 1
        cells = self._background()
        cells[first : first + length] = [mark._replace(style=style)] * length
        if bar.until is None:
            cells[-1] = ONWARD._replace(style=style)
        return self._text(self._marked(cells) if length > 1 else cells)

    def _pointer(self) -> Text:
        """The instant asked about, at its marker or at the end beyond which it lies."""
        told, column = shown(self.chart.at, self.words), self._cell(self.chart.at)
        mark = {"before": BEFORE, "within": POINTER, "after": AFTER}[self.chart.at_lies]
        pointer = mark.ascii if self.ascii else mark.block
        if column + 2 + cell_len(told) <= self.cells:
            return Text(f"{' ' * column}{pointer} {told}", style=mark.style)
        return Text(f"{told} {pointer}".rjust(column + 1), style=mark.style)

    def _background(self) -> list[Mark]:
        cells = [BLANK] * self.cells
        for tick in self._ticks():
            cells[self._cell(tick)] = GRID
        return self._marked(cells)

    def _marked(self, cells: list[Mark]) -> list[Mark]:
        if self.chart.at_lies == "within":
            cells[self._cell(self.chart.at)] = MARKER
        return cells

    def _ticks(self) -> tuple[datetime, ...]:
        """As many months as can be named; of some, a tenth less of the calendar is seen."""
        widest = cell_len(month(self.chart.first.replace(month=12), self.words)) + 3
        return self.chart.ticks(self.cells // widest)

    def _edge(self, instant: datetime) -> int:
        """The cell an instant falls into; for the calendar's end, the first one past the grid."""
        return int(self.chart.share(instant) * self.cells)

    def _cell(self, instant: datetime) -> int:
        return min(self._edge(instant), self.cells - 1)

    def _text(self, cells: list[Mark]) -> Text:
        return Text.assemble(
            *((mark.ascii if self.ascii else mark.block, mark.style) for mark in cells)
        )
