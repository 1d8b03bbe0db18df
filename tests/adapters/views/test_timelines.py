"""The lifecycle as bars over the calendar, in the terminal and in a page."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from given import checked, given, registered
from jinja2 import UndefinedError
from rich.cells import cell_len
from rich.console import Console

from yibao.adapters.stories.reading import story_files
from yibao.adapters.stories.replaying import Replay
from yibao.adapters.views.console.timelines import FILLS, carries_blocks, timeline_report
from yibao.adapters.views.pages.templates import environment
from yibao.adapters.views.pages.timelines import (
    LEFT,
    RIGHT,
    TEXTURES,
    THINNEST,
    timeline_svg,
    timeline_table,
)
from yibao.adapters.views.words import LANGUAGES, Language, Words
from yibao.domain.calendar import read_instant
from yibao.domain.vocabulary import EnrollmentId, State
from yibao.projections.answer import Answer
from yibao.projections.bars import VALUE_OF
from yibao.projections.record import Cutoff

Asked = Callable[..., Answer]

EXAMPLES = Path(__file__).parents[3] / "scenarios" / "worked-examples"
SVG = "{http://www.w3.org/2000/svg}"
ENGLISH, CHINESE = Words("en"), Words("zh")


@pytest.fixture
def example(replayed: Callable[[Path], Replay]) -> Asked:
    """The answer about the student of a worked example, with all its story knows unless told."""

    def asked(number: str, at: str, known_at: Cutoff | None = None) -> Answer:
        (file,) = EXAMPLES.glob(f"{number}-*.yaml")
        ran = replayed(file)
        (student,) = ran.story.students
        return ran.answer(student, read_instant(at), known_at)

    return asked


def lines(
    answers: Sequence[Answer], words: Words = ENGLISH, width: int = 100, ascii: bool = False
) -> list[str]:
    """What a terminal of this width shows, without the blanks at the end of lines."""
    console = Console(file=StringIO(), width=width, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(timeline_report(answers, words, width, ascii))
    return [line.rstrip() for line in captured.get().splitlines()]


def line(found: Sequence[str], start: str) -> str:
    """The first line of a name: that of the drawing."""
    return next(each for each in found if each.startswith(start))


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def rows(table: str) -> list[list[str]]:
    """The cells of a table's rows, told by their marks alone."""
    found = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found]


def test_a_waiting_period_is_drawn_and_followed_by_e_voucher_and_cover(example: Asked) -> None:
    assert lines([example("02", "2025-10-15 00:00")], width=80) == [
        "as known at 2025-09-06 14:50",
        "                       2025-09    2025-10    2025-11    2025-12     2026-01",
        "                       ┬──────────┬──────────┬──────────┬───────────┬───────────",
        "registered             ░░         ┊    │     ┊          ┊           ┊",
        "confirmed              ┊ ▏        ┊    │     ┊          ┊           ┊",
        "in waiting period      ┊ ╱╱╱╱╱╱╱╱╱╱╱╱╱╱│╱╱╱╱╱╱╱╱╱╱╱╱╱╱╱╱┊           ┊",
        "account built          ┊          ┊    │     ┊          ▏           ┊",
        "e-voucher can be acti… ┊          ┊    │     ┊          ┊▏          ┊",
        "active                 ┊          ┊    │     ┊          ┊███████████┊",
        "expired                ┊          ┊    │     ┊          ┊           ···········→",
        "                       ┊          ┊    │     ┊          ┊           ┊",
        "waiting period         ╱╱╱╱╱╱╱╱╱╱╱╱╱╱╱╱│╱╱╱╱╱╱╱╱╱╱╱╱╱╱╱╱┊           ┊",
        "benefit window         ┊          ┊    │     ┊          ┊███████████┊",
        "e-voucher              ┊          ┊    │     ┊          ┊▚▚▚▚▚▚▚▚▚▚▚┊",
        "                                       ▲ 2025-10-15 00:00",
        "",
        "░░  registered                  2025-09-01 00:00  until 2025-09-06 14:20",
        "▒▒  confirmed                   2025-09-06 14:20  until 2025-09-06 14:50",
        "╱╱  in waiting period           2025-09-06 14:50  until 2025-12-01 00:00",
        "▓▓  account built               2025-12-01 00:00  until 2025-12-01 09:00 *",
        "▚▚  e-voucher can be activated  2025-12-01 09:00  until 2025-12-02 00:00 *",
        "██  active                      2025-12-02 00:00  until 2026-01-01 00:00 *",
        "··  expired                     2026-01-01 00:00  onward *",
        "╱╱  waiting period              2025-09-01        to 2025-11-30",
        "██  benefit window              2025-12-02        to 2025-12-31 *",
        "▚▚  e-voucher                   2025-12-01 09:00  until 2026-01-01 00:00 *",
        "asked about  2025-10-15 00:00  in waiting period (assumes no further facts)",
        "* scheduled, assumes no further facts",
    ]


