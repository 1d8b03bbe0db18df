"""A season of a synthetic school: its tables, and what happens that no table tells the officer."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final, NamedTuple

from yibao.adapters.office.demo.lives import SCHOOL, UNTIL, Life, lives_of
from yibao.adapters.office.demo.sheets import Sheet, sheets_of
from yibao.domain.calendar import at_hour, day_after, in_shanghai


class Happened(NamedTuple):
    """Something that happened to a student of a number, and when it came to be known.

    `command` is as `service.tell` takes it. What settles care settles the care of hers before.
    """

    known_at: datetime
    number: str
    command: dict[str, Any]


class Season(NamedTuple):
    """Everything of a school until a day, the same for the same number of students and seed."""

    lives: Sequence[Life]
    sheets: Sequence[Sheet]
    happened: Sequence[Happened]


def season_of(students: int, seed: int = 1, *, in_tables_alone: bool = False) -> Season:
    """A season of so many students; with `in_tables_alone` nothing happens but what tables tell."""
    lives = lives_of(students, seed, in_tables_alone=in_tables_alone)
    happened = [] if in_tables_alone else [each for life in lives for each in _of(life, seed)]
    until = at_hour(UNTIL, time(12))
    happened = [each for each in happened if each.known_at <= until]
    return Season(lives, sheets_of(lives, seed), sorted(happened, key=_place))


def _place(happened: Happened) -> tuple[datetime, datetime, str]:
    return happened.known_at, happened.command["at"], happened.number


def _of(life: Life, seed: int) -> Iterator[Happened]:
    """What happens to somebody, known each Friday evening but for the registration."""
    number = life.pupil.number
    for command in _commands(life, Random(f"{seed} {number}")):
        on = in_shanghai(command["at"]).date()
        friday = on + timedelta(days=(4 - on.weekday()) % 7)
        yield Happened(at_hour(friday, time(21)), number, command)


def _commands(life: Life, random: Random) -> Iterator[dict[str, Any]]:
    def told(command: str, day: date, hour: int = 10, **values: Any) -> dict[str, Any]:
        return {"command": command, "at": at_hour(day, time(hour, 30)), **values}

    if life.fate == "not_on_the_roster":
        who = life.pupil
        yield told(
            "register",
            date(2025, 9, 3),
            policy=_EDITION,
            on=who.registered_on,
            school=SCHOOL,
            category=who.category,
            document=who.document,
        )
        return
    if life.fate == "keeps_other_cover":
        yield told("declare_other_cover", date(2025, 9, 20), kind="other_province")
        yield told("keep_other_cover", date(2025, 9, 20), 11)
    if life.fate in ("stops_employee_cover", "keeps_employee_cover"):
        yield told("declare_other_cover", date(2025, 9, 4), kind="employee")
    if life.fate == "stops_employee_cover":
        stopped = date(2025, 10, random.randint(8, 20))
        yield told("stop_employee_cover", stopped, on=stopped)
    if life.confirmed_at is None:
        return
    if not life.by_proxy:
        channel = random.choice(["app", "app", "wechat", "alipay"])
        yield {"command": "confirm", "at": life.confirmed_at, "channel": channel, "observed": True}
    built_on = life.account_built_on
    if built_on and life.pupil.document in _WITH_EVOUCHER and random.random() < 0.8:
        activated = built_on + timedelta(days=random.randint(2, 20))
        yield told("activate_evoucher", activated, channel="app", observed=True)
    elif built_on and random.random() < 0.5:
        yield told("issue_medical_card", built_on + timedelta(days=random.randint(5, 15)))
    if life.fate == "leaves":
        left = date(2025, 11, random.randint(3, 20))
        yield told("withdraw", left, on=left, kind="withdrawn")
    if life.fate in ("falls_ill", "check_told_better"):
        ill = date(2025, 10, random.randint(13, 30))
        cost = f"{random.randint(40, 400)}.00"
        yield told("receive_care", ill, on=ill, setting="campus_clinic", cost=cost)
        yield told("settle_care", day_after(ill) + timedelta(days=7), observed=True)


_EDITION: Final = "shanghai-2025"
_WITH_EVOUCHER: Final = ("resident_id_card", "hmt_residence_permit")
