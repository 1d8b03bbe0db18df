"""Works out which answers stand by what was learned: over columns where many have one shape."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

from yibao.adapters.following.cohort.layout import EVER, FOREVER
from yibao.adapters.following.cohort.store import CODES_APART, CohortTransaction, Standing
from yibao.adapters.following.derived import number_of
from yibao.projections.cohort.learned import Fixes, Learned
from yibao.projections.cohort.shapes import (
    EditionOf,
    Row,
    Shape,
    editions_in,
    instant_of,
    known_of,
    packed,
)
from yibao.projections.cohort.spans import spans
from yibao.projections.discrepancies import discrepancies
from yibao.projections.record import EditionRecord, Knowledge

#: Of so many of a shape it is worked out over columns; fewer are quicker one by one.
MANY = 300

#: Instants of the law are counted from midnight in Shanghai, those of the tables from 1970 on.
SINCE_1970: Final = number_of(instant_of(0))


class Stood(NamedTuple):
    """What stands by something that was learned: the number of the group, codes and answers."""

    group: int
    codes: str
    answers: Sequence[Standing]


def has_columns() -> bool:
    """Whether what the columns are made of is installed (`yibao[analysis]`)."""
    return find_spec("numpy") is not None


def _since_1970(instants: Any) -> list[int]:
    """Instants as the tables have them; those outside stay."""
    inside = (instants != EVER) & (instants != FOREVER)
    instants[inside] += SINCE_1970
    return instants.tolist()  # type: ignore[no-any-return]


class Working:
    """Works out what stands, in a transaction by whose numbers groups and answers are told."""

    def __init__(self, transaction: CohortTransaction, edition_of: EditionOf) -> None:
        self._transaction = transaction
        self._edition_of = edition_of

    def stood(self, learned: Sequence[Learned]) -> list[Stood]:
        """What stands by each of what was learned."""
        found: list[Any] = [None] * len(learned)
        alike: dict[tuple[Shape, Fixes], list[int]] = defaultdict(list)
        for place, each in enumerate(learned):
            if each.shape is None:
                assert each.knowledge is not None
                found[place] = self._alone(each.knowledge)
            else:
                alike[each.shape, each.fixes].append(place)
        over_columns = has_columns()
        for (shape, fixes), places in alike.items():
            edition_of = self._editions(shape, fixes)
            some = [learned[place].numbers for place in places]
            if over_columns and len(some) >= MANY:
                told: Iterable[Stood] = self._together(shape, some, edition_of)
            else:
                told = (self._by_numbers(shape, each, edition_of) for each in some)
            for place, stands in zip(places, told, strict=True):
                found[place] = stands
        return found

    def _editions(self, shape: Shape, fixes: Fixes) -> EditionOf:
        """The editions of a shape as they were when windows were fixed so often."""
        times = dict(zip(editions_in(shape), fixes, strict=True))

        def edition_of(name: str) -> EditionRecord:
            return self._edition_of(name).after(times[name])

        return edition_of

    def _by_numbers(self, shape: Shape, numbers: Sequence[int], edition_of: EditionOf) -> Stood:
        return self._alone(known_of(shape, Row(numbers, self._transaction.words), edition_of))

    def _alone(self, knowledge: Knowledge) -> Stood:
        """What stands by what is known of one."""
        case = knowledge.case
        assert case is not None  # an enrollment begins with its registration
        whose = case.policy.edition, case.facts.latest_school, case.facts.category
        group = self._group(knowledge.enrollment.year, *whose)
        codes = CODES_APART.join(sorted({each.code for each in discrepancies(case)}))
        return Stood(
            group,
            codes,
            [
                (
                    EVER if span.begins_at is None else number_of(span.begins_at),
                    FOREVER if span.ends_at is None else number_of(span.ends_at),
                    group,
                    self._transaction.standing(span.state and str(span.state), span.next_step),
                    number_of(span.until) if span.until else None,
                )
                for span in spans(knowledge)
            ],
        )

    def _together(
        self, shape: Shape, some: Sequence[Sequence[int]], edition_of: EditionOf
    ) -> Iterator[Stood]:
        """What stands by what is known of many of one shape."""
        # Here, so that who has no numpy follows all the same.
        from yibao.projections.cohort.paths import Group, unpacked
        from yibao.projections.cohort.together import lines_of, marks_of

        assert shape.edition is not None
        words = self._transaction.words
        of_all = Group(shape, unpacked([*map(packed, some)]))
        marked, line = marks_of(of_all, words, edition_of), lines_of(of_all, words, edition_of)
        codes = [CODES_APART.join(each) for each in marked.refusals]
        standings = [
            self._transaction.standing(state and str(state), code) for state, code in line.answers
        ]
        whose = zip(marked.schools.tolist(), marked.categories.tolist(), strict=True)
        group_of = partial(self._group, shape.year, shape.edition)
        groups = [
            group_of(words.words[school], words.words[category]) for school, category in whose
        ]
        rows = line.rows.tolist()
        begins, ends, untils = map(_since_1970, (line.begins, line.ends, line.until))
        answers: list[list[Standing]] = [[] for _ in some]
        for row, begin, end, told, until in zip(
            rows, begins, ends, line.told.tolist(), untils, strict=True
        ):
            last = None if until == FOREVER else until
            answers[row].append((begin, end, groups[row], standings[told], last))
        for group, code, of_one in zip(groups, marked.codes.tolist(), answers, strict=True):
            yield Stood(group, codes[code], of_one)

    def _group(self, year: int, edition: str, school: str | None, category: Any) -> int:
        return self._transaction.group(year, edition, school, category and str(category))
