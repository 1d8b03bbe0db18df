"""The table of roles: what each may, and of whom. It is data, and read by nobody else's rules."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from yibao.adapters.http.rights.who import Role, Who
from yibao.domain.facts.commands import ASKED

#: Whom something may be done about: oneself, the students of one's schools, or anybody.
Reach = Literal["own", "school", "all"]
#: What it is tied to: a report (`observed: true`), a reason that is given, an entry of one's own,
#: a fact that is not care, counts alone (of few with a reason), or a student named by her number.
Only = Literal[
    "observed", "reason", "own_entry", "not_care", "counts", "few_with_reason", "by_number"
]


class Grant(NamedTuple):
    """That a role may do something about some, maybe only so."""

    reach: Reach
    only: Only | None = None


S, O, C, B = Role.STUDENT, Role.OFFICER, Role.CLINIC, Role.BUREAU  # noqa: E741
A, K, P, T = Role.AUDITOR, Role.KEEPER, Role.PRIVACY, Role.OPERATOR

_OWN, _SCHOOL, _ALL = Grant("own"), Grant("school"), Grant("all")

#: What may be asked, beside the commands.
Question = Literal[
    "answer", "possible", "moments", "timeline", "quote", "dossier",
    "facts", "history", "compare",
    "cohort", "cohort_count", "audit", "accesses", "due", "what_if",
    "find_person", "person", "forget", "batches", "operate",
]  # fmt: skip
#: A question, a command by its name, or `confirm_by_proxy`.
What: TypeAlias = str

_ANSWERED: Final = {S: _OWN, O: _SCHOOL, C: _SCHOOL, B: _ALL, A: _ALL, K: _ALL}
_LOOKED_INTO: Final = {O: _SCHOOL, A: _ALL}
_BY_THE_SCHOOL: Final = {O: _SCHOOL}
_BY_HERSELF: Final = {S: _OWN, O: _SCHOOL, B: Grant("all", "observed")}
_BY_THE_BUREAU: Final = {O: _SCHOOL, B: _ALL}
_CARE: Final = {C: _SCHOOL, B: _ALL}
_AMENDED: Final = {
    O: Grant("school", "not_care"),
    C: Grant("school", "own_entry"),
    B: Grant("all", "own_entry"),
}

MAY: Final[Mapping[What, Mapping[Role, Grant]]] = {
    "answer": _ANSWERED,
    "possible": _ANSWERED,
    "moments": _ANSWERED,
    "timeline": {S: _OWN, O: _SCHOOL, A: _ALL},
    "quote": {S: _OWN, O: _SCHOOL, C: _SCHOOL},
    "dossier": {S: _OWN, O: _SCHOOL, A: _ALL},
    "facts": _LOOKED_INTO,
    "history": _LOOKED_INTO,
    "compare": _LOOKED_INTO,
    "register": _BY_THE_SCHOOL,
    "declare_roster": _BY_THE_SCHOOL,
    "change_school": _BY_THE_SCHOOL,
    "confirm_by_proxy": _BY_THE_SCHOOL,
    "withdraw": _BY_THE_SCHOOL,
    "pay_premium": _BY_THE_SCHOOL,
    "confirm": _BY_HERSELF,
    "activate_evoucher": _BY_HERSELF,
    "keep_other_cover": _BY_HERSELF,
    "file_remote_care": _BY_HERSELF,
    "verify_prior_coverage": _BY_THE_BUREAU,
    "build_account": _BY_THE_BUREAU,
    "issue_medical_card": _BY_THE_BUREAU,
    "declare_other_cover": _BY_THE_BUREAU,
    "stop_employee_cover": _BY_THE_BUREAU,
    "receive_care": _CARE,
    "settle_care": _CARE,
    "reverse_care": _CARE,
    "correct": _AMENDED,
    "void": _AMENDED,
    "fix_window": {K: _ALL},
    "batches": {O: _SCHOOL, B: _ALL},
    "what_if": {K: _ALL, A: Grant("all", "counts")},
    "cohort": {O: _SCHOOL, A: _ALL, K: _ALL},
    "cohort_count": {O: _SCHOOL, A: Grant("all", "few_with_reason"), K: _ALL},
    "due": {O: _SCHOOL, K: _ALL},
    "audit": {O: _SCHOOL, A: _ALL},
    "accesses": {A: _ALL, P: _ALL},
    "find_person": {O: _SCHOOL, C: Grant("school", "by_number"), A: Grant("all", "reason")},
    "person": {S: _OWN, O: _SCHOOL, A: Grant("all", "reason")},
    "forget": {P: _ALL},
    "operate": {T: _ALL},
}


def may(who: Who, what: What) -> tuple[Grant, ...]:
    """What of this somebody may do, about whomever; nothing where the roles never may."""
    granted = MAY[what]
    return tuple(granted[role] for role in Role if role in who.roles and role in granted)


def check_complete() -> None:
    """Raises TypeError where a question or a command is in nobody's row."""
    if lacking := {*get_args(Question), *ASKED} - MAY.keys():
        raise TypeError(f"the table of roles says nothing of: {', '.join(sorted(lacking))}")


check_complete()
