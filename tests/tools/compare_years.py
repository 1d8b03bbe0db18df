"""Asks the program and the second reading of the rules the same, and tells where they differ.

    python tests/tools/compare_years.py --minutes 5 --seed 1

Draws editions of one to four benefit years in a chain, and people with facts of realistic and of
nasty timing; records them through the public service, asks about several instants, and compares
state, values and timeline. What differs is told as the shortest story that still does. A fact that
the program refuses to hear of, even as a report, is left out on both sides.
"""

import copy
import json
import random
import sys
import tempfile
import time as clocks
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import click
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.reading import PERIODS, answers, ending, last_of, starting

import yibao
from yibao.testing import clock_at

Values = dict[str, Any]
DAY = timedelta(days=1)
FAILING = ["passport", "taiwan_travel_permit", "hk_macao_travel_permit"]
FAILING += ["exit_entry_permit", "overseas_chinese_permit"]
RELEASED = Path(__file__).parents[2] / "domain/editions/policies/shanghai-2025.yaml"
UNITS = {
    "window_opens": "instant",
    "window_closes_on": "day",
    "autumn_from": "day",
    "autumn_to": "day",
    "waiting_months_per_lapsed_year": "months",
    "waiting_counts_from": "day",
    "result_visible_after": "minutes",
    "proxy_result_visible_after": "days",
    "evoucher_counts_from": "event",
    "evoucher_opens_after": "days",
    "evoucher_hour": "time of day",
    "benefit_from": "day",
    "benefit_to": "day",
    "cover_after_account": "days",
    "benefit_year": "year",
    "for_students": "students",
    "enrolled_by": "event",
    "concentrated_period": "period",
    "extended_period": "period",
    "late_period": "period",
    "waiting_repaired_per_year": "months",
    "waiting_floor": "months",
    "cover_after_leaving": "kinds of leaving",
}
HOURS = [time(0), time(0), time(8, 30), time(9), time(14, 20), time(15), time(23, 30), time(23, 45)]
TOLD = ("state", "waiting", "account_built_on", "evoucher_available_at", "coverage", "timeline")


# Stories


@dataclass(frozen=True)
class Drawn:
    """One benefit year of a story: what its edition says otherwise, its fixes and its facts."""

    year: int
    otherwise: Values
    fixes: list[Values] = field(default_factory=list)
    facts: list[Values] = field(default_factory=list)

    @property
    def edition(self) -> Values:
        """The edition as the reading takes it."""
        said = autumn(self.year) | self.otherwise
        return said | {"documents_without_evoucher": FAILING}


@dataclass(frozen=True)
class Story:
    years: list[Drawn]
    at: datetime

    def told(self) -> str:
        """As it stands in a report."""
        lines = []
        for drawn in self.years:
            said = {key: shown(value) for key, value in drawn.otherwise.items()}
            lines.append(f"  {drawn.year}: {said}")
            for fact in [*drawn.fixes, *drawn.facts]:
                values = {k: shown(v) for k, v in fact.items() if k not in ("do", "at")}
                lines.append(f"    {shown(fact['at'])} {fact['do']} {values}")
        return "\n".join([*lines, f"  asked about {shown(self.at)}"])


def autumn(year: int) -> Values:
    """What an edition of entrants says where a story has nothing else: shanghai-2025, moved."""
    return {
        "window_opens": datetime.combine(date(year, 9, 5), time()),
        "window_closes_on": date(year, 12, 31),
        "autumn_from": date(year, 8, 1),
        "autumn_to": date(year, 12, 31),
        "waiting_months_per_lapsed_year": 3,
        "waiting_counts_from": date(year, 9, 1),
        "result_visible_after": 30,
        "proxy_result_visible_after": 1,
        "evoucher_counts_from": "confirmation",
        "evoucher_opens_after": 1,
        "evoucher_hour": time(9),
        "benefit_from": date(year, 9, 1),
        "benefit_to": date(year, 12, 31),
        "cover_after_account": 1,
    }


