"""The matrix of roles: each cell is tried, for one's own school and for another."""

from collections.abc import Callable
from itertools import count
from typing import Any, Final

import pytest

import yibao
from yibao.adapters.http.rights import MAY, Role

from ..helpers.web import REGISTRATION, Web

ROLES: Final = (
    "student",
    "officer",
    "clinic",
    "bureau",
    "auditor",
    "keeper",
    "privacy",
    "operator",
)
#: As the page of the roles has it, a cell for each of these: `own` is oneself or one's school.
MATRIX: Final[dict[str, str]] = {
    #                    S    O    C    B    A    K    P    T
    "answer":           "own  own  own  all  all  all  no   no",
    "possible":         "own  own  own  all  all  all  no   no",
    "moments":          "own  own  own  all  all  all  no   no",
    "timeline":         "own  own  no   no   all  no   no   no",
    "quote":            "own  own  own  no   no   no   no   no",
    "dossier":          "own  own  no   no   all  no   no   no",
    "facts":            "no   own  no   no   all  no   no   no",
    "history":          "no   own  no   no   all  no   no   no",
    "compare":          "no   own  no   no   all  no   no   no",
    "register":         "no   own  no   no   no   no   no   no",
    "declare_roster":   "no   own  no   no   no   no   no   no",
    "change_school":    "no   own  no   no   no   no   no   no",
    "confirm_by_proxy": "no   own  no   no   no   no   no   no",
    "withdraw":         "no   own  no   no   no   no   no   no",
    "pay_premium":      "no   own  no   no   no   no   no   no",
    "confirm":          "own  own  no   seen no   no   no   no",
    "activate_evoucher":"own  own  no   seen no   no   no   no",
    "keep_other_cover": "own  own  no   seen no   no   no   no",
    "file_remote_care": "own  own  no   seen no   no   no   no",
    "verify_prior_coverage": "no own no all  no   no   no   no",
    "build_account":    "no   own  no   all  no   no   no   no",
    "issue_medical_card": "no own  no   all  no   no   no   no",
    "declare_other_cover": "no own no   all  no   no   no   no",
    "stop_employee_cover": "no own no   all  no   no   no   no",
    "receive_care":     "no   no   own  all  no   no   no   no",
    "settle_care":      "no   no   own  all  no   no   no   no",
    "reverse_care":     "no   no   own  all  no   no   no   no",
    "correct":          "no   own  mine mine no   no   no   no",
    "void":             "no   own  mine mine no   no   no   no",
    "fix_window":       "no   no   no   no   no   all  no   no",
    "what_if":          "no   no   no   no   all  all  no   no",
    "cohort":           "no   own  no   no   all  all  no   no",
    "cohort_count":     "no   own  no   no   all  all  no   no",
    "due":              "no   own  no   no   no   all  no   no",
    "audit":            "no   own  no   no   all  no   no   no",
    "accesses":         "no   no   no   no   all  no   all  no",
    "find_person":      "no   own  own  no   all  no   no   no",
    "person":           "own  own  no   no   all  no   no   no",
    "forget":           "no   no   no   no   no   no   all  no",
    "batches":          "no   own  no   all  no   no   no   no",
    "operate":          "no   no   no   no   no   no   no   all",
}  # fmt: skip
CELLS: Final = [
    (what, role, cell)
    for what, row in MATRIX.items()
    for role, cell in zip(ROLES, row.split(), strict=True)
]
BODIES: Final[dict[str, dict[str, Any]]] = {
    "change_school": {"school": "sjtu"},
    "confirm_by_proxy": {"at": "2025-09-06 14:20", "channel": "proxy"},
    "confirm": {"at": "2025-09-06 14:20", "channel": "app"},
    "withdraw": {"on": "2025-12-20"},
    "pay_premium": {"year": 2026},
    "activate_evoucher": {"channel": "alipay"},
    "file_remote_care": {"province": "jiangsu"},
    "verify_prior_coverage": {"lapsed_years": 0},
    "build_account": {"on": "2025-09-07"},
    "declare_other_cover": {"kind": "employee"},
    "stop_employee_cover": {"on": "2025-10-10"},
    "receive_care": {"on": "2025-09-03", "setting": "campus_clinic", "cost": "1.00"},
    "correct": {"reason": "sheet-misread"},
    "void": {"reason": "sheet-misread"},
}
QUERIES: Final[dict[str, dict[str, Any]]] = {
    "compare": {"then": "0"},
    "quote": {"on": "2025-10-01", "setting": "campus_clinic", "cost": "1.00"},
}
_refs: Final = count(1)


def test_the_table_is_this_matrix() -> None:
    assert MAY.keys() == MATRIX.keys()
    for what, role, cell in CELLS:
        granted = MAY[what].get(Role(role))
        reach = "no" if granted is None else "all" if granted.reach == "all" else "own"
        expected = {"seen": "all", "mine": "all" if role == "bureau" else "own"}.get(cell, cell)
        assert reach == expected, (what, role)