def test_what_was_believed_then_is_drawn_beneath_on_the_same_months(example: Asked) -> None:
    at = "2025-12-02 00:00"
    found = lines([example("02", at), example("02", at, 2)])
    heads = [number for number, each in enumerate(found) if each.startswith("as known at")]
    assert [found[number] for number in heads] == [
        "as known at 2025-09-06 14:50",
        "as known at 2025-09-02 17:00",
    ]
    above, beneath = found[: heads[1]], found[heads[1] :]
    assert above[1:3] == beneath[1:3]
    assert [each.index("▲") for each in found if "▲" in each] == [above[14].index("▲")] * 2
    assert "lapsed" not in "".join(above)
    assert line(beneath, "lapsed").endswith("→")


def test_a_student_of_whom_nothing_was_known_is_drawn_on_the_months_of_what_is_known_now(
    example: Asked,
) -> None:
    at = "2025-12-02 00:00"
    found = lines([example("02", at), example("02", at, 0)])
    beneath = found[found.index("when nothing was known") :]
    assert beneath[1] == found[1]
    assert "not enrolled" in line(beneath, "state")
    assert "because there is no current registration" in "\n".join(beneath)


def test_where_nothing_was_ever_known_the_month_asked_about_is_drawn_all_the_same(
    example: Asked,
) -> None:
    found = lines([example("02", "2025-12-02 00:00", 0)])
    assert "2025-12" in found[1]
    assert [each for each in found if "▲ 2025-12-02 00:00" in each]


def test_what_is_pending_says_so_in_its_row_and_why_beneath(example: Asked) -> None:
    found = lines([example("15", "2025-10-01 12:00")], width=120)
    for name, told in (("waiting period", "pending"), ("benefit window", "pending")):
        assert line(found, name).split()[2] == told
    assert line(found, "e-voucher").split()[1] == "none"
    legend = "\n".join(found[found.index("") :])
    assert re.search(r"waiting period +pending +missing: the result of the check", legend)
    assert re.search(r"e-voucher +none +because with this document", legend)


def test_who_has_lapsed_is_drawn_as_lapsed_with_nothing_to_end_it(example: Asked) -> None:
    found = lines([example("10", "2026-01-15 12:00")])
    assert "╳╳ lapsed 2026-01-01 00:00 onward *" in [" ".join(each.split()) for each in found]
    assert line(found, "lapsed").endswith("→")


def test_a_state_shorter_than_a_cell_is_a_mark_that_the_marker_does_not_hide(
    example: Asked,
) -> None:
    found = lines([example("02", "2025-09-06 14:30")], width=60)
    assert line(found, "confirmed").count("▏") == 1
    assert line(found, "confirmed").index("▏") == next(each for each in found if "▲" in each).index(
        "▲"
    )