def shown(value: Any) -> Any:
    """A value as YAML, the service and a report have it."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, date):
        return str(value)
    if isinstance(value, dict):
        return {key: shown(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shown(each) for each in value]
    return value


def plain_text(value: Any) -> Any:
    """The same with text in the place of numbers, as a file has it."""
    if isinstance(value, dict):
        return {key: plain_text(each) for key, each in value.items()}
    return value if isinstance(value, list) else str(value)


# What the program answers


def written(drawn: Drawn, folder: Path) -> str:
    """Writes the edition of a year and returns its name."""
    name = f"drawn-{drawn.year}"
    said = autumn(drawn.year) | drawn.otherwise
    if "concentrated_period" in said:
        del said["window_opens"], said["window_closes_on"]
    content = copy.deepcopy(released())
    content["edition"] = name
    if "concentrated_period" in said:
        del content["parameters"]["window_opens"], content["parameters"]["window_closes_on"]
    for key, value in said.items():
        basis = {"clause": "drawn", "basis": "assumed", "reason": {"en": "drawn", "zh": "抽取"}}
        content["parameters"][key] = {
            "value": plain_text(shown(value)),
            "unit": UNITS[key],
            **basis,
        }
    # JSON is YAML, too, and quicker to write.
    (folder / f"{name}.yaml").write_text(json.dumps(content), encoding="utf-8")
    return name


@cache
def released() -> Values:
    """The edition of entrants that the drawn ones are made of, every scalar as text."""
    content: Values = yaml.load(RELEASED.read_text(encoding="utf-8"), yaml.BaseLoader)
    return content


class Program:
    """The program, with the editions of a story and what was fixed under them."""

    def __init__(self, years: list[Drawn]) -> None:
        self.refs = (f"s{number}" for number in count(1))
        self.folder = tempfile.TemporaryDirectory()
        self.names = {drawn.year: written(drawn, Path(self.folder.name)) for drawn in years}
        clock = clock_at("2035-01-01 00:00")
        self.service = yibao.open("memory:", policies=self.folder.name, by="drawn", clock=clock)

    def __enter__(self) -> "Program":
        return self

    def fix(self, years: list[Drawn]) -> None:
        """Fixes what the story fixes under its editions."""
        self.fixes = {
            drawn.year: [fix for fix in drawn.fixes if self._heard(self.names[drawn.year], fix)]
            for drawn in years
        }

    def __exit__(self, *_: object) -> None:
        self.service.close()
        self.folder.cleanup()

    def record(self, years: list[Drawn]) -> tuple[str, list[Drawn]]:
        """Records a person; returns her reference, and the years with what was heard."""
        ref = next(self.refs)
        heard = []
        for drawn in years:
            target = yibao.EnrollmentId(ref, drawn.year)
            named = {"ref": ref, "policy": self.names[drawn.year]}
            facts = []
            for fact in drawn.facts:
                more = named if fact["do"] == "register" else {}
                if self._heard(target, fact | more):
                    facts.append(fact)
            heard.append(replace(drawn, fixes=self.fixes[drawn.year], facts=facts))
        return ref, heard

    def _heard(self, target: Any, fact: Values) -> bool:
        values = {key: shown(value) for key, value in fact.items() if key != "do"}
        if fact["do"] != "fix_window":
            values["observed"] = True
        try:
            self.service.tell(target, fact["do"], values)
        except (yibao.Refused, yibao.BadValue):
            return False
        return True

    def answers(self, ref: str, years: list[Drawn], at: datetime) -> list[Values]:
        return [self._answer(yibao.EnrollmentId(ref, drawn.year), shown(at)) for drawn in years]

    def _answer(self, enrollment: yibao.EnrollmentId, at: str) -> Values:
        try:
            found = yibao.as_json(self.service.at(enrollment, at))
        except Exception as error:
            return {**dict.fromkeys(TOLD, repr(error)), "timeline": []}
        return {name: found[name] for name in TOLD}


def read(years: list[Drawn], at: datetime) -> list[Values]:
    """What the second reading answers, in the program's JSON."""
    person = [
        {"year": d.year, "edition": d.edition, "facts": d.facts, "fixes": d.fixes} for d in years
    ]
    return [as_json(answer) for answer in answers(person, at)]


