"""Draws pictures by matplotlib, which comes with `yibao[analysis]`: the same each time.

Each band has a pattern beside its color, and its name beside it. In an SVG words stay words, so
that whatever font the reader has is taken; in a PNG they are drawn, by a font that is here.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from io import BytesIO
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.ticker import MaxNLocator

from yibao.adapters.views.console import month
from yibao.adapters.views.pages.everybody import Band, Picture, some
from yibao.adapters.views.words import Words
from yibao.domain.calendar import midnight
from yibao.domain.vocabulary import State

#: The color of each state, as the timelines have them, and its pattern.
LOOKS: Final[dict[str, tuple[str, str]]] = {
    State.REGISTERED: ("#dce9f7", "-"),
    State.CONFIRMED: ("#b5d0ee", "--"),
    State.IN_WAITING_PERIOD: ("#fbe5ae", "//"),
    State.ACCOUNT_BUILT: ("#c3e8ea", "||"),
    State.EVOUCHER_ELIGIBLE: ("#9fd6da", "++"),
    State.ACTIVE: ("#4c9a6a", ""),
    State.EXPIRED: ("#eeeeee", ".."),
    State.OPTED_OUT: ("#f7d59a", "\\\\"),
    State.LAPSED: ("#eeb0a8", "xx"),
    State.WITHDRAWN: ("#eeb0a8", "---"),
    "covered": ("#4c9a6a", ""),
}
INK: Final = "#222222"
#: In inches, which SVG takes for 72 units; and how many dots a PNG has for each.
SIZE: Final = 9.0, 4.2
DOTS: Final = 150
#: Where the picture proper lies in it: the rest is for names.
PLACE: Final = 0.07, 0.12, 0.6, 0.76

_SETTINGS: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "yibao",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "hatch.linewidth": 0.5,
    "hatch.color": INK,
}


def svg(picture: Picture, told: str) -> bytes:
    """The picture as SVG; for who does not see it, with what it shows in words."""
    written = BytesIO()
    with _drawing(("sans-serif",)):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        _figure(picture).savefig(written, format="svg", metadata=nothing)
    drawn = written.getvalue().decode()
    drawn = re.sub(r"^.*?(?=<svg)", "", drawn, count=1, flags=re.DOTALL)
    drawn = re.sub(r"[ \t]+$", "", drawn, flags=re.MULTILINE)
    name = f"plot-{uuid5(NAMESPACE_URL, told).hex[:12]}"
    title, _, rest = told.rstrip("\n").partition("\n")
    named = f' role="img" aria-labelledby="{name}-title {name}-desc"'
    inside = f'<title id="{name}-title">{escape(title)}</title>\n <desc id="{name}-desc">'
    inside += f"{escape(rest)}</desc>\n"
    return re.sub(r"^<svg([^>]*)>\n", rf"<svg\1{named}>\n {inside}", drawn, count=1).encode()


def png(picture: Picture, told: str) -> bytes:
    """The picture as PNG, with what it shows in words among what is told about it."""
    written = BytesIO()
    with _drawing(fonts_for(picture.words) or ("sans-serif",)):
        about = {"Software": None, "Title": picture.title, "Description": told}
        _figure(picture).savefig(written, format="png", metadata=about)
    return written.getvalue()


@contextmanager
def _drawing(fonts: Sequence[str]) -> Iterator[None]:
    """Nobody's own settings; and what a font lacks that only measures is no matter."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        matplotlib.rcParams["font.family"] = list(fonts)
        matplotlib.rcParams["font.sans-serif"] = ["DejaVu Sans"]
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def _fonts(letters: str) -> tuple[str, ...]:
    """The usual font, and one that is here and has some letters, each as a sign of its own."""
    for font in sorted(font_manager.fontManager.ttflist, key=lambda each: (each.name, each.fname)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            has = FT2Font(font.fname).get_charmap()
        if len({has.get(ord(letter), 0) for letter in letters} - {0}) == len(letters):
            return "sans-serif", font.name
    return ()


def fonts_for(words: Words) -> tuple[str, ...]:
    """The fonts that have what is written in a language; none where there is no such font here."""
    if words.language == "en":
        return ("sans-serif",)
    said = "".join(words("state", state) for state in State) + "".join(
        words("plot", name) for name in ("axis", "states", "covered", "known_now")
    )
    return _fonts("".join(sorted(set(said))))


def _figure(picture: Picture) -> Figure:
    figure = Figure(SIZE, dpi=DOTS)
    axes = figure.add_axes(PLACE)
    axes.set_title(picture.title, loc="left", fontsize=10)
    axes.set_ylabel(picture.words("plot", "axis"))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    if picture.days and picture.bands:
        (_stack if picture.is_stacked else _beside)(axes, picture)
        _name_days(axes, picture)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="#aaaaaa", linestyle=":", linewidth=0.6)
    axes.set_axisbelow(True)
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles[::-1],
            labels[::-1],
            loc="center left",
            bbox_to_anchor=(1.01, 0.5),
            frameon=False,
            handlelength=2.4,
            handleheight=1.6,
        )
    return figure