@pytest.mark.parametrize(
    ("at", "end", "pointer"),
    [
        ("2020-01-01 00:00", "first", "‹ 2020-01-01 00:00"),
        ("2030-01-01 00:00", "last", "2030-01-01 00:00 ›"),
    ],
)
def test_an_instant_years_away_is_an_arrow_at_the_end_beyond_which_it_lies(
    example: Asked, at: str, end: str, pointer: str
) -> None:
    found = lines([example("02", at)], width=80)
    pointing = next(each for each in found if pointer in each)
    axis = line(found, " " * 23 + "┬")
    assert pointing.index(pointer) == (23 if end == "first" else len(axis) - len(pointer))
    assert "│" not in "".join(found)


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=LANGUAGES)
def test_the_marker_goes_down_to_the_pointer_which_names_its_instant_where_there_is_room(
    example: Asked, words: Words
) -> None:
    for day in range(1, 32):
        at = f"2026-01-{day:02} 12:00"
        found = lines([example("15", at)], words, width=80)
        (pointing,) = [each for each in found if "▲" in each]
        assert at in pointing
        marked = [each for each in found if "│" in each]
        columns = {cell_len(each[: each.index("│")]) for each in marked}
        assert (columns, len(marked)) == ({pointing.index("▲")}, 7)


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=LANGUAGES)
@pytest.mark.parametrize("width", [20, 60, 80, 133])
def test_nothing_is_wider_than_asked_for_but_for_sixty_cells_it_takes(
    example: Asked, words: Words, width: int
) -> None:
    found = lines([example("02", "2025-12-02 00:00")], words, width=max(width, 60))
    assert max(map(cell_len, found)) <= max(width, 60)
    assert lines([example("15", "2025-12-02 00:00")], words, width=20)


def test_in_a_narrow_terminal_only_as_many_months_are_named_as_have_room(example: Asked) -> None:
    months = lines([example("02", "2025-12-02 00:00")], width=60)[1]
    assert months.split() == ["2025-09", "2025-11", "2026-01"]


def test_over_decades_years_apart_are_named_and_none_that_would_run_off_the_end() -> None:
    decades = [
        given(registered("2025-09-01"), checked("2025-09-06 10:00", years)).answer()
        for years in range(80, 101)
    ]
    for answer in decades:
        axis = lines([answer], width=60)[1:3]
        assert set(re.findall(r"-(\d\d)", axis[0])) == {"01"}
        assert axis[1].count("┬") - len(axis[0].split()) in (0, 1)
        panel = parsed(timeline_svg([answer], ENGLISH))
        months = [each for each in panel.iter(f"{SVG}text") if "-01" in (each.text or "")]
        assert max(float(each.get("x", "")) for each in months) < RIGHT - 60
    assert any(
        axis.count("┬") > len(months.split())
        for months, axis in (lines([answer], width=60)[1:3] for answer in decades)
    )


@pytest.mark.parametrize("width", [60, 100])
def test_in_ascii_no_character_is_beyond_it(example: Asked, width: int) -> None:
    found = lines([example("02", "2025-12-02 00:00")], width=width, ascii=True)
    assert all(each.isascii() for each in found)
    assert "/////" in line(found, "in waiting period")
    assert "#####" in line(found, "benefit window")
    assert [each for each in found if "^" in each and "2025-12-02 00:00" in each]


@pytest.mark.parametrize(
    ("encoding", "carries"), [("utf-8", True), ("ascii", False), ("gbk", False)]
)
def test_whether_a_stream_carries_the_drawing_depends_on_its_encoding(
    encoding: str, carries: bool
) -> None:
    assert carries_blocks(encoding) is carries


def test_every_state_is_told_from_every_other_without_color() -> None:
    for marks in (
        {FILLS[state].block for state in State},
        {FILLS[state].ascii for state in State},
        {TEXTURES[state] for state in State},
    ):
        assert len(marks) == len(State)
    assert FILLS.keys() == TEXTURES.keys() == {*State, *VALUE_OF.values()}


def test_in_chinese_the_calendar_begins_in_one_column(example: Asked) -> None:
    found = lines([example("02", "2025-10-15 00:00")], CHINESE, width=80)
    first = cell_len(found[2]) - cell_len(found[2].lstrip())
    assert found[1].split()[:2] == ["2025年9月", "2025年10月"]
    for name, mark in (("已报到注册", "░"), ("待遇等待期 ", "╱"), ("可申领医保码", "┊")):
        drawn = line(found, name)
        assert cell_len(drawn[: drawn.index(mark)]) == first