def as_json(answer: Values) -> Values:
    told = dict(answer)
    if isinstance(told["waiting"], tuple):
        first, last, months = told["waiting"]
        told["waiting"] = {"from": str(first), "to": str(last), "months": months}
    if isinstance(told["coverage"], tuple):
        first, last = told["coverage"]
        told["coverage"] = {"from": str(first), "to": str(last)}
    if isinstance(told["account_built_on"], date):
        told["account_built_on"] = str(told["account_built_on"])
    if isinstance(told["evoucher_available_at"], datetime):
        told["evoucher_available_at"] = f"{told['evoucher_available_at'].isoformat()}+08:00"
    told["timeline"] = [
        {"at": f"{at.isoformat()}+08:00", "state": state} for at, state in told["timeline"]
    ]
    return told


# Where they differ


@dataclass(frozen=True)
class Difference:
    story: Story
    year: int
    program: Values
    reading: Values

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in TOLD if self.program[name] != self.reading[name])

    @property
    def looks(self) -> tuple[Any, ...]:
        """Where it is and what differs how, roughly: enough to tell what was often seen."""
        place = [drawn.year for drawn in self.story.years].index(self.year)
        rough = [
            str(each[name])[:4] for name in self.names for each in (self.program, self.reading)
        ]
        return (place, self.names, *rough)

    @property
    def kind(self) -> tuple[Any, ...]:
        """What makes two differences look alike: what differs, and of which facts it is made."""
        place = [drawn.year for drawn in self.story.years].index(self.year)
        made = [tuple(sorted(fact["do"] for fact in drawn.facts)) for drawn in self.story.years]
        said = [tuple(sorted(drawn.otherwise)) for drawn in self.story.years]
        return (place, self.names, tuple(made), tuple(said))

    def told(self) -> str:
        lines = [self.story.told()]
        for name in self.names:
            lines.append(f"  {self.year} {name}:")
            lines.append(f"    program {brief(self.program[name])}")
            lines.append(f"    reading {brief(self.reading[name])}")
        return "\n".join(lines)


def brief(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"{each['at'][:16]} {each['state']}" for each in value)
    return str(value)


def differing(story: Story) -> Difference | None:
    """The first year of a story about which the two differ, if there is one."""
    try:
        with Program(story.years) as program:
            program.fix(story.years)
            ref, heard = program.record(story.years)
            return _first(program, ref, heard, story.at)
    except yibao.YibaoError:
        return None


def _first(program: Program, ref: str, heard: list[Drawn], at: datetime) -> Difference | None:
    asked = zip(heard, read(heard, at), program.answers(ref, heard, at), strict=True)
    for drawn, reading, told in asked:
        if told != reading:
            return Difference(Story(heard, at), drawn.year, told, reading)
    return None


def shortest(found: Difference) -> Difference:
    """Drops years, facts, fixes and what editions say otherwise while the two still differ."""
    while True:
        for story in shorter(found.story):
            smaller = differing(story)
            if smaller:
                found = smaller
                break
        else:
            return found


def shorter(story: Story) -> Iterator[Story]:
    """Each story with one thing less."""
    for dropped in (0, len(story.years) - 1):
        if len(story.years) > 1:
            left = story.years[:dropped] + story.years[dropped + 1 :]
            yield replace(story, years=left)
    for place, drawn in enumerate(story.years):
        for part in ("facts", "fixes", "otherwise"):
            for less in less_of(getattr(drawn, part)):
                years = list(story.years)
                years[place] = replace(drawn, **{part: less})
                yield replace(story, years=years)


def less_of(part: Any) -> Iterator[Any]:
    if isinstance(part, list):
        for place in range(len(part)):
            yield part[:place] + part[place + 1 :]
    else:
        for key in part:
            yield {name: value for name, value in part.items() if name != key}
            if isinstance(part[key], dict):
                for less in less_of(part[key]):
                    if less:
                        yield part | {key: less}


# Drawing