def _turns(bands: Sequence[Band]) -> list[int]:
    """The days on which something changes: between them there is nothing new to draw."""
    along = list(zip(*(band.counts for band in bands), strict=True))
    return [0, *(n for n in range(1, len(along)) if along[n] != along[n - 1])]


def _steps(picture: Picture, bands: Sequence[Band]) -> tuple[list[int], list[list[int]]]:
    """Where steps begin, to the end of the last day, and how high they are, one band on another."""
    turns, first = _turns(bands), picture.days[0].toordinal()
    heights = [[0] * len(turns)]
    for band in bands:
        heights.append(
            [below + band.counts[n] for below, n in zip(heights[-1], turns, strict=True)]
        )
    days = [*(first + n for n in turns), first + len(picture.days)]
    return days, [[*each, each[-1]] for each in heights]


def _stack(axes: Axes, picture: Picture) -> None:
    days, heights = _steps(picture, picture.bands)
    for band, below, above in zip(picture.bands, heights, heights[1:], strict=False):
        color, pattern = LOOKS[band.key]
        axes.fill_between(
            days,
            below,
            above,
            step="post",
            facecolor=color,
            edgecolor=INK,
            hatch=pattern,
            linewidth=0.5,
            label=band.name,
        )
    tallest = max(heights[-1])
    beneath = [0] * len(picture.days)
    for band in picture.bands:
        _name_band(axes, picture, band, beneath, tallest)
        beneath = [one + other for one, other in zip(beneath, band.counts, strict=True)]


def _name_band(
    axes: Axes, picture: Picture, band: Band, beneath: Sequence[int], tallest: int
) -> None:
    """Writes how many there are into a band where it is widest, if it is wide enough."""
    most = max(band.counts)
    at = [number for number, count in enumerate(band.counts) if count == most]
    middle = at[len(at) // 2]
    if most * 12 >= tallest and len(at) * 25 >= len(picture.days):
        axes.text(
            picture.days[middle].toordinal() + 0.5,
            beneath[middle] + most / 2,
            str(most),
            ha="center",
            va="center",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": INK, "linewidth": 0.5, "pad": 1.5},
        )


def _beside(axes: Axes, picture: Picture) -> None:
    """Who is covered as a surface, and who was as known then as a broken line over it."""
    now, *then = picture.bands
    days, (_, heights) = _steps(picture, [now])
    axes.fill_between(
        days,
        heights,
        step="post",
        facecolor=LOOKS[now.key][0],
        edgecolor=INK,
        linewidth=1.0,
        label=now.name,
    )
    for band in then:
        days, (_, heights) = _steps(picture, [band])
        axes.step(
            days,
            heights,
            where="post",
            color=INK,
            linestyle=(0, (4, 2)),
            linewidth=1.8,
            label=band.name,
        )


def _name_days(axes: Axes, picture: Picture) -> None:
    first, last = picture.days[0], picture.days[-1]
    axes.set_xlim(first.toordinal(), last.toordinal() + 1)
    months = [day for day in picture.days if day.day == 1]
    if len(months) > 2:
        named = {day: month(midnight(day), picture.words) for day in some(months)}
    else:
        named = {day: day.isoformat() for day in some(picture.days)}
    axes.set_xticks([day.toordinal() for day in named], list(named.values()))
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("left")
