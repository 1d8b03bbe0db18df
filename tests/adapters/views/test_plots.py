"""Pictures of everybody: the same each time, to be read without color and without seeing them."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fontTools.fontBuilder import FontBuilder  # type: ignore[import-untyped]
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

import yibao
from yibao.adapters.views.pages import drawing, everybody, plots
from yibao.adapters.views.pages.timelines import TEXTURES
from yibao.adapters.views.words import LANGUAGES, Language, Words
from yibao.domain.calendar import end_of, read_instant
from yibao.domain.vocabulary import State

SVG = "{http://www.w3.org/2000/svg}"
FIRST = date(2025, 9, 1)
in_either = pytest.mark.parametrize("lang", LANGUAGES)


def counted(counted: Any, known_at: str | None = None, **counts: str) -> yibao.CohortDays:
    """Counts by a digit a day."""
    (length,) = {len(digits) for digits in counts.values()}
    return yibao.CohortDays(
        counted,
        tuple(FIRST + timedelta(days=n) for n in range(length)),
        {key: tuple(map(int, digits)) for key, digits in counts.items()},
        read_instant(known_at) if known_at else None,
    )


STATES = counted("states", registered="9511111", in_waiting_period="0333300", active="0155588")
NOW = counted("covered", covered="0555589")
THEN = counted("covered", "2025-09-03 12:00", covered="0555222")


def drawn(
    to: Path, days: yibao.CohortDays = STATES, **asked: Any
) -> tuple[ElementTree.Element, str]:
    """The picture as SVG, and the words beside it."""
    told = yibao.plot(days, to / "drawn.svg", force=True, **asked)
    assert (to / "drawn.txt").read_text(encoding="utf-8") == told
    return ElementTree.parse(to / "drawn.svg").getroot(), told


def texts(picture: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]


@in_either
def test_it_is_the_same_each_time_whatever_the_settings_of_whoever_draws(
    tmp_path: Path, lang: Language
) -> None:
    import matplotlib

    found = []
    for folder, color in (("one", "red"), ("other", "blue")):
        (tmp_path / folder).mkdir()
        with matplotlib.rc_context({"axes.edgecolor": color, "svg.fonttype": "path"}):
            for ending in ("svg", "png"):
                yibao.plot(STATES, tmp_path / folder / f"it.{ending}", lang=lang, force=True)
        found.append({file.name: file.read_bytes() for file in (tmp_path / folder).iterdir()})
    assert found[0] == found[1]
    assert found[0].keys() == {"it.svg", "it.png", "it.txt"}


@in_either
def test_who_does_not_see_it_is_told_by_the_same_figures(tmp_path: Path, lang: Language) -> None:
    picture, told = drawn(tmp_path, lang=lang)
    title, description = list(picture)[:2]
    named = {title.get("id"), description.get("id")}
    assert picture.get("role") == "img"
    assert {*str(picture.get("aria-labelledby")).split()} == named
    assert f"{title.text}\n{description.text}\n" == told
    words = Words(lang)
    lines = told.splitlines()
    for key, digits in STATES.counts.items():
        (line,) = [each for each in lines if each.startswith(words("state", key))]
        most = max(digits)
        assert {str(digits[0]), str(digits[-1]), str(most)} <= {*re.findall(r"\b\d+\b", line)}
        assert STATES.days[digits.index(most)].isoformat() in line


@in_either
def test_what_is_written_in_an_svg_stays_words(tmp_path: Path, lang: Language) -> None:
    picture, told = drawn(tmp_path, lang=lang)
    words = Words(lang)
    for state in ("active", "in_waiting_period", "registered"):
        assert words("state", state) in texts(picture)
    assert told.splitlines()[0] in texts(picture)


def test_nothing_is_told_by_color_alone(tmp_path: Path) -> None:
    """What is of one color, or nearly, differs in its pattern; and each has its name beside it."""
    looks = [drawing.LOOKS[state] for state in State]
    assert len({pattern for _, pattern in looks}) == len(State)
    picture, _ = drawn(tmp_path)
    patterned = picture.findall(f".//{SVG}pattern")
    assert len(patterned) == 2, "waiting and registered have a pattern, active has none"
    assert {"23", "8", "9"} & {*texts(picture)}, "a number stands in the widest bands"


def test_colors_and_what_has_none_are_those_of_the_timelines() -> None:
    style = Path(drawing.__file__).with_name("timeline.svg.j2").read_text(encoding="utf-8")
    for state in State:
        (color,) = re.findall(rf"\.{state}\b[^{{]*{{ fill: (#\w+); }}", style)
        full = color if len(color) == 7 else "#" + "".join(2 * each for each in color[1:])
        assert drawing.LOOKS[state][0] == full
        assert bool(drawing.LOOKS[state][1]) == bool(TEXTURES[state])


def test_every_state_has_its_place_in_the_stack() -> None:
    assert {*everybody.STACKED} == {*State}
    every = counted("states", **dict.fromkeys(State, "12"))
    told = yibao.plot(every).splitlines()
    assert len(told) == 1 + len(State)


def test_who_is_covered_now_stands_beside_who_was_as_known_then(tmp_path: Path) -> None:
    picture, told = drawn(tmp_path, NOW, then=THEN)
    assert {"as known now", "as known on 2025-09-03 12:00"} <= {*texts(picture)}
    assert told.splitlines()[-1] == (
        "they differ most on 2025-09-07: 2 as known then, 9 as known now"
    )
    assert yibao.plot(NOW, then=NOW._replace(known_at=end_of(FIRST))).splitlines()[2:] == [
        "as known on 2025-09-01: 0 on 2025-09-01, 9 on 2025-09-07; at most 9 on 2025-09-07",
        "both are the same on every day",
    ]


def test_both_are_drawn_on_all_the_days_of_either() -> None:
    later = NOW._replace(days=tuple(day + timedelta(days=3) for day in NOW.days))
    told = yibao.plot(later, then=THEN).splitlines()
    assert told[0].endswith("2025-09-01 to 2025-09-10")
    assert told[1].startswith("as known now: 0 on 2025-09-01, 9 on 2025-09-10;")
    assert told[2].startswith("as known on 2025-09-03 12:00: 0 on 2025-09-01, 2 on 2025-09-10;")
    assert told[3] == "they differ most on 2025-09-10: 2 as known then, 9 as known now"
    nobody = yibao.CohortDays("covered", (), {})
    assert "at most 0" in yibao.plot(NOW, then=nobody)


def test_of_nobody_a_picture_is_empty_and_says_so(tmp_path: Path) -> None:
    for of in ("states", "covered"):
        nobody: Any = yibao.CohortDays(of, (), {})  # type: ignore[arg-type]
        _, told = drawn(tmp_path, nobody)
        assert told.splitlines()[1:] == ["nobody fits"]


def test_long_stretches_name_some_months_and_short_ones_days(tmp_path: Path) -> None:
    picture, _ = drawn(tmp_path, counted("states", active="123"))
    assert {"2025-09-01", "2025-09-02", "2025-09-03"} <= {*texts(picture)}
    picture, told = drawn(tmp_path, counted("states", active="1" * 800))
    months = [text for text in texts(picture) if re.fullmatch(r"\d{4}-\d\d", text)]
    assert 3 <= len(months) <= everybody.NAMED
    assert len(re.findall(r"1 on ", told)) <= everybody.NAMED + 3


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"lang": "fr"}, "lang"),
        ({"to": "drawn.pdf"}, "to"),
        ({"then": THEN}, "then"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(asked: Any, where: str) -> None:
    with pytest.raises(yibao.BadValue) as refused:
        yibao.plot(STATES, **asked)
    assert refused.value.details["where"] == where


def test_a_file_that_is_there_is_left_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "it.txt").write_text("mine")
    with pytest.raises(yibao.NotWritten):
        yibao.plot(STATES, tmp_path / "it.svg")
    assert [file.name for file in tmp_path.iterdir()] == ["it.txt"]
    assert (tmp_path / "it.txt").read_text() == "mine"


def test_without_the_extra_it_is_told_in_words_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "find_spec", lambda _: None)
    assert yibao.plot(STATES).startswith("States of enrollments")
    with pytest.raises(yibao.NotWritten, match=r"yibao\[analysis\]"):
        yibao.plot(STATES, tmp_path / "it.svg")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def no_chinese_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those fonts alone that have no sign for 参."""
    without = [
        font
        for font in font_manager.fontManager.ttflist
        if "Last Resort" in font.name or ord("参") not in FT2Font(font.fname).get_charmap()
    ]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", without)