def some_edition(draw: random.Random, year: int, *, plain: bool, entrants: bool) -> Values:
    """What an edition of that benefit year says otherwise."""
    said: Values = {}

    def maybe(chance: float, key: str, value: Any) -> None:
        if draw.random() < chance:
            said[key] = value

    maybe(0.3, "waiting_months_per_lapsed_year", draw.choice([0, 1, 2, 6]))
    maybe(0.2, "result_visible_after", draw.choice([0, 1, 600, 1440, 3000]))
    maybe(0.1, "proxy_result_visible_after", draw.choice([0, 2, 5]))
    maybe(0.2, "evoucher_counts_from", "account")
    maybe(0.2, "evoucher_opens_after", draw.choice([0, 2, 10]))
    maybe(0.2, "evoucher_hour", draw.choice([time(0), time(12), time(23, 59)]))
    maybe(0.1, "cover_after_account", draw.choice([0, 2, 15]))
    maybe(0.15, "window_opens", "registration_day")
    maybe(0.2, "window_closes_on", date(year, draw.choice([10, 11]), draw.choice([1, 15, 30])))
    maybe(0.2, "waiting_counts_from", date(year, draw.choice([8, 9, 10]), draw.choice([1, 15, 30])))
    maybe(0.15, "benefit_from", date(year, draw.choice([8, 9, 10]), draw.choice([1, 15])))
    if plain:
        return said
    if not entrants:
        said["for_students"] = draw.choice([["continuing"], ["entrants", "continuing"]])
        said["benefit_from"] = date(year, 1, 1)
    elif draw.random() < 0.3:
        # Nine cities' entrants are covered over one 1 January.
        said["benefit_year"] = year
        said |= {key: moved(autumn(year)[key]) for key in AUTUMN if key not in said}
        said["benefit_to"] = date(year, 12, 31)
        said["benefit_from"] = moved(said.get("benefit_from", date(year, 9, 1)))
    maybe(0.2, "waiting_repaired_per_year", draw.choice([1, 3, 6]))
    owed = {"lapsed_years": draw.choice([1, 2, 4]), "months": draw.choice([1, 3, 6, 12])}
    maybe(0.2, "waiting_floor", owed)
    kinds = draw.sample(["withdrawn", "graduated", "suspended"], draw.randint(1, 3))
    maybe(0.4, "cover_after_leaving", dict.fromkeys(kinds, "until_benefit_to"))
    maybe(0.4, "waiting_counts_from", "enrollment")
    by_payment = draw.random() < (0.4 if entrants else 0.85)
    if by_payment:
        said["enrolled_by"] = "payment"
    if by_payment or draw.random() < 0.15:
        said |= some_periods(draw, said.get("benefit_from", date(year, 9, 1)), date(year, 12, 31))
        said.pop("window_opens", None)
        said.pop("window_closes_on", None)
    return said


AUTUMN = ("autumn_from", "autumn_to", "window_opens", "window_closes_on", "waiting_counts_from")


def moved(value: Any) -> Any:
    """That day a year earlier."""
    return value if isinstance(value, str) else value.replace(year=value.year - 1)


def some_periods(draw: random.Random, begins: date, ends: date) -> Values:
    opens = begins + timedelta(days=draw.choice([-48, -60, -30, -10, 0]))
    lasts = timedelta(days=draw.choice([10, 30, 47]))
    said = {"concentrated_period": some_period(draw, opens, opens + lasts)}
    last = opens + lasts
    for name in PERIODS[1:]:
        if draw.random() < 0.6:
            opens = last + timedelta(days=draw.choice([1, 1, 1, 5]))
            closes = opens + timedelta(days=draw.choice([20, 60, 100]))
            last = min(ends if name == "late_period" and draw.random() < 0.6 else closes, ends)
            if opens <= last:
                said[name] = some_period(draw, opens, last)
    return said


def some_period(draw: random.Random, opens: date, closes: date) -> Values:
    ways = ["registration", "benefit_from", "enrollment_day", "day_after_enrollment"]
    ways += ["first_of_next_month", None]
    period: Values = {"opens": opens, "closes": closes}
    if draw.random() < 0.2:
        period["closes"] = datetime.combine(closes, time(15))
    how = draw.choice(ways)
    if how:
        period["cover_from"] = how
    if draw.random() < 0.3:
        period["fixed_waiting_months"] = draw.choice([1, 2, 3, 6])
    return period


def some_chain(draw: random.Random, most: int, *, plain: bool) -> list[Drawn]:
    """Editions of some years in a row, with what was fixed under them."""
    first = draw.choice([2024, 2025, 2026])
    chain = []
    for place in range(draw.randint(min(2, most), most)):
        entrants = place == 0 and draw.random() < 0.8
        said = some_edition(draw, first + place, plain=plain, entrants=entrants)
        drawn = Drawn(first + place, said)
        chain.append(replace(drawn, fixes=some_fixes(draw, drawn, plain=plain)))
    return chain


