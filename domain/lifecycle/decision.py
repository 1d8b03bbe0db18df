"""What a command leads to: events of its stream and of its edition's, or a refusal with a code.

Pure: the clock's stamp, the ids and the policy come in from outside. A request is judged by
the guards of the lifecycle table; a report is recorded all the same, unless a value in it can
never be right.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import cast

from yibao.domain.editions import Policy
from yibao.domain.facts import (
    EditionInUse,
    Envelope,
    Stream,
    check_version,
    commands,
    correction,
    edition_adopted,
    events,
    evolve,
    fact,
    void,
)
from yibao.domain.facts.commands import Command, Correct, RecordFact, Void
from yibao.domain.lifecycle.guards import Attempt, first_refusal, request
from yibao.domain.lifecycle.table import REFUSALS, refusals_of
from yibao.domain.refusals import BadValue, Code, NotPermitted
from yibao.domain.rules import Around, Case, WindowFix, confirmation_window, first_waiting_day
from yibao.domain.vocabulary import Category, OpenWord, edition_stream


def decide(
    stream: Stream,
    command: Command,
    edition: EditionInUse | None,
    envelope: Envelope,
    around: Callable[[], Around] = Around,
) -> list[events.Event]:
    """The events that a command leads to which was not answered before, in their order.

    `edition` is that of the current registration, or the one asked for; None where there is
    neither. `around` tells of the years beside that of the stream. The first use of the edition is
    recorded along. Raises NotPermitted with the first guard that refuses a request, and
    NotCorrectable, OutOfStep or BadValue for requests and reports alike.
    """
    along: list[events.Event] = []
    if edition and not edition.stream.version and _begins(command, edition, envelope):
        along = [edition_adopted(edition, envelope)]
        if along[0].originator_id == envelope.stream:
            stream = evolve(stream, along[0])
            if command.expected_version == 0:  # as its sender saw it, before the adoption
                command = command.model_copy(update={"expected_version": stream.version})
    check_version(stream, command)
    return [*along, _decided(stream, command, edition, envelope, around)]


def _begins(command: Command, edition: EditionInUse, envelope: Envelope) -> bool:
    """Whether an edition is used by it: by a registration, and by whatever is recorded of it."""
    of_the_edition = envelope.stream == edition_stream(edition.policy.edition)
    return of_the_edition or isinstance(command, commands.Register)


def _decided(
    stream: Stream,
    command: Command,
    edition: EditionInUse | None,
    envelope: Envelope,
    around: Callable[[], Around],
) -> events.Event:
    """The event of the command itself."""
    if isinstance(command, Void):
        return void(stream, command, envelope)
    if isinstance(command, Correct):
        event = correction(stream, command, envelope)
        _check_codes(event, edition)
        _check_values(stream, event, edition, around)
        return event
    assert isinstance(command, RecordFact)
    event = fact(stream, command, envelope)
    if edition is None:
        raise NotPermitted("not_registered")
    _check_codes(event, edition)
    _judge(stream, command, event, edition, around)
    _check_values(stream, event, edition, around)
    return event


def asks_for_the_window(command: Command) -> bool:
    """Whether judging a command depends on what was fixed under its edition."""
    if not isinstance(command, RecordFact) or command.observed or command.always_report:
        return False
    return not _ABOUT_THE_WINDOW.isdisjoint(REFUSALS[command.name])


#: Also what asks for the account: after a late confirmation there may be none (R10).
_ABOUT_THE_WINDOW = frozenset(
    {
        "window_not_open",
        "window_closed",
        "account_not_built",
        "evoucher_not_available",
        "evoucher_not_yet_available",
    }
)


def _judge(
    stream: Stream,
    command: RecordFact,
    event: events.Fact,
    edition: EditionInUse,
    around: Callable[[], Around],
) -> None:
    """Asks the guards of the table; hardly any of them holds up a report."""
    if isinstance(command, commands.FixWindow):
        return
    year_paid = command.year if isinstance(command, commands.PayPremium) else None
    enrolls = edition.policy.is_enrolled_by(year_paid)
    codes: tuple[Code, ...] = refusals_of(command.name, enrolls=enrolls)
    if command.observed or command.always_report:
        codes = tuple(code for code in codes if code in _REFUSE_REPORTS)
    if isinstance(command, commands.Register):
        attempted = evolve(stream, event)
        fact = attempted.facts[-1]
        attempt = Attempt(_case(attempted, edition, around), fact.moment, fact)
    else:
        attempt = request(_case(stream, edition, around), event.occurred_at)
    code = first_refusal(codes, attempt)
    if code is not None:
        raise NotPermitted(code)


_REFUSE_REPORTS: frozenset[Code] = frozenset(
    {"not_registered", "already_registered", "not_a_new_student"}
)


def _case(stream: Stream, edition: EditionInUse, around: Callable[[], Around]) -> Case:
    fixes = cast(Sequence[WindowFix], edition.stream.facts)
    before, following = around()
    return Case(
        edition.policy,
        stream.facts,
        fixes,
        stream.counting,
        before=before,
        following=following,
    )


def _check_codes(event: events.Fact, edition: EditionInUse | None) -> None:
    """Refuses a code that neither yibao knows nor the edition's words."""
    for where in _coded(type(event)):
        code = getattr(event, where)
        if edition and isinstance(code, OpenWord) and not edition.policy.knows(code):
            raise BadValue(where, f"Input should be {edition.policy.one_of(type(code))}")