def test_where_no_font_has_chinese_a_png_is_in_english_and_the_words_beside_it_are_not(
    tmp_path: Path, no_chinese_font: None
) -> None:
    """Not even by a font that has one sign for everything there is."""
    assert plots.lettered(Words("zh")).language == "en"
    told = yibao.plot(STATES, tmp_path / "zh.png", lang="zh")
    yibao.plot(STATES, tmp_path / "en.png")
    assert told == yibao.plot(STATES, lang="zh")
    zh, en = (pixels(tmp_path / f"{each}.png") for each in ("zh", "en"))
    assert zh == en


def pixels(file: Path) -> bytes:
    from PIL import Image

    with Image.open(file) as image:
        return image.tobytes()


@pytest.fixture
def a_font(tmp_path: Path, no_chinese_font: None) -> str:
    """A font that has a sign for each letter that is written in Chinese."""
    words = Words("zh")
    told = {*yibao.plot(STATES, lang="zh"), *yibao.plot(NOW, lang="zh", then=THEN)}
    letters = {letter for state in State for letter in words("state", state)} | told
    letters |= {*words("plot", "axis"), *words("chart", "month", year=2025, month=1)}
    signs = [".notdef", *(f"u{ord(letter):04X}" for letter in sorted(letters - {"\n"}))]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(signs)
    font.setupCharacterMap({int(sign[1:], 16): sign for sign in signs[1:]})
    font.setupGlyf({sign: _square() for sign in signs})
    font.setupHorizontalMetrics(dict.fromkeys(signs, (1000, 100)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Of a test", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(tmp_path / "of-a-test.ttf")
    font_manager.fontManager.addfont(tmp_path / "of-a-test.ttf")
    return "Of a test"


def _square() -> Any:
    from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]

    pen = TTGlyphPen(None)
    for move, place in zip("mlll", ((100, 0), (100, 700), (800, 700), (800, 0)), strict=True):
        (pen.moveTo if move == "m" else pen.lineTo)(place)
    pen.closePath()
    return pen.glyph()


def test_where_a_font_has_chinese_a_png_is_in_chinese(tmp_path: Path, a_font: str) -> None:
    assert plots.lettered(Words("zh")).language == "zh"
    assert drawing.fonts_for(Words("zh")) == ("sans-serif", a_font)
    yibao.plot(STATES, tmp_path / "zh.png", lang="zh")
    yibao.plot(STATES, tmp_path / "en.png")
    assert pixels(tmp_path / "zh.png") != pixels(tmp_path / "en.png")


def test_a_png_carries_what_it_shows_in_words(tmp_path: Path) -> None:
    from PIL import Image

    told = yibao.plot(STATES, tmp_path / "it.png", lang="zh")
    with Image.open(tmp_path / "it.png") as image:
        assert image.info["Description"] == told
        assert "Software" not in image.info