def some_fixes(draw: random.Random, drawn: Drawn, *, plain: bool) -> list[Values]:
    said = drawn.edition
    period = said.get("concentrated_period")
    closes = period["closes"] if period else said["window_closes_on"]
    closing = ending(closes).date()
    fixes = []
    while draw.random() < 0.25:
        on = closing + timedelta(days=draw.choice([-30, -10, -1, 0, 1, 10]))
        fix: Values = {"do": "fix_window", "at": instant(draw, closing), "closes_on": on}
        if not plain and draw.random() < 0.3:
            del fix["closes_on"]
            fix["closes_at"] = datetime.combine(on, time(15))
        if draw.random() < 0.3:
            fix["opens_on"] = on - timedelta(days=draw.choice([5, 20, 60]))
        if draw.random() < 0.4:
            fix["school"] = draw.choice(["sjtu", "ecnu"])
        if draw.random() < 0.3:
            fix["category"] = draw.choice(["undergraduate", "postgraduate"])
        fixes.append(fix)
    return fixes


def instant(draw: random.Random, on: date) -> datetime:
    return datetime.combine(on + timedelta(days=draw.choice(NEAR)), draw.choice(HOURS))


NEAR = [0, 0, 0, -1, 1, -2, 3, 30, -20]


def some_facts(draw: random.Random, chain: list[Drawn], place: int, entered: date) -> list[Values]:
    """What is recorded of a year, in the order of the stream, the registration first."""
    drawn, said = chain[place], chain[place].edition
    turns = turning(draw, drawn, entered)
    paper = draw.choice(["resident_id_card"] * 4 + ["passport"])
    register = {"do": "register", "at": datetime.combine(entered, time(8)), "on": entered}
    register |= {"school": "sjtu", "category": "undergraduate", "document": paper}
    facts: list[Values] = []

    def some(chance: float, kind: str, make: Callable[[], Values] = dict) -> None:
        while draw.random() < chance:
            facts.append({"do": kind, "at": instant(draw, draw.choice(turns)), **make()})
            chance /= 3

    some(0.6 if said.get("enrolled_by") != "payment" else 0.1, "confirm", lambda: way(draw))
    some(0.6, "verify_prior_coverage", lambda: some_check(draw, chain[place], turns))
    some(0.12, "declare_other_cover", lambda: {"kind": draw.choice(["employee", "employee"])})
    some(0.12, "stop_employee_cover", lambda: {"on": near(draw, turns)})
    some(0.12, "keep_other_cover")
    some(0.15, "build_account", lambda: {"on": near(draw, turns)})
    some(0.15, "activate_evoucher", lambda: {"channel": "app"})
    some(0.15, "withdraw", lambda: some_leaving(draw, said, turns))
    some(0.1, "change_school", lambda: {"school": "ecnu"})
    if said.get("enrolled_by") == "payment":
        some(0.6, "pay_premium", lambda: {"year": drawn.year})
    if place + 1 < len(chain):
        coming = turning(draw, chain[place + 1], entered)
        while draw.random() < 0.4:
            at = instant(draw, draw.choice(coming))
            facts.append({"do": "pay_premium", "at": at, "year": drawn.year + 1})
    draw.shuffle(facts)
    return [register, *facts]


def way(draw: random.Random) -> Values:
    return {"channel": draw.choice(["app", "app", "wechat", "proxy"])}


def near(draw: random.Random, turns: list[date]) -> date:
    return draw.choice(turns) + timedelta(days=draw.choice(NEAR))


def some_check(draw: random.Random, drawn: Drawn, turns: list[date]) -> Values:
    check: Values = {"lapsed_years": draw.choice([0, 0, 0, 1, 1, 2, 3])}
    if draw.random() < 0.2:
        check["waiting_ends_on"] = near(draw, turns)
    if "waiting_repaired_per_year" in drawn.otherwise and draw.random() < 0.5:
        check["years_repaid"] = draw.choice([0, 1, 2])
    return check