@pytest.fixture(scope="module")
def hers(small: Web) -> dict[str, str]:
    """A student of either school, at whom one may look."""
    small.student("sjtu", "ada")
    small.student("fdu", "bea")
    return {"own": "ada", "other": "bea"}


@pytest.fixture
def fresh(small: Web) -> Callable[[str], str]:
    """Another student of a school, in whose name somebody may be the student."""

    def made(school: str) -> str:
        return small.student(school, f"fresh-{next(_refs)}")

    return made


def statuses(cell: str) -> tuple[int, int]:
    """What is answered about one's own and about the other, as its hundreds, or exactly."""
    return {"no": (403, 403), "own": (2, 404), "all": (2, 2), "seen": (403, 403)}[cell]


def check(found: Any, expected: int, *, may_be_refused: bool = False) -> None:
    got = found.status_code
    if expected == 2:
        assert got // 100 == 2 or (may_be_refused and got == 409), found.text
    else:
        assert got == expected, found.text


QUESTIONS = ("answer", "possible", "moments", "timeline", "quote", "dossier", "facts", "history",
             "compare")  # fmt: skip


@pytest.mark.parametrize(("what", "role", "cell"), [each for each in CELLS if each[0] in QUESTIONS])
def test_who_may_ask_about_a_student(
    small: Web, hers: dict[str, str], what: str, role: str, cell: str
) -> None:
    tails = {"answer": "", "timeline": "/timeline.svg", "history": "/history/state"}
    tail = tails.get(what, f"/{what}")
    for whose, expected in zip(("own", "other"), statuses(cell), strict=True):
        found = small.get(role, f"/enrollments/{hers[whose]}/2025{tail}", **QUERIES.get(what, {}))
        check(found, expected, may_be_refused=what == "quote")


COMMANDS = [each for each in CELLS if each[0] in yibao.commands.ASKED or "proxy" in each[0]]


@pytest.mark.parametrize(
    ("what", "role", "cell"),
    [c for c in COMMANDS if c[0] not in ("register", "fix_window", "settle_care", "reverse_care")],
)
def test_who_may_tell_what_of_a_student(
    small: Web, hers: dict[str, str], fresh: Callable[[str], str], what: str, role: str, cell: str
) -> None:
    for school in ("sjtu", "fdu"):
        if role == "student" and cell == "own":
            ref = hers["own" if school == "sjtu" else "other"]
        else:
            ref = fresh(school)
        path = f"/enrollments/{ref}/2025/{what.removesuffix('_by_proxy').replace('_', '-')}"
        if what in ("correct", "void"):
            fact = small.service.facts(yibao.EnrollmentId(ref, 2025))[-1]
            path = f"/enrollments/{ref}/2025/facts/{fact.event_id}/{what}"
        found = small.post(role, path, BODIES.get(what, {}), match="*")
        if cell == "mine":  # of another's entry
            check(found, 404 if role == "clinic" and school == "fdu" else 403)
        else:
            check(found, statuses(cell)[school == "fdu"], may_be_refused=True)
        if cell == "seen":
            told = {**BODIES.get(what, {}), "observed": True}
            check(small.post(role, path, told, match="*"), 2)


@pytest.mark.parametrize("role", ROLES)
def test_who_may_register_and_where(small: Web, role: str) -> None:
    for school in ("sjtu", "fdu"):
        body = {"ref": f"new-{next(_refs)}", **REGISTRATION, "school": school}
        is_own = role == "officer" and school == "sjtu"
        check(small.post(role, "/enrollments", body), 2 if is_own else 403)


def test_somebody_elses_student_is_registered_by_nobody_here(small: Web) -> None:
    ref = small.student("fdu")
    body = {"ref": ref, **REGISTRATION}
    assert small.post("officer", "/enrollments", body).status_code == 404


def test_who_clinics_and_the_bureau_correct_their_own_entries(small: Web) -> None:
    for role in ("clinic", "bureau"):
        path = f"/enrollments/{small.student()}/2025"
        made = small.post(role, f"{path}/receive-care", BODIES["receive_care"]).json()
        body = {"changes": {"cost": "2.00"}, "reason": "sheet-misread"}
        corrected = f"{path}/facts/{made['event_id']}/correct"
        assert small.post("officer", corrected, body, match="*").status_code == 403
        assert small.post(role, corrected, body, match="*").status_code == 201


def test_an_officer_corrects_no_registration_to_another_school(small: Web) -> None:
    ref = small.student()
    fact = small.service.facts(yibao.EnrollmentId(ref, 2025))[0].event_id
    path = f"/enrollments/{ref}/2025/facts/{fact}/correct"
    body = {"changes": {"school": "fdu"}, "reason": "sheet-misread"}
    assert small.post("officer", path, body, match="*").status_code == 403
    assert small.post("both-officer", path, body, match="*").status_code == 201


