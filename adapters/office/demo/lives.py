"""What becomes of each student of a synthetic school in the autumn of 2025, drawn by a seed."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import repeat
from random import Random
from typing import Final, Literal, NamedTuple, get_args

from yibao.adapters.office.demo.people import Pupil, pupil
from yibao.domain.calendar import at_hour, day_after, last_day_of_months

#: The school of all of them.
SCHOOL: Final = "demo"
#: The benefit year of all of them.
YEAR: Final = 2025
#: The last day of which anything is told.
UNTIL: Final = date(2025, 12, 15)

#: When rosters leave the registry: with who will come, and with who came late or was mended.
ROSTERS: Final = (date(2025, 8, 28), date(2025, 9, 18))
#: When the officer enters who signed on paper.
PROXIES: Final = tuple(
    date(2025, month, day) for month, day in [(9, 15), (10, 13), (11, 10), (12, 15)]
)
_FIRST_DAY: Final = date(2025, 9, 1)
_WINDOW_OPENS: Final = date(2025, 9, 6)

#: What is wrong with somebody's row in the first roster, each of so many rows in a hundred.
Flaw = Literal[
    "check_digit",  # mended in the second
    "wrong_kind",
    "lost_digits",
    "unknown_category",
    "told_twice_otherwise",
    "name",  # recorded, and corrected by the second
    "registered_on",
    "told_twice",  # recorded as it stands
    "full_width",
    "spaces",
    "number",
    "serial",
]
#: After these a row is not recorded before the second roster.
REFUSED: Final = get_args(Flaw)[:5]

#: What somebody does otherwise than most, and how many in a thousand do. What comes first is told
#: in tables; the others nobody tells the officer in one.
Fate = Literal[
    "late",
    "never_confirms",
    "by_proxy",
    "proxy_not_entered",
    "check_told_better",
    "check_told_worse",
    "account_without_confirmation",
    "not_on_the_roster",
    "keeps_other_cover",
    "stops_employee_cover",
    "keeps_employee_cover",
    "leaves",
    "falls_ill",
]
_OF_A_THOUSAND: Final[dict[Fate, int]] = {
    "late": 40,
    "never_confirms": 30,
    "by_proxy": 50,
    "proxy_not_entered": 5,
    "check_told_better": 5,
    "check_told_worse": 5,
    "account_without_confirmation": 3,
    "not_on_the_roster": 3,
    "keeps_other_cover": 10,
    "stops_employee_cover": 10,
    "keeps_employee_cover": 5,
    "leaves": 8,
    "falls_ill": 30,
}
_IN_TABLES: Final = get_args(Fate)[:7]


class Life(NamedTuple):
    """Somebody, and what she does; None is what she does not do.

    `lapsed_years` is what the check finds at last, `told_lapsed_years` what it is told as first.
    Of who signed on paper and was entered at last, nobody has looked it up yet.
    """

    pupil: Pupil
    fate: Fate | None
    flaw: Flaw | None
    declared_on: date
    confirmed_at: datetime | None
    by_proxy: bool
    lapsed_years: int
    told_lapsed_years: int
    is_looked_up: bool
    account_built_on: date | None
    paid_at: datetime | None


def lives_of(students: int, seed: int, *, in_tables_alone: bool = False) -> list[Life]:
    """The students of a school, always the same of a seed.

    With `in_tables_alone` nothing is known of anybody but what an officer's tables tell: all who
    confirm do so on paper, and nobody does what is in no table.
    """
    random = Random(f"{seed} {students}")
    order = random.sample(range(students), students)
    fates = dict(zip(order, _fates(students, in_tables_alone), strict=False))
    plain = [index for index in order if index not in fates]
    flaws = dict(zip(plain, _flaws(students), strict=False))
    return [
        _life(index, seed, fates.get(index), flaws.get(index), in_tables_alone)
        for index in range(students)
    ]


def _fates(students: int, in_tables_alone: bool) -> Iterator[Fate]:
    for fate in _IN_TABLES if in_tables_alone else get_args(Fate):
        yield from repeat(fate, max(1, students * _OF_A_THOUSAND[fate] // 1000))


def _flaws(students: int) -> Iterator[Flaw]:
    for flaw in get_args(Flaw):
        yield from repeat(flaw, max(1, students // 100))


def _life(index: int, seed: int, fate: Fate | None, flaw: Flaw | None, on_paper: bool) -> Life:
    random = Random(f"{seed} {index}")
    registered_on, declared_on = _FIRST_DAY, ROSTERS[0]
    if fate == "late":
        registered_on = date(2025, 9, random.randint(2, 16))
    if fate in ("late", "not_on_the_roster") or flaw in REFUSED:
        declared_on = ROSTERS[1]
    who = pupil(index, random, registered_on)
    (lapsed,) = random.choices([0, 1, 2, 3], [90, 7, 2, 1])
    told = lapsed
    if fate == "check_told_better":
        lapsed, told = 1, 0
    elif fate == "check_told_worse":
        lapsed, told = 0, 1
    begins = day_after(max(_WINDOW_OPENS, declared_on))
    days = random.expovariate(1 / 14)
    if fate in ("check_told_better", "falls_ill"):  # in time for what is told of them
        days = random.uniform(0, 8)
    elif fate == "by_proxy":
        days = random.uniform(0, 95)
    confirms_on = begins + timedelta(days=int(days))
    hour = time(8 + random.randrange(12), random.randrange(60))
    pays = random.random() < 0.6
    paid_at = at_hour(date(2025, 12, 1) + timedelta(days=random.randrange(13)), hour)
    if fate in _NEVER or confirms_on > date(2025, 12, 12):
        confirmed_at = built_on = None
    else:
        confirmed_at = at_hour(confirms_on, hour)
        built_on = _built_on(confirms_on, registered_on, lapsed)
    by_proxy = on_paper or fate == "by_proxy"
    is_looked_up = not by_proxy or confirms_on < PROXIES[-2]
    if fate in _EMPLOYED or not is_looked_up:
        built_on = None
    return Life(
        pupil=who,
        fate=fate,
        flaw=flaw,
        declared_on=declared_on,
        confirmed_at=confirmed_at,
        by_proxy=by_proxy,
        lapsed_years=lapsed,
        told_lapsed_years=told,
        is_looked_up=is_looked_up,
        account_built_on=built_on,
        paid_at=paid_at if pays and confirmed_at and fate != "leaves" else None,
    )


_NEVER: Final = (
    "never_confirms",
    "proxy_not_entered",
    "account_without_confirmation",
    "not_on_the_roster",
    "keeps_other_cover",
)
_EMPLOYED: Final = ("stops_employee_cover", "keeps_employee_cover")


def _built_on(confirmed_on: date, registered_on: date, lapsed_years: int) -> date:
    """When her account is built (R18)."""
    if not lapsed_years:
        return confirmed_on
    return max(confirmed_on, day_after(last_day_of_months(registered_on, 3 * lapsed_years)))
