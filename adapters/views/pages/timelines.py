"""The lifecycle as a picture in a page, and the table that tells the same without it."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Final, NamedTuple
from uuid import uuid5

from markupsafe import Markup

from yibao.adapters.views.console import Legend, entries, heading, month
from yibao.adapters.views.pages.templates import environment
from yibao.adapters.views.telling import shown
from yibao.adapters.views.words import Words
from yibao.domain.vocabulary import State
from yibao.projections.answer import Answer
from yibao.projections.bars import Chart, Span, charts

#: In units of the picture, which scales with the page: its width; where the calendar begins and
#: ends; the heights of a lane, a head, the gap between states and values, and a foot.
WIDTH: Final = 900
LEFT, RIGHT = 190, 880
LANE, HEAD, GAP, FOOT = 22, 52, 10, 40
#: A month is written no wider than this, an instant no wider than twice as much.
MARGIN: Final = 70
#: As many months as can be named side by side.
TICKS: Final = 9
#: What lasts for minutes is drawn at least this wide.
THINNEST: Final = 3.0

_RISING, _FALLING = "M-1 1L1 -1M0 8L8 0M7 9L9 7", "M-1 7L1 9M0 0L8 8M7 -1L9 1"
_GRID = "M0 4H8M4 0V8"
#: The lines on a tile of eight by eight, by the name of a bar: told from each other without color.
TEXTURES: Final[dict[str, str]] = {
    State.REGISTERED: "M3 4H5",
    State.CONFIRMED: "M0 4H8",
    State.IN_WAITING_PERIOD: _RISING,
    State.ACCOUNT_BUILT: "M4 0V8",
    State.EVOUCHER_ELIGIBLE: _GRID,
    State.ACTIVE: "",
    State.EXPIRED: "M1 2H2M5 6H6",
    State.OPTED_OUT: _FALLING,
    State.LAPSED: _RISING + _FALLING,
    State.WITHDRAWN: "M0 2H8M0 6H8",
    "waiting": _RISING,
    "coverage": "",
    "evoucher_available_at": _GRID,
}


class Lane(NamedTuple):
    """One line of a picture: a bar, or the words in its place; `told` says all of it."""

    y: int
    entry: Legend
    told: str
    x: float
    width: float


class Tick(NamedTuple):
    """Where a month begins, with its name unless that would run off the picture."""

    x: float
    name: str


class Marker(NamedTuple):
    """Where the instant asked about lies, and on which side of that its name is written."""

    x: float
    name: str
    anchor: str
    within: bool


class Panel(NamedTuple):
    """One answer in the picture; `told` says all of it, in sentences."""

    heading: str
    told: tuple[str, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    marker: Marker

    @property
    def bottom(self) -> int:
        """Where the lanes end."""
        return self.lanes[-1].y + LANE

    @property
    def height(self) -> int:
        return self.bottom + FOOT


def timeline_svg(
    answers: Sequence[Answer], words: Words, span: Span | None = None, *, styled: bool = True
) -> Markup:
    """The timelines of one or more answers on one calendar, as an inline SVG.

    It has a title and a description that tells every date, needs nothing from elsewhere, and
    can be read in black and white. Its ids are those of these answers in this language. The
    calendar is by default the one that holds them all. Without being `styled` it has no colors of
    its own: the page that holds it names them, where its policy forbids a style in the picture.
    """
    drawn = charts(answers, span)
    panels = [_panel(*each, words, answers) for each in zip(answers, drawn, strict=True)]
    *tops, height = accumulate((panel.height for panel in panels), initial=0)
    bars = [lane.entry.bar for panel in panels for lane in panel.lanes if lane.entry.bar]
    return _rendered(
        "timeline.svg.j2",
        words,
        id=_id(answers, words),
        title=_title(answers, words),
        panels=list(zip(tops, panels, strict=True)),
        textures={bar.name: TEXTURES[bar.name] for bar in bars if TEXTURES[bar.name]},
        height=height,
        head=HEAD,
        thick=LANE - 8,
        left=LEFT,
        right=RIGHT,
        width=WIDTH,
        styled=styled,
    )


def timeline_table(answers: Sequence[Answer], words: Words) -> Markup:
    """What the picture shows, as one HTML table an answer."""
    told = [
        (
            heading(answer, words, answers),
            [
                _remarked(_named(entry, words), words)
                for entry in entries(answer, chart, words, answers)
            ],
        )
        for answer, chart in zip(answers, charts(answers), strict=True)
    ]
    return _rendered("timeline_table.html.j2", words, title=_title(answers, words), told=told)


def _rendered(template: str, words: Words, **parts: object) -> Markup:
    return Markup(environment(words.language).get_template(template).render(**parts))


def _title(answers: Sequence[Answer], words: Words) -> str:
    ref = answers[0].enrollment.ref
    years = list(dict.fromkeys(str(each.enrollment.year) for each in answers))
    if len(years) == 1:
        return words("chart", "title", ref=ref, year=years[0])
    return words("chart", "title_of_years", ref=ref, years=words.joined(years, "listed"))


def _id(answers: Sequence[Answer], words: Words) -> str:
    """What no other picture on a page is called, and this one always."""
    asked: list[object] = [
        (each.at, each.known_at, each.version, each.edition_version) for each in answers
    ]
    years = {each.enrollment.year for each in answers}
    asked += sorted(years) if len(years) > 1 else []
    return f"timeline-{uuid5(answers[0].enrollment.stream, f'{words.language} {asked}').hex[:12]}"


def _panel(answer: Answer, chart: Chart, words: Words, among: Sequence[Answer]) -> Panel:
    found = list(entries(answer, chart, words, among))
    rows = [entry for entry in found if entry.row]
    return Panel(
        heading(answer, words, among),
        tuple(_sentence(entry, words) for entry in found),
        tuple(_lane(number, entry, chart, words) for number, entry in enumerate(rows)),
        tuple(_tick(_x(chart, at), month(at, words)) for at in chart.ticks(TICKS)),
        _marker(chart, words),
    )


def _tick(x: float, name: str) -> Tick:
    return Tick(x, name if x <= RIGHT - MARGIN else "")


def _marker(chart: Chart, words: Words) -> Marker:
    x, name = _x(chart, chart.at), shown(chart.at, words)
    told = {"before": f"‹ {name}", "within": name, "after": f"{name} ›"}[chart.at_lies]
    beside = "start" if x < LEFT + MARGIN else "end" if x > RIGHT - MARGIN else "middle"
    return Marker(x, told, beside, chart.at_lies == "within")


def _lane(number: int, entry: Legend, chart: Chart, words: Words) -> Lane:
    y = HEAD + LANE * number + (0 if entry.row == "state" else GAP)
    if entry.bar is None:
        return Lane(y, entry, _sentence(entry, words), LEFT, 0.0)
    first, end = _x(chart, entry.bar.begins_at), _x(chart, entry.bar.until or chart.until)
    return Lane(y, entry, _sentence(entry, words), first, round(max(end - first, THINNEST), 1))


def _x(chart: Chart, instant: datetime) -> float:
    """Where an instant lies in the picture, to a tenth of a unit."""
    return round(LEFT + chart.share(instant) * (RIGHT - LEFT), 1)


def _named(entry: Legend, words: Words) -> Legend:
    """A state is called one: alone, its name could be taken for that of a value."""
    if entry.bar is None or entry.row != "state":
        return entry
    return entry._replace(what=words("chart", "state", state=entry.what))


def _remarked(entry: Legend, words: Words) -> Legend:
    """With all that is remarked on it in one: the legend of a terminal has a mark for some."""
    remarks = [each for each in (entry.remark, entry.leads) if each]
    return entry._replace(remark=words.joined(remarks, "apart"))


def _sentence(entry: Legend, words: Words) -> str:
    entry = _remarked(_named(entry, words), words)
    span = f"{entry.begins} {entry.until}".rstrip()
    return ", ".join(part for part in (entry.what, span, entry.remark) if part)