def some_leaving(draw: random.Random, said: Values, turns: list[date]) -> Values:
    leaving: Values = {"on": near(draw, turns)}
    if "cover_after_leaving" in said or draw.random() < 0.1:
        leaving["kind"] = draw.choice(["withdrawn", "graduated", "suspended"])
    return leaving if "cover_after_leaving" in said else {"on": leaving["on"]}


def turning(draw: random.Random, drawn: Drawn, entered: date) -> list[date]:
    """Days about which something turns in a year."""
    said = drawn.edition
    days = [said["benefit_from"], said["benefit_to"], said["benefit_to"] + DAY, entered]
    for name in PERIODS:
        if name in said:
            period = said[name]
            days += [starting(period["opens"]).date(), ending(period["closes"]).date()]
            days.append(days[-1] - timedelta(days=5))
    if "concentrated_period" not in said:
        days.append(said["window_closes_on"])
        if said["window_opens"] != "registration_day":
            days += [said["window_opens"].date()] * 3
    days = [day for day in days if day >= entered - timedelta(days=3)] or [entered]
    months = draw.choice([1, 3, 6])
    return [*days, last_of(days[0], months), draw.choice(days) + timedelta(days=15)]


def some_person(draw: random.Random, chain: list[Drawn]) -> list[Drawn]:
    said = chain[0].edition
    day = said["autumn_from"] + timedelta(days=draw.choice([0, 10, 29, 30, 31, 31, 35, 61, 90]))
    if "entrants" not in said.get("for_students", ["entrants"]):
        day = day.replace(year=day.year - draw.choice([1, 2]))
    years = []
    for place, drawn in enumerate(chain):
        entered = day
        if draw.random() < 0.1 and "entrants" in drawn.edition.get("for_students", ["entrants"]):
            entered = drawn.edition["autumn_from"] + timedelta(days=draw.choice([5, 31, 40]))
        facts = some_facts(draw, chain, place, entered) if draw.random() < 0.9 else []
        years.append(replace(drawn, facts=facts))
    return years


def some_instants(draw: random.Random, years: list[Drawn]) -> list[datetime]:
    entered = years[0].edition["autumn_from"]
    days = [day for drawn in years for day in turning(draw, drawn, entered)]
    days += [fact["at"].date() for drawn in years for fact in drawn.facts]
    return [instant(draw, draw.choice(days)) for _ in range(3)]


def batch(draw: random.Random, most: int, *, plain: bool) -> Iterator[Difference | None]:
    """Some people under one chain of editions; a difference, or None, for each that was asked."""
    chain = some_chain(draw, most, plain=plain)
    with Program(chain) as program:
        program.fix(chain)
        for _ in range(12):
            years = some_person(draw, chain)
            ref, heard = program.record(years)
            for at in some_instants(draw, years):
                found = _first(program, ref, heard, at)
                yield found
                if found:
                    break


@click.command()
@click.option("--minutes", default=1.0, show_default=True, help="how long to draw")
@click.option("--seed", default=0, show_default=True, help="where to begin")
@click.option("--years", default=4, show_default=True, help="how many years in a chain at most")
@click.option("--plain", is_flag=True, help="only what editions could say before R33")
@click.option("--most", default=20, show_default=True, help="stop after so many kinds")
def main(minutes: float, seed: int, years: int, plain: bool, most: int) -> None:
    """Draws for some minutes and tells each kind of difference once; 1 where there is one."""
    until = clocks.monotonic() + 60 * minutes
    asked, kinds, refused = 0, set[Any](), 0
    seen = Counter[Any]()
    while clocks.monotonic() < until and len(kinds) < most:
        draw = random.Random(seed)
        try:
            for found in batch(draw, years, plain=plain):
                asked += 1
                seen.update([found.looks] if found else ())
                if found and seen[found.looks] < 4:
                    least = shortest(differing(found.story) or found)
                    if least.kind not in kinds:
                        kinds.add(least.kind)
                        click.echo(f"\n{len(kinds)}. seed {seed}\n{least.told()}")
        except yibao.YibaoError as error:
            refused += 1
            if refused < 5:
                click.echo(f"seed {seed}: {error}")
        seed += 1
    differed = sum(seen.values())
    click.echo(f"\n{asked} asked, {differed} differ, {len(kinds)} kinds, {refused} chains refused")
    raise SystemExit(bool(kinds))


if __name__ == "__main__":
    main()