def test_who_moved_away_is_seen_no_more_and_a_repetition_says_so(small: Web) -> None:
    ref, key = small.student(), small.key()
    path = f"/enrollments/{ref}/2025"
    body = {"kind": "employee", "at": "2025-09-05 10:00"}
    assert small.post("officer", f"{path}/declare-other-cover", body, key=key).status_code == 201
    assert small.post("officer", f"{path}/change-school", {"school": "fdu"}).status_code == 201
    assert small.get("officer", path).status_code == 404
    assert small.get("other-officer", path).status_code == 200
    assert small.post("officer", f"{path}/declare-other-cover", body).status_code == 404
    assert small.post("officer", f"{path}/declare-other-cover", body, key=key).status_code == 409
    assert ref not in small.get("officer", "/cohort", known_at="2025-09-03 10:00").text


def test_nobody_and_somebody_elses_are_told_in_the_same_bytes(
    small: Web, hers: dict[str, str]
) -> None:
    def told(ref: str, who: str, **query: str) -> bytes:
        headers = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01", "Authorization": f"Bearer {who}"}
        found = small.client.get(f"/v1/enrollments/{ref}/2025", headers=headers, params=query)
        assert found.status_code == 404
        beside = found.headers.items() - {("date", found.headers["date"])}
        return found.content + repr(sorted(beside)).encode()

    for who, whose in (("officer", "bea"), ("student", "bea"), ("clinic", "bea")):
        assert told(whose, who) == told("nobody-at-all", who)
        assert told(whose, who, known_at="77") == told("nobody-at-all", who, known_at="77")
    assert told("a%2Fb", "keeper") == told("nobody-at-all", "keeper")


OTHERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "cohort": ("GET", "/cohort", {}),
    "cohort_count": ("GET", "/cohort/count", {}),
    "due": ("GET", "/due", {"limit": 1}),
    "audit": ("GET", "/audit", {"limit": 1}),
    "accesses": ("GET", "/accesses", {}),
    "find_person": ("POST", "/people/find", {"school": "sjtu", "number": "1", "reason": "x"}),
    "person": ("GET", "/people/ada", {"reason": "x"}),
    "forget": ("POST", "/people/ada/forget", {"reason": "x"}),
    "fix_window": (
        "POST",
        "/editions/shanghai-2025/fix-window",
        {"closes_on": "2025-11-30", "school": "nowhere"},
    ),
}


@pytest.mark.parametrize(("what", "role", "cell"), [each for each in CELLS if each[0] in OTHERS])
def test_who_may_ask_about_everybody(
    small: Web, hers: dict[str, str], what: str, role: str, cell: str
) -> None:
    method, path, told = OTHERS[what]
    found = small.get(role, path, **told) if method == "GET" else small.post(role, path, told)
    is_nobody = what in ("find_person", "person", "forget") and cell != "no"
    check(found, 404 if is_nobody else 403 if cell == "no" else 2)


@pytest.mark.parametrize("role", ROLES)
def test_who_may_send_a_batch_and_ask_what_if(small: Web, role: str) -> None:
    headers = {"Authorization": f"Bearer {role}", "Content-Type": "application/x-ndjson"}
    found = small.client.post("/v1/batches", content="", headers=headers)
    assert found.status_code == (200 if role in ("officer", "bureau") else 403)
    headers["Content-Type"] = "application/yaml"
    found = small.client.post("/v1/what-if", content="x", headers=headers)
    assert found.status_code == (422 if role in ("auditor", "keeper") else 403)


def test_who_is_not_known_is_told_so(small: Web) -> None:
    for who in (None, "no-such-token"):
        found = small.get(who, "/enrollments/ada/2025")
        assert (found.status_code, found.json()["code"]) == (401, "unauthenticated")
        assert found.headers["www-authenticate"] == "Bearer"


def test_every_look_of_officers_clinics_and_auditors_is_kept(small: Web) -> None:
    ref = small.student()
    trace = "a" * 32
    for who in ("officer", "clinic", "auditor", "keeper", "bureau"):
        headers = {"Authorization": f"Bearer {who}", "traceparent": f"00-{trace}-{'2' * 16}-01"}
        small.client.get(f"/v1/enrollments/{ref}/2025", headers=headers)
        assert small.get(who, f"/enrollments/{small.student()}").status_code == 200
    found = small.get("privacy", "/accesses", ref=ref).json()["entries"]
    assert [(e["actor"], e["what"], e["year"], e["trace"]) for e in found] == [
        ("auditor", "answer", 2025, trace),
        ("clinic", "answer", 2025, trace),
        ("officer", "answer", 2025, trace),
    ]
    one = small.get("auditor", "/accesses", ref=ref, limit=1)
    rest = small.client.get(
        one.links["next"]["url"], headers={"Authorization": "Bearer auditor"}
    ).json()["entries"]
    assert [each["actor"] for each in rest] == ["clinic"]
    later = {"actor": "clinic", "since": "2030-01-01 00:00"}
    assert small.get("auditor", "/accesses", ref=ref, **later).json()["entries"] == []


def test_each_role_has_a_cell_in_each_row() -> None:
    assert len({(what, role) for what, role, _ in CELLS}) == len(MAY) * len(Role)