def test_a_picture_has_a_title_and_a_description_that_names_it(example: Asked) -> None:
    answer = example("02", "2025-12-02 00:00")
    root = parsed(timeline_svg([answer], ENGLISH))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == f"Timeline of {answer.enrollment.ref}, benefit year 2025"
    told = " ".join((description.text or "").split())
    assert told.startswith("as known at 2025-09-06 14:50: asked about, 2025-12-02 00:00, active")
    assert "; benefit window, 2025-12-02 to 2025-12-31, scheduled; " in told


def test_a_bar_has_its_place_in_the_picture_by_its_share_of_the_months(example: Asked) -> None:
    root = parsed(timeline_svg([example("02", "2025-12-02 00:00")], ENGLISH))
    (cover,) = (each for each in root.iter(f"{SVG}rect") if each.get("class") == "coverage")
    begins, days, of = 92, 30, (RIGHT - LEFT) / 153
    assert float(cover.get("x", "")) == pytest.approx(LEFT + begins * of, abs=0.1)
    assert float(cover.get("width", "")) == pytest.approx(days * of, abs=0.1)


def test_what_lasts_minutes_can_be_seen_in_the_picture(example: Asked) -> None:
    root = parsed(timeline_svg([example("02", "2025-12-02 00:00")], ENGLISH))
    (short,) = (each for each in root.iter(f"{SVG}rect") if each.get("class") == "confirmed")
    assert float(short.get("width", "")) == THINNEST


@pytest.mark.parametrize(
    ("at", "name", "lines_drawn"),
    [
        ("2025-12-02 00:00", "2025-12-02 00:00", 1),
        ("2020-01-01 00:00", "‹ 2020-01-01 00:00", 0),
        ("2030-01-01 00:00", "2030-01-01 00:00 ›", 0),
    ],
)
def test_the_picture_marks_the_instant_asked_about_or_the_end_beyond_which_it_lies(
    example: Asked, at: str, name: str, lines_drawn: int
) -> None:
    root = parsed(timeline_svg([example("02", at)], ENGLISH))
    (told,) = (each.text for each in root.iter(f"{SVG}text") if each.get("class") == "at")
    marks = [each for each in root.iter(f"{SVG}line") if each.get("class") == "marker"]
    assert (told, len(marks)) == (name, lines_drawn)


@pytest.mark.parametrize(
    ("at", "anchor"),
    [("2025-09-02 12:00", "start"), ("2025-11-02 12:00", "middle"), ("2026-01-30 12:00", "end")],
)
def test_the_name_of_the_instant_asked_about_does_not_run_off_the_picture(
    example: Asked, at: str, anchor: str
) -> None:
    root = parsed(timeline_svg([example("02", at)], ENGLISH))
    (told,) = (each for each in root.iter(f"{SVG}text") if each.get("class") == "at")
    assert told.get("text-anchor") == anchor


def test_what_is_scheduled_has_another_outline_in_the_picture(example: Asked) -> None:
    root = parsed(timeline_svg([example("10", "2025-12-02 00:00")], ENGLISH))
    bars = [each for each in root.iter(f"{SVG}g") if "bar" in each.get("class", "")]
    assert [each.get("class") for each in bars] == ["bar", "bar scheduled"]


def test_two_answers_in_a_picture_stand_beneath_each_other_on_the_same_months(
    example: Asked,
) -> None:
    at = "2025-12-02 00:00"
    root = parsed(timeline_svg([example("02", at), example("02", at, 2)], ENGLISH))
    panels = root.findall(f"{SVG}g")
    drawn = [
        [each.get("x1") for each in panel.iter(f"{SVG}line") if each.get("class") == "grid"]
        for panel in panels
    ]
    assert drawn[0] == drawn[1]
    assert [panel.get("transform") for panel in panels] == ["translate(0 0)", "translate(0 322)"]


