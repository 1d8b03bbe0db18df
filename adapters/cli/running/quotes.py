"""Quotes for a student of a story or a store, or for anybody described by what is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import click

from yibao.adapters.cli.options import store_here
from yibao.adapters.cli.running.subjects import existing_store, years_asked
from yibao.adapters.editions import Editions
from yibao.adapters.service import Service, open_service
from yibao.adapters.store import MEMORY
from yibao.adapters.stories import Story, read_story, replay
from yibao.adapters.views import in_one_line
from yibao.domain.calendar import FIRST_YEAR, LAST_YEAR, midnight, read_day
from yibao.domain.care import Assessed
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId

_CARE = ("setting", "level", "cost", "on", "province")
#: What may be said beside each source; said beside another it would be silently ignored.
_BESIDE = {
    "story": ("student", "year"),
    "store": ("ref", "year"),
    "registered": (
        "confirmed",
        "lapsed_years",
        "employee_cover_stopped",
        "medical_card",
        "filed",
        "withdrawn",
    ),
}


def quoted(editions: Editions, **asked: Any) -> Assessed:
    """The quote that the options of `yibao quote` ask for."""
    care = {key: asked[key] for key in _CARE}
    with _someone(editions, asked) as (service, enrollment, at):
        return service.quote(enrollment, **care, at=asked["at"] or at, known_at=asked["known_at"])


@contextmanager
def _someone(
    editions: Editions, asked: dict[str, Any]
) -> Iterator[tuple[Service, EnrollmentId, datetime]]:
    """The service to ask, whom to ask about, and the instant to ask for."""
    end = _end_of(asked["on"])
    if not (asked["store"] or asked["story"] or asked["registered"]):
        asked = asked | {"store": store_here()}
    _check_options(asked)
    if asked["story"]:
        story = read_story(asked["story"], editions)
        names = list(story.students)
        name = asked["student"] or (names[0] if len(names) == 1 else None)
        if name not in names:
            raise click.UsageError(
                f"name a --student of this story: {in_one_line(', '.join(names))}"
            )
        enrollment = story.enrollment(name, _year_in(story, asked["year"], end.date()))
        with replay(story, editions).service as service:
            yield service, enrollment, max(end, story.latest_at)
    elif asked["store"]:
        with existing_store(asked["store"], editions) as service:
            yield service, EnrollmentId(asked["ref"], asked["year"]), end
    else:
        with open_service(
            MEMORY, policies=editions, by="quote", via="quote", clock=_end_of_time
        ) as service:
            yield service, _anybody(service, asked), end


def _check_options(asked: dict[str, Any]) -> None:
    """Raises UsageError for options that say nothing together, or not enough."""
    sources = [source for source in _BESIDE if asked[source]]
    if len(sources) != 1:
        raise click.UsageError("give one of --story, --store and --registered")
    for source, options in _BESIDE.items():
        for option in options:
            if option not in _BESIDE[sources[0]] and asked[option] is not None:
                named = option.replace("_", "-")
                raise click.UsageError(f"--{named} stands beside --{source}")
    if asked["store"] and not (asked["ref"] and asked["year"]):
        raise click.UsageError("--store needs --ref and --year")
    if asked["filed"] and not asked["province"]:
        raise click.UsageError("--filed needs the --province of the care")


def _year_in(story: Story, year: int | None, day: date) -> int | None:
    """The year that is named; else that of several whose benefit window holds the day."""
    if year is not None:
        if not story.tells_years:
            raise click.UsageError("--year stands beside --store")
        return years_asked(story, year)[0]
    for each, policy in story.policies.items():
        if policy.parameters.benefit_from.value <= day <= policy.parameters.benefit_to.value:
            return each
    return None


def _anybody(service: Service, asked: dict[str, Any]) -> EnrollmentId:
    """A student of whom only the options are known, each of them as a report."""
    day = _day(asked["registered"], "registered")
    begins = midnight(day)
    anybody = EnrollmentId("anybody", service.editions.get(asked["policy"]).year)
    service.register(
        "anybody",
        at=begins,
        policy=asked["policy"],
        on=day,
        school="any",
        category=asked["category"],
        document=asked["document"],
    )
    service.declare_roster(anybody, at=begins, observed=True)
    if asked["confirmed"]:
        service.confirm(anybody, at=asked["confirmed"], channel="app", observed=True)
    if asked["lapsed_years"] is not None:
        at = asked["confirmed"] or begins
        service.verify_prior_coverage(anybody, at=at, lapsed_years=asked["lapsed_years"])
    if asked["employee_cover_stopped"]:
        stopped = _day(asked["employee_cover_stopped"], "employee_cover_stopped")
        service.stop_employee_cover(anybody, at=midnight(stopped), on=stopped)
    if asked["medical_card"]:
        service.issue_medical_card(anybody, at=asked["medical_card"])
    if asked["filed"]:
        province = asked["province"]
        service.file_remote_care(anybody, at=asked["filed"], province=province, observed=True)
    if asked["withdrawn"]:
        left = _day(asked["withdrawn"], "withdrawn")
        service.withdraw(anybody, at=midnight(left), on=left, observed=True)
    return anybody


def _end_of(on: str) -> datetime:
    day = _day(on, "on")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadValue("on", f"the year must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return midnight(day) + timedelta(hours=23, minutes=59)


def _day(given: str, where: str) -> date:
    try:
        return read_day(given)
    except ValueError as error:
        raise BadValue(where, str(error)) from None


def _end_of_time() -> datetime:
    """What is only supposed may lie in the future."""
    return midnight(date(LAST_YEAR, 12, 31))
