"""Who has to do what next, where, from when and until when (R32)?

One function for each step tells whether it stands at an instant; their order is the priority.
A date is `estimated` where it rests on an assumption, and the answer then names whom to ask.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from yibao.domain.calendar import day_after, latest, midnight
from yibao.domain.care import Assessed, filing_for
from yibao.domain.derivation import Derived, rests_on_assumption
from yibao.domain.editions import Parameter
from yibao.domain.facts import (
    Confirmation,
    Current,
    Episode,
    clamped,
    end_of_stream,
    events,
    is_proxy,
    last_by,
)
from yibao.domain.kept import kept
from yibao.domain.lifecycle import first_refusal, request
from yibao.domain.rules import (
    Case,
    Values,
    WindowFix,
    account_instant,
    evoucher_eligible_at,
    has_document_without_evoucher,
    values_of,
    visible_at,
    waiting_before_joining,
)
from yibao.domain.vocabulary import State, WaitingPeriod


class NextStep(NamedTuple):
    """One thing to do or to wait for. Times are instants; `until` is the first one too late.

    Of a payment that enrolls, `amount` is how many yuan, and `fixed_waiting_months` how long one
    waits for joining then, whatever lapsed before (R35).
    """

    code: str
    who: str
    where: tuple[str, ...] = ()
    begins_at: datetime | None = None
    until: datetime | None = None
    estimated: bool = False
    ask: tuple[str, ...] = ()
    amount: Decimal | None = None
    fixed_waiting_months: int | None = None


class _Situation:
    """The case at the instant asked about: what has happened by then counts as done.

    What follows from the confirmation in force, if there is one, is derived where a step asks.
    """

    def __init__(self, case: Case, at: datetime, care: Sequence[Assessed]) -> None:
        self.case, self.at, self.care = case, at, care
        self.moment = end_of_stream(at)

    @kept
    def _episode(self) -> Episode | None:
        return _episode_at(self.case, self.at)

    @property
    def confirmation(self) -> Confirmation | None:
        return self._episode.confirmation if self._episode else None

    @kept
    def _values(self) -> Values | None:
        return values_of(self.case, self._episode) if self._episode else None

    @kept
    def waiting(self) -> WaitingPeriod | None:
        known = self._values
        waiting = known.waiting if known else waiting_before_joining(self.case)
        value = waiting.value if waiting else None
        return value if isinstance(value, WaitingPeriod) else None

    @kept
    def _built(self) -> Derived[datetime] | None:
        if self._episode is None or self._values is None:
            return None
        account = self._values.account_built_on
        return account_instant(self.case, self._episode.confirmation, account)

    @property
    def built_at(self) -> datetime | None:
        """When the account is built, as it follows from the confirmation."""
        return self._built.value if self._built else None

    @kept
    def opens_at(self) -> datetime | None:
        """When the e-voucher opens, as it follows from the confirmation."""
        if self._built is None or self._values is None:
            return None
        opens = evoucher_eligible_at(self.case, self._values.evoucher_available_at, self._built)
        return opens.value if opens else None

    @property
    def opening_is_assumed(self) -> bool:
        """Whether the instant at which the e-voucher opens rests on an assumption."""
        known = self._values
        return known is not None and rests_on_assumption(
            known.evoucher_available_at, self.case.policy
        )

    @property
    def ask(self) -> tuple[str, ...]:
        """Whom to ask about insurance: the hotline, in the city and from elsewhere (R32)."""
        p = self.case.policy.parameters
        return p.insurance_hotline.value, p.insurance_hotline_elsewhere.value

    def done(self, facts: Sequence[Current[Any]]) -> bool:
        """Whether one of these facts, which are in order, happened by the instant asked about."""
        return bool(facts) and facts[0].at <= self.at

    def is_ahead(self, assessed: Assessed) -> bool:
        """Whether a piece of care is one of a day to come."""
        return midnight(assessed.care.fact.event.on) > self.at


def next_steps(
    case: Case, at: datetime, state: State | None, care: Sequence[Assessed] = ()
) -> tuple[NextStep, ...]:
    """The steps that stand at an instant, the most urgent first; none where nothing is to do."""
    return tuple(standing(case, at, state, care))


def standing(
    case: Case, at: datetime, state: State | None, care: Sequence[Assessed] = ()
) -> Iterator[NextStep]:
    """The same, each looked for when it is asked for."""
    if case.facts.registration is None:
        return
    questions = _QUESTIONS
    if at >= case.policy.ends_at:
        questions = (_claim_care, _pay_next_premium)
    if state is State.OPTED_OUT:
        joining = (_confirm, _claim_care, _pay_premium)
        questions = joining if at < case.policy.ends_at else (_claim_care,)
    if state is State.LAPSED:
        questions = (_claim_care, _pay_premium)
    if state is State.WITHDRAWN:
        questions = (_claim_care,)
    situation = _Situation(case, at, care)
    for question in questions:
        if step := question(situation):
            yield step


def _episode_at(case: Case, at: datetime) -> Episode | None:
    """The time on the main road that an instant falls into."""
    for episode in case.episodes:
        begins = clamped(episode.confirmation.at, case.registration)
        if begins <= at and (episode.opt_out is None or at < episode.opt_out.at):
            return episode
    return None


def _await_registration_day(now: _Situation) -> NextStep | None:
    begins = midnight(now.case.registered_on)
    if now.at < begins:
        return NextStep("await_registration_day", "student", ("school",), until=begins)
    return None


def _await_roster_declaration(now: _Situation) -> NextStep | None:
    if now.confirmation is None and not _roster_declared(now):
        return NextStep("await_roster_declaration", "school", ("school",))
    return None


def _await_window(now: _Situation) -> NextStep | None:
    window = now.case.window_at(now.moment)
    if now.confirmation is None and _roster_declared(now) and now.at < window.opens_at:
        return NextStep(
            "await_window",
            "student",
            ("school",),
            until=window.opens_at,
            estimated=_is_assumed(window.opened_by),
            ask=now.ask,
        )
    return None


def _stop_employee_cover(now: _Situation) -> NextStep | None:
    latest = last_by(now.case.employee_cover, now.moment)
    if latest and isinstance(latest.event, events.OtherCoverDeclared):
        return NextStep(
            "stop_employee_cover", "student", ("employee_insurance_bureau",), latest.at, ask=now.ask
        )
    return None


def _confirm(now: _Situation) -> NextStep | None:
    if now.case.policy.enrolled_by_payment:
        return None
    span = now.case.window_at(now.moment).span_at(now.at)
    if now.confirmation is None and _roster_declared(now) and span:
        return NextStep(
            "confirm",
            "student",
            now.case.policy.parameters.confirmation_places.value,
            latest(span.opens_at, midnight(now.case.registered_on)),
            span.closed_from,
            _is_assumed(span.closed_by),
            now.ask,
        )
    return None


def _await_check_result(now: _Situation) -> NextStep | None:
    if now.confirmation and not _needs_no_check(now):
        shows = visible_at(now.case, now.confirmation).value
        if now.at < shows:
            who, where = _who_looks(now.case, now.confirmation)
            return NextStep("await_check_result", who, where, None, shows, True, now.ask)
    return None


def _look_at_result(now: _Situation) -> NextStep | None:
    """R17: from the visible instant; R18: again once the waiting period is over.

    Under an edition without checks an account or an e-voucher tells that somebody has looked.
    """
    if now.confirmation is None or _needs_no_check(now):
        return None
    facts = now.case.facts
    has_account = now.done(facts.accounts) or now.done(now.case.activations)
    begins = visible_at(now.case, now.confirmation).value
    if not now.case.policy.knows_waiting_periods:
        if has_account:
            return None
    elif now.done(facts.checks):
        if now.waiting is None or has_account:
            return None
        begins = latest(begins, midnight(day_after(now.waiting.last)))
    if now.at >= begins:
        who, where = _who_looks(now.case, now.confirmation)
        return NextStep("look_at_result", who, where, begins, None, True, now.ask)
    return None


def _await_waiting_period(now: _Situation) -> NextStep | None:
    if now.waiting:
        over = midnight(day_after(now.waiting.last))
        if now.at < over:
            begins, derived = midnight(now.waiting.first), now.waiting.months is not None
            return NextStep("await_waiting_period", "student", (), begins, over, derived, now.ask)
    return None


def _await_evoucher(now: _Situation) -> NextStep | None:
    if now.built_at and now.opens_at and now.built_at <= now.at < now.opens_at:
        return NextStep(
            "await_evoucher",
            "student",
            (),
            now.built_at,
            now.opens_at,
            now.opening_is_assumed,
            now.ask,
        )
    return None


def _activate_evoucher(now: _Situation) -> NextStep | None:
    opened = now.opens_at is not None and now.at >= now.opens_at
    if opened and not now.done(now.case.activations):
        places = now.case.policy.parameters.activation_places.value
        return NextStep(
            "activate_evoucher",
            "student",
            places,
            now.opens_at,
            estimated=now.opening_is_assumed,
            ask=now.ask,
        )
    return None


def _try_evoucher_or_get_medical_card(now: _Situation) -> NextStep | None:
    case, p = now.case, now.case.policy.parameters
    if not has_document_without_evoucher(case):
        return None
    built = now.built_at is not None and now.at >= now.built_at
    if built and not now.done(case.activations) and not now.done(case.cards):
        where = (*p.activation_places.value, "service_office")
        return NextStep(
            "try_evoucher_or_get_medical_card", "student", where, now.built_at, ask=now.ask
        )
    return None


def _file_remote_care(now: _Situation) -> NextStep | None:
    """R31, R32: from the day of care in a province that was refused for want of a filing."""
    for assessed in filter(_LACKS_FILING, now.care):
        filing = filing_for(now.case, assessed.care.fact.event.province)
        if not now.is_ahead(assessed) and not now.done([filing] if filing else ()):
            benefits = now.case.policy.benefits
            places = benefits.remote_filing_places.value if benefits else ()
            begins = midnight(assessed.care.fact.event.on)
            return NextStep("file_remote_care", "student", places, begins, ask=now.ask)
    return None


def _claim_care(now: _Situation) -> NextStep | None:
    """R31: care that was paid first is claimed, here as after care in another province."""
    for assessed in filter(_TO_CLAIM, now.care):
        settled = assessed.care.settled
        is_open = settled is None or settled.occurred_at > now.at
        if is_open and not now.is_ahead(assessed):
            benefits = now.case.policy.benefits
            places = benefits.claim_places.value if benefits else ()
            begins = midnight(assessed.care.fact.event.on)
            return NextStep("claim_care", "student", places, begins, ask=now.ask)
    return None


def _pay_next_premium(now: _Situation) -> NextStep | None:
    """R11: amount, place and deadline are in neither notice; the school announces them.

    Once the student is registered for the next year, that year tells what there is to pay.
    """
    if now.confirmation is None:
        return None
    year = now.case.policy.year + 1
    paid: Sequence[Current[Any]] = now.case.facts.payments(year)
    if following := now.case.following:
        paid = [*paid, *following.payments(year), *following.registrations]
    if any(fact.at <= now.at for fact in paid):
        return None
    return NextStep("pay_next_premium", "student", ("school",))


def _pay_premium(now: _Situation) -> NextStep | None:
    """R34, R35: while a period is open or to come, and what joining costs in it."""
    policy, p = now.case.policy, now.case.policy.parameters
    if not policy.enrolled_by_payment or now.confirmation:
        return None
    span = now.case.window_at(now.moment).next_span(now.at)
    if span is None:
        return None
    return NextStep(
        "pay_premium",
        "student",
        p.confirmation_places.value,
        span.opens_at,
        span.closed_from,
        _is_assumed(span.closed_by),
        now.ask,
        (p.premium or p.first_premium).value,
        span.fixed_waiting_months,
    )


def _needs_no_check(now: _Situation) -> bool:
    """R33: who was enrolled in the year before has no result to wait for."""
    before = now.case.before
    return before is not None and before.enrolled is not None


def _roster_declared(now: _Situation) -> bool:
    return first_refusal(("roster_not_declared",), request(now.case, now.at)) is None


def _is_assumed(end: WindowFix | Parameter[Any]) -> bool:
    """A provisional end of the window is an estimate until a fact fixes it."""
    return isinstance(end, Parameter) and end.basis == "assumed"


def _who_looks(case: Case, confirmation: Confirmation) -> tuple[str, tuple[str, ...]]:
    """A proxy's result shows to the school's officer, who must tell the student (R17)."""
    if is_proxy(confirmation):
        return "officer", ("one_stop_site",)
    return "student", case.policy.parameters.confirmation_places.value


# Asked of every piece of care at every instant, so kept with it and told apart without a step.
_LACKS_FILING = attrgetter("lacks_filing")
_TO_CLAIM = attrgetter("to_claim")

_Question = Callable[[_Situation], NextStep | None]

#: In order of priority.
_QUESTIONS: tuple[_Question, ...] = (
    _await_registration_day,
    _await_roster_declaration,
    _await_window,
    _stop_employee_cover,
    _confirm,
    _await_check_result,
    _look_at_result,
    _await_waiting_period,
    _await_evoucher,
    _activate_evoucher,
    _try_evoucher_or_get_medical_card,
    _file_remote_care,
    _claim_care,
    _pay_next_premium,
    _pay_premium,
)

#: The codes of all steps, in order of priority.
CODES: tuple[str, ...] = tuple(question.__name__.removeprefix("_") for question in _QUESTIONS)
