"""Which enrollment of a student a row is about: by the benefit year it names, else by its day."""

from collections.abc import Mapping
from datetime import date

from yibao.adapters.editions import Editions
from yibao.domain.editions import Policy
from yibao.domain.facts import Facts


def year_of_day(enrolled: Mapping[int, Facts], editions: Editions, day: date) -> int | None:
    """The latest benefit year that has begun by a day, its autumn counted in; else the first.

    `enrolled` are the years in which she is registered. None where there is none.
    """
    years = sorted(enrolled)
    begun = [year for year in years if _begins(_policy(enrolled[year], editions)) <= day]
    return next(iter([*begun[-1:], *years[:1]]), None)


def year_of_payment(enrolled: Mapping[int, Facts], editions: Editions, year: int) -> int | None:
    """In which year's stream the premium for a year is told; None where there is neither.

    That of the year itself where paying enrolls; else it is the next premium of the year before,
    or the first of a year with none before it.
    """
    if year in enrolled and _policy(enrolled[year], editions).enrolled_by_payment:
        return year
    return next((each for each in (year - 1, year) if each in enrolled), None)


def _policy(facts: Facts, editions: Editions) -> Policy:
    assert facts.registration is not None
    return editions.get(facts.registration.event.policy)


def _begins(policy: Policy) -> date:
    p = policy.parameters
    return p.autumn_from.value if policy.is_for("entrants") else p.benefit_from.value
