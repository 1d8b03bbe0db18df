"""The state machine of an enrollment, declared once.

Each step is caused by a command or falls due at a derived instant. Commands list the refusals
that forbid them, in the order in which they are tested; a report passes all the same. The
table is checked when it is imported, since `transitions` accepts misspelt names silently, and
compiled into dictionaries, since a machine for each enrollment would be slow and large.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from transitions import Machine

from yibao.domain.facts.commands import COMMANDS
from yibao.domain.facts.events import StreamKind
from yibao.domain.lifecycle.guards import GUARDS
from yibao.domain.refusals import Code
from yibao.domain.vocabulary import State

#: The state before the registration day; it is no answer, and questions tell it as None.
UNREGISTERED: Final = "unregistered"

MAIN_ROAD: Final = (
    State.REGISTERED,
    State.CONFIRMED,
    State.IN_WAITING_PERIOD,
    State.ACCOUNT_BUILT,
    State.EVOUCHER_ELIGIBLE,
    State.ACTIVE,
)


@dataclass(frozen=True)
class Transition:
    """A row of the table.

    `due` tells when a time-driven step happens; it is None for a command. `dest` None means
    that the step leaves the state as it is. `unless` holds the refusals, in order.
    """

    trigger: str
    source: tuple[str, ...]
    dest: str | None
    unless: tuple[Code, ...] = ()
    due: str | None = None


_ON_THE_ROAD = tuple(state.value for state in MAIN_ROAD)
_CONFIRMED = _ON_THE_ROAD[1:]
_INSIDE = (*_ON_THE_ROAD, State.OPTED_OUT.value, State.LAPSED.value)
_EVERYWHERE = (*_INSIDE, State.EXPIRED.value, State.WITHDRAWN.value)
_STUDENT: Final[tuple[Code, ...]] = ("not_registered", "withdrawn")

#: What commands do.
COMMANDED: Final = (
    Transition(
        "register", (UNREGISTERED,), State.REGISTERED, ("already_registered", "not_a_new_student")
    ),
    Transition(
        "confirm",
        (State.REGISTERED, State.OPTED_OUT, State.LAPSED),
        State.CONFIRMED,
        (
            *_STUDENT,
            "enrolled_by_payment",
            "already_confirmed",
            "before_registration",
            "window_not_open",
            "window_closed",
            "roster_not_declared",
        ),
    ),
    # Of a payment that enrolls (R34); any other leaves the state as it is, see `refusals_of`.
    Transition(
        "pay_premium",
        (State.REGISTERED, State.OPTED_OUT, State.LAPSED),
        State.CONFIRMED,
        (
            *_STUDENT,
            "already_confirmed",
            "before_registration",
            "window_not_open",
            "window_closed",
            "roster_not_declared",
        ),
    ),
    Transition(
        "keep_other_cover",
        (*_ON_THE_ROAD, State.LAPSED),
        State.OPTED_OUT,
        (
            *_STUDENT,
            "already_confirmed",
            "before_registration",
            "window_closed",
            "no_other_cover",
        ),
    ),
    Transition("withdraw", _INSIDE, State.WITHDRAWN, _STUDENT),
    Transition("declare_roster", _EVERYWHERE, None, _STUDENT),
    Transition("change_school", _EVERYWHERE, None, _STUDENT),
    Transition("declare_other_cover", _EVERYWHERE, None, _STUDENT),
    Transition("stop_employee_cover", _EVERYWHERE, None, _STUDENT),
    Transition("verify_prior_coverage", _EVERYWHERE, None, _STUDENT),
    Transition("build_account", _EVERYWHERE, None, (*_STUDENT, "not_confirmed")),
    Transition(
        "activate_evoucher",
        _EVERYWHERE,
        None,
        (
            *_STUDENT,
            "not_confirmed",
            "opted_out",
            "account_not_built",
            "evoucher_not_available",
            "evoucher_not_yet_available",
        ),
    ),
    Transition("issue_medical_card", _EVERYWHERE, None, _STUDENT),
    Transition("file_remote_care", _EVERYWHERE, None, _STUDENT),
    Transition("receive_care", _EVERYWHERE, None, ("not_registered",)),
)

#: What time does (R24, R25), in the order in which steps of one instant are taken.
TIME_DRIVEN: Final = (
    Transition(
        "window_closes",
        (State.REGISTERED,),
        State.LAPSED,
        due="00:00 after the window's last day",
    ),
    Transition(
        "waiting_period_shows",
        (State.CONFIRMED,),
        State.IN_WAITING_PERIOD,
        due="the later of the visible instant and the check, before the day after waiting",
    ),
    Transition(
        "account_is_built",
        (State.CONFIRMED, State.IN_WAITING_PERIOD),
        State.ACCOUNT_BUILT,
        due="the later of the visible instant, the check and 00:00 of the account day",
    ),
    Transition(
        "evoucher_opens",
        (State.ACCOUNT_BUILT,),
        State.EVOUCHER_ELIGIBLE,
        due="the later of the e-voucher's and the account's instant",
    ),
    Transition(
        "cover_begins",
        (State.ACCOUNT_BUILT, State.EVOUCHER_ELIGIBLE),
        State.ACTIVE,
        due="the latest of 00:00 of the window's first day, the account and the e-voucher",
    ),
    Transition(
        "benefit_year_ends",
        _CONFIRMED,
        State.EXPIRED,
        due="00:00 on the day after the benefit year",
    ),
)

TABLE: Final = COMMANDED + TIME_DRIVEN


def build_machine(machine_class: type[Machine] = Machine, **options: Any) -> Machine:
    """The table as a `transitions` machine: the source of the compiled steps and the diagram."""
    states = [UNREGISTERED, *(state.value for state in State)]
    machine = machine_class(
        model=None, states=states, initial=UNREGISTERED, auto_transitions=False, **options
    )
    for step in TABLE:
        _check(step, states)
        machine.add_transition(
            step.trigger,
            [str(source) for source in step.source],
            str(step.dest) if step.dest else None,
            unless=list(step.unless),
        )
    return machine


def _check(step: Transition, states: list[str]) -> None:
    """Refuses a row that names a state or a guard which does not exist."""
    for state in (*step.source, *((step.dest,) if step.dest else ())):
        if state not in states:
            raise ValueError(f"step {step.trigger!r} names an unknown state {state!r}")
    for code in step.unless:
        if code not in GUARDS:
            raise ValueError(f"step {step.trigger!r} names an unknown guard {code!r}")


def _compile(machine: Machine) -> tuple[dict[tuple[str, str], State], dict[str, tuple[Code, ...]]]:
    """The machine as two dictionaries: (state, trigger) to state, and trigger to its refusals."""
    steps: dict[tuple[str, str], State] = {}
    refusals: dict[str, tuple[Code, ...]] = {}
    for trigger, event in machine.events.items():
        for source, transitions in event.transitions.items():
            for transition in transitions:
                if transition.dest is not None:
                    steps[source, trigger] = State(transition.dest)
                refusals[trigger] = tuple(
                    cast(Code, condition.func)
                    for condition in transition.conditions
                    if not condition.target
                )
    return steps, refusals


def check_commands(rows: Sequence[Transition]) -> None:
    """Refuses a command of a student without a row, and a row that is no such command's."""
    have = {row.trigger for row in rows}
    need = {n for n, kind in COMMANDS.items() if kind.fact.stands_in is not StreamKind.EDITION}
    for name in sorted(need - have):
        raise ValueError(f"`{name}` has no row in the table of the lifecycle")
    for name in sorted(have - need):
        raise ValueError(f"the table of the lifecycle has a row for `{name}`, which is no command")


check_commands(COMMANDED)
#: (state, trigger) → state; and trigger → the codes that refuse it, in order.
STEPS, REFUSALS = _compile(build_machine())


def refusals_of(name: str, *, enrolls: bool) -> tuple[Code, ...]:
    """The codes that refuse a command, in order; a payment that enrolls is judged as such (R34)."""
    return _STUDENT if name == "pay_premium" and not enrolls else REFUSALS[name]


def mermaid() -> str:
    """The state diagram in Mermaid, drawn from the table without the steps that change nothing."""
    from transitions.extensions import GraphMachine  # slow to import, and needed only here

    machine = build_machine(
        GraphMachine, graph_engine="mermaid", title="The lifecycle of an enrollment"
    )
    for trigger, event in list(machine.events.items()):
        for source, transitions in list(event.transitions.items()):
            event.transitions[source] = [t for t in transitions if t.dest is not None]
        if not any(event.transitions.values()):
            del machine.events[trigger]
    return str(machine.graph_cls(machine).get_graph().source)
