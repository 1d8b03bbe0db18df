"""One student by her number: who she is, and what holds in each of her benefit years."""

from datetime import date
from typing import Any, NamedTuple

from yibao.adapters.office.directory import Directory, Person
from yibao.adapters.office.season.lists import noon
from yibao.adapters.service import Service
from yibao.adapters.views.objects import as_json
from yibao.adapters.views.words import Language
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer


class Shown(NamedTuple):
    """A student of a school, with an answer for each benefit year, ascending."""

    person: Person
    answers: tuple[Answer, ...]

    def __repr__(self) -> str:
        return f"<Shown {self.person.ref}>"


def shown_by_number(
    service: Service,
    directory: Directory,
    school: str,
    number: str,
    on: date,
    *,
    by: str,
    reason: str | None = None,
) -> Shown | None:
    """Who has a number at a school, asked at 12:00 of a day, by all that is known.

    None where nobody has it, and where she is at another school by now. Raises as
    `Directory.find`, what `service.at` does, and StoreError.
    """
    ref = directory.find(school, number, by=by, reason=reason)
    if ref is None:
        return None
    at = noon(on)
    years = service.enrollments(ref)
    answers = tuple(service.at(EnrollmentId(ref, year), at) for year in years)
    if not answers or answers[-1].school != school:
        return None
    entry = directory.person(ref, by=by, reason=reason)
    return entry and Shown(Person(ref, entry), answers)


def shown_json(shown: Shown, lang: Language | None = None) -> dict[str, Any]:
    """A student as plain JSON values, her answers as `yibao.as_json` tells them."""
    ref, entry = shown.person
    return {
        "ref": ref,
        "student_name": entry.name,
        "student_number": entry.number,
        "school": entry.school,
        "answers": [as_json(answer, lang) for answer in shown.answers],
    }
