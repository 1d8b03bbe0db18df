"""The tables of a season, as registries, bureaus and officers write them: in order, with a mess."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from random import Random
from typing import Any, Final, Literal, NamedTuple

from yibao.adapters.office.demo.lives import PROXIES, REFUSED, ROSTERS, Life
from yibao.adapters.office.demo.people import Pupil, pupil
from yibao.domain.calendar import at_hour, day_after, in_shanghai
from yibao.domain.vocabulary import Category, Document

Form = Literal["xlsx", "gb18030", "utf-8-sig", "tabs"]


class Sheet(NamedTuple):
    """A table that reaches the officer at an instant: its name, its kind, and its rows.

    What it says otherwise than before `corrects` what was recorded. Above the header may stand
    rows that are none of it.
    """

    name: str
    kind: str
    at: datetime
    rows: Sequence[Sequence[Any]]
    form: Form = "xlsx"
    corrects: bool = False


def sheets_of(lives: Sequence[Life], seed: int) -> list[Sheet]:
    """All of a season, in the order in which they come."""
    found = [
        *_rosters(lives, seed),
        *_results(lives),
        *_accounts(lives),
        *_proxies(lives),
        *_payments(lives),
    ]
    return sorted(found, key=lambda sheet: sheet.at)


def _rosters(lives: Sequence[Life], seed: int) -> Iterator[Sheet]:
    entered = [life for life in lives if life.fate != "not_on_the_roster"]
    first, second = ROSTERS
    rows: list[list[Any]] = []
    for life in entered:
        if life.fate != "late":
            rows += _first_rows(life)
    for index in range(max(1, len(lives) // 50)):  # they are not insured here, and stand there
        random = Random(f"{seed} {len(lives) + index}")
        who = pupil(len(lives) + index, random, date(2025, 9, 1), foreign=True)
        rows.insert(random.randrange(len(rows)), _row(who))
    above: list[list[Any]] = [
        ["2025 级新生名单"],
        ["制表：教务处", None, None, None, f"制表日期：{first}"],
        [],
    ]
    numbered = [[number, *row] for number, row in enumerate(rows, 1)]
    below = [[], ["合计", None, f"{len(rows)} 人"]]
    yield Sheet(
        "roster", "roster", at_hour(first, _NINE), [*above, ["序号", *_HEAD], *numbered, *below]
    )
    mended = [
        [_text(cell) for cell in _row(life.pupil)]
        for life in entered
        if life.fate == "late" or (life.flaw and life.flaw in (*REFUSED, *_CORRECTED))
    ]
    name = "roster-late-and-mended"
    heads = ["*学号", "学生姓名", "身份证件类型", "身份证件号", "培养层次", "报到时间", "院系"]
    yield Sheet(name, "roster", at_hour(second, _NINE), [heads, *mended], "gb18030", corrects=True)


def _first_rows(life: Life) -> list[list[Any]]:
    """Her rows in the first roster: one, in most cases as it should be."""
    row = _row(life.pupil)
    if life.flaw is None:
        return [row]
    number, name, kind, document, category, day = row[:6]
    changed: dict[str, list[list[Any]]] = {
        "check_digit": [[number, name, _ID_CARD, _damaged(life.pupil), category, day]],
        "wrong_kind": [[number, name, "学生证", document, category, day]],
        "lost_digits": [[number, name, kind, 9.90001200701010e17, category, day]],
        "unknown_category": [[number, name, kind, document, "旁听生", day]],
        "told_twice_otherwise": [row, [number, name, kind, document, category, _DAY_AFTER]],
        "name": [[number, name[:-1], kind, document, category, day]],
        "registered_on": [[number, name, kind, document, category, _DAY_AFTER]],
        "told_twice": [row, row],
        "full_width": [[_wide(number), name, kind, _wide(document), category, "2025年9月1日"]],
        "spaces": [[f" {number}", f"{name}　", f"{kind} ", document.lower(), category, day]],
        "number": [[float(number), name, kind, document, category, "2025/9/1"]],
        "serial": [[number, name, kind, document, category, (day - _EXCEL).days]],
    }
    return changed[life.flaw]


#: What the second roster says otherwise than the first, of who is recorded.
_CORRECTED: Final = ("name", "registered_on")


def _row(who: Pupil) -> list[Any]:
    kind, category = _DOCUMENTS[who.document], _CATEGORIES[who.category]
    cells = [who.number, who.name, kind, who.document_number, category, who.registered_on]
    return [*cells, f"第{int(who.number) % 7 + 1}学院"]


def _damaged(who: Pupil) -> str:
    """A number of an identity card with two digits changed for each other."""
    number = f"99{who.number[-4:]}20070112000"
    return f"{number}{'1' if who.document_number.endswith('0') else '0'}"


def _results(lives: Sequence[Life]) -> Iterator[Sheet]:
    days = [date(2025, 9, 12), date(2025, 9, 26), date(2025, 10, 17), date(2025, 11, 14)]
    days.append(date(2025, 12, 11))
    heads = ["学号", "断保年数", "核验时间"]
    told = [life for life in lives if life.confirmed_at and life.is_looked_up]
    for day, some in _by_file(told, days, lambda life: _day_of(life.confirmed_at)):
        rows = [_result(life, life.told_lapsed_years) for life in some]
        yield _sheet("results", day, heads, rows, "gb18030")
    mended = [life for life in told if life.told_lapsed_years != life.lapsed_years]
    rows = [_result(life, life.lapsed_years) for life in mended]
    yield _sheet("results-corrected", date(2025, 12, 12), heads, rows)


def _result(life: Life, lapsed_years: int) -> list[Any]:
    """What the check found, by the next morning."""
    on = _day_of(life.confirmed_at)
    assert on is not None
    return [life.pupil.number, lapsed_years, f"{day_after(on):%Y-%m-%d} 08:00"]


def _accounts(lives: Sequence[Life]) -> Iterator[Sheet]:
    days = [date(2025, 9, 30), date(2025, 10, 31), date(2025, 11, 28), date(2025, 12, 12)]
    for day, some in _by_file(lives, days, _account_day):
        rows = [[life.pupil.number, life.pupil.name, _account_day(life)] for life in some]
        yield _sheet("accounts", day, ["学号", "姓名", "建账日期"], rows)


def _account_day(life: Life) -> date | None:
    if life.fate == "account_without_confirmation":
        return date(2025, 10, 9)
    return None if life.fate == "check_told_better" else life.account_built_on


def _proxies(lives: Sequence[Life]) -> Iterator[Sheet]:
    heads = ["学号", "委托日期", "录入时间"]
    told = [life for life in lives if life.by_proxy and life.confirmed_at]
    waiting = [life for life in lives if life.fate == "proxy_not_entered"]
    for day, some in _by_file(told, PROXIES, lambda life: _day_of(life.confirmed_at)):
        rows: list[list[Any]] = []
        for life in some:
            assert life.confirmed_at is not None
            rows.append([life.pupil.number, life.confirmed_at.date(), _plain(life.confirmed_at)])
        if day == PROXIES[-1]:
            rows += [[life.pupil.number, date(2025, 12, 12), None] for life in waiting]
        yield _sheet("proxies", day, heads, rows)


def _payments(lives: Sequence[Life]) -> Iterator[Sheet]:
    days = [date(2025, 12, 5), date(2025, 12, 15)]
    heads = ["学号", "缴费年度", "缴费金额（元）", "缴费时间"]
    for day, some in _by_file(lives, days, lambda life: _day_of(life.paid_at)):
        rows = [
            [life.pupil.number, "2026年度", "395.00", f"{life.paid_at:%Y-%m-%d %H:%M:%S}"]
            for life in some
        ]
        yield _sheet("payments", day, heads, rows, "utf-8-sig")


def _by_file(
    lives: Iterable[Life], days: Sequence[date], told_of: Callable[[Life], date | None]
) -> Iterator[tuple[date, list[Life]]]:
    """Who stands in the table of which day: in the first that comes after what is told of her."""
    before = date.min
    lives = list(lives)
    for day in days:
        yield day, [life for life in lives if (on := told_of(life)) and before <= on < day]
        before = day


def _sheet(
    name: str, day: date, heads: list[str], rows: list[list[Any]], form: Form = "xlsx"
) -> Sheet:
    cells = rows if form == "xlsx" else [[_text(cell) for cell in row] for row in rows]
    kind, _, corrects = name.partition("-")
    return Sheet(name, kind, at_hour(day, _NINE), [heads, *cells], form, bool(corrects))


def _text(cell: Any) -> Any:
    return f"{cell.year}/{cell.month}/{cell.day}" if isinstance(cell, date) else cell


def _plain(instant: datetime) -> datetime:
    """An instant as a cell has it, without a zone."""
    return in_shanghai(instant).replace(tzinfo=None)


def _day_of(instant: datetime | None) -> date | None:
    return instant and in_shanghai(instant).date()


def _wide(text: str) -> str:
    """The same in full-width signs, as an input method writes them."""
    return "".join(chr(ord(sign) + 0xFEE0) for sign in text)


_NINE: Final = time(9)
_EXCEL: Final = date(1899, 12, 30)
_DAY_AFTER: Final = date(2025, 9, 2)
_HEAD: Final = ["学号", "姓 名", "证件类型", "证件号码", "学生类别", "报到日期", "院系"]
_ID_CARD: Final = "居民身份证"
_DOCUMENTS: Final = {
    Document.RESIDENT_ID_CARD: _ID_CARD,
    Document.HMT_RESIDENCE_PERMIT: "港澳台居民居住证",
    Document.PASSPORT: "护照",
    Document.TAIWAN_TRAVEL_PERMIT: "台胞证",
    Document.HK_MACAO_TRAVEL_PERMIT: "港澳居民来往内地通行证",
}
_CATEGORIES: Final = {
    Category.UNDERGRADUATE: "本科生",
    Category.HIGHER_VOCATIONAL: "高职高专",
    Category.POSTGRADUATE: "研究生",
    Category.FOREIGN: "留学生",
}