@cache
def _coded(kind: type[events.Fact]) -> tuple[str, ...]:
    """The values of a kind of fact that may be words of an edition's own.

    To ask a model for a value that it has not is as dear as to judge the rest of a command.
    """
    return tuple(where for where in ("category", "document") if where in kind.model_fields)


def _check_values(
    stream: Stream,
    event: events.Fact,
    edition: EditionInUse | None,
    around: Callable[[], Around],
) -> None:
    """Refuses what can never be right in the light of the other facts, also in a report."""
    if edition is None:
        return
    policy = edition.policy
    if isinstance(event, events.PriorCoverageVerified) and event.waiting_ends_on:
        case = _case(evolve(stream, event), edition, around)
        if case.facts.registration is None or not policy.may_wait:
            return
        signed = case.episodes[-1].confirmation if case.episodes else None
        if event.waiting_ends_on < first_waiting_day(case, signed).value:
            raise BadValue("waiting_ends_on", "lies before the first day of the waiting period")
    if isinstance(event, events.WindowFixed):
        known = cast(Sequence[WindowFix], evolve(stream, event).facts)
        _check_window(known, event, edition.policy)


def _check_window(known: Sequence[WindowFix], event: events.WindowFixed, policy: Policy) -> None:
    """R8: it may neither close before the opening nor after the benefit year.

    Nor may it leave that to any school or category that is named, or to both together.
    """
    where = "closes_on" if event.closes_on else "closes_at"
    if event.closed_from and event.closed_from > policy.ends_at:
        raise BadValue(where, "lies after the benefit year")
    nearest = _nearest(known)
    schools = {None, *(fix.event.school for fix in known)}
    categories = {None, *(fix.event.category for fix in known)}
    for school, category in product(schools, categories):
        window = confirmation_window(
            policy,
            list(_fixes_for(school, category, nearest)),
            school,
            category,
            policy.parameters.autumn_from.value,
        )
        fixed = window.spans[0]
        if fixed.closed_from <= fixed.opens_at:
            if not event.closed_from:
                where = "opens_on" if event.opens_on else "opens_at"
            raise BadValue(where, "the window would close before it opens")


_Whose = tuple[str | None, Category | None]


def _nearest(known: Sequence[WindowFix]) -> Mapping[tuple[_Whose, bool], WindowFix]:
    """Of the fixes for the same school and category the latest that opens, and that closes."""
    found: dict[tuple[_Whose, bool], WindowFix] = {}
    for fix in sorted(known, key=lambda fix: fix.moment):
        whose = fix.event.school, fix.event.category
        found |= {(whose, True): fix} if fix.event.opens else {}
        found |= {(whose, False): fix} if fix.event.closed_from else {}
    return found


def _fixes_for(
    school: str | None, category: Category | None, nearest: Mapping[tuple[_Whose, bool], WindowFix]
) -> Iterator[WindowFix]:
    """The few fixes that the window of a school and category may rest on."""
    for whose in product({None, school}, {None, category}):
        for opens in (True, False):
            if fix := nearest.get((whose, opens)):
                yield fix