def test_pictures_of_one_page_share_no_id_and_each_pattern_is_there(example: Asked) -> None:
    answers = [example(number, "2025-12-02 00:00") for number in ("01", "02", "15")]
    roots = [
        parsed(timeline_svg([each], words)) for each in answers for words in (ENGLISH, CHINESE)
    ]
    ids = [each.get("id") for root in roots for each in root.iter() if each.get("id")]
    used = {each.get("fill", "") for root in roots for each in root.iter()}
    assert len(ids) == len({*ids})
    assert {each[5:-1] for each in used if each.startswith("url(#")} <= {*ids}


def test_the_picture_needs_nothing_from_elsewhere_and_runs_nothing(example: Asked) -> None:
    svg = timeline_svg([example("02", "2025-12-02 00:00")], ENGLISH)
    names = {each.tag.removeprefix(SVG) for each in parsed(svg).iter()}
    assert not names & {"script", "image", "use", "foreignObject", "a"}
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|href|\son\w+=", svg)


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=LANGUAGES)
def test_every_story_can_be_drawn_and_its_table_tells_every_date_of_its_bars(
    words: Words, replayed: Callable[[Path], Replay]
) -> None:
    for file in story_files(EXAMPLES):
        ran = replayed(file)
        (student,) = ran.story.students
        answers = [ran.answer(student), ran.answer(student, known_at=1)]
        parsed(timeline_svg(answers, words))
        told = "\n".join(lines(answers, words))
        table = timeline_table(answers, words)
        for answer in answers:
            dates = [f"{change.at:%Y-%m-%d %H:%M}" for change in answer.timeline]
            assert answer.values is not None
            for derived in (answer.values.waiting, answer.values.coverage):
                if isinstance(derived.value, tuple):
                    dates += [f"{derived.value[0]}", f"{derived.value[1]}"]
            for date in dates:
                assert f">{date}<" in table or f" {date}" in table
                assert date in told


def test_the_table_has_a_caption_and_names_its_columns_and_rows(example: Asked) -> None:
    answer = example("02", "2025-12-02 00:00")
    table = timeline_table([answer], ENGLISH)
    root = parsed(table)
    assert root.findtext("caption") == (
        f"Timeline of {answer.enrollment.ref}, benefit year 2025, as known at 2025-09-06 14:50"
    )
    assert [each.get("scope") for each in root.iter("th")] == ["col"] * 4 + ["row"] * 11
    assert rows(table)[:3] == [
        ["what", "from", "until", "remark"],
        ["asked about", "2025-12-02 00:00", "", "active (assumes no further facts)"],
        ["state: registered", "2025-09-01 00:00", "until 2025-09-06 14:20", ""],
    ]
    assert ["benefit window", "2025-12-02", "to 2025-12-31", "scheduled"] in rows(table)


def test_two_answers_have_a_table_each(example: Asked) -> None:
    at = "2025-12-02 00:00"
    table = timeline_table([example("02", at), example("02", at, 2)], CHINESE)
    assert re.findall("<caption>.*?，2025 参保年度, 以 (.*?) 所知为准", table) == [
        "2025-09-06 14:50",
        "2025-09-02 17:00",
    ]


def test_markup_in_a_reference_is_shown_and_not_obeyed(example: Asked) -> None:
    hostile = EnrollmentId('</title><script>alert("x")</script>', 2025)
    answer = replace(example("02", "2025-12-02 00:00"), enrollment=hostile)
    for markup in (timeline_svg([answer], ENGLISH), timeline_table([answer], ENGLISH)):
        assert "<script" not in markup
        assert "&lt;script&gt;" in markup
        parsed(markup)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_escapes_and_speaks_its_language(language: Language) -> None:
    shown = environment(language).from_string("{{ given }} {{ words('state', 'lapsed') }}")
    assert shown.render(given="<b>") == f"&lt;b&gt; {Words(language)('state', 'lapsed')}"


def test_a_template_that_uses_what_nobody_gave_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment("en").from_string("{{ nobody }}").render()
