"""A command of plain values, by its name: recorded as by its method, refused with all errors."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from given import sheet

import yibao
from yibao.adapters.service.service import Service, open_service
from yibao.domain.calendar import read_instant
from yibao.domain.facts.commands import ASKED, DeclareRoster
from yibao.domain.facts.telling import told
from yibao.domain.refusals import BadValue, NotCorrectable, NotPermitted, OutOfStep, UnknownEdition

from ..helpers.autumn import ADA, BO, POLICY

NOW = read_instant("2025-12-20 12:00")
SHEET = {"ref": "ada", **sheet()}
CONFIRMED = {"at": "2025-09-06 14:20", "channel": "app"}


@pytest.fixture
def service(url: str) -> Iterator[Service]:
    with open_service(url, by="desk", clock=lambda: NOW) as service:
        yield service


def kept(service: Service, whose: yibao.EnrollmentId = ADA) -> list[tuple[str, str, str | None]]:
    """The attempts kept about somebody: who tried what, and where it was wrong."""
    found = [each.attempt for each in service.refused_attempts(whose)]
    return [(each.by, each.command, each.where) for each in found]


def test_an_autumn_is_told_by_plain_values(service: Service) -> None:
    def tell(name: str, **values: Any) -> str:
        return str(service.tell(ADA, name, {"at": "2025-12-10 10:00", **values}).event_id)

    registration = tell("register", **SHEET)
    tell("declare_roster", at="2025-09-02 17:00")
    tell("declare_other_cover", kind="employee")
    tell("stop_employee_cover", on="2025-09-03")
    tell("confirm", **CONFIRMED)
    tell("verify_prior_coverage", lapsed_years="0", waiting_ends_on="")
    tell("build_account", on="2025-09-07")
    tell("activate_evoucher", channel="alipay", observed="on")
    tell("issue_medical_card")
    tell("change_school", school="ecnu")
    tell("file_remote_care", province="jiangsu")
    tell("pay_premium", year=2026)
    care = tell("receive_care", on="2025-10-10", setting="campus_clinic", cost="12.50", level="")
    tell("settle_care", care=care)
    tell("reverse_care", care=care)
    tell("correct", fact_id=registration, reason="misread", changes={"document": "passport"})
    kept_cover = tell("keep_other_cover", observed=True)
    tell("void", fact_id=kept_cover, reason="wrong-student")
    tell("withdraw", on="2025-12-15")
    service.tell(POLICY, "fix_window", {"at": "2025-11-01 10:00", "closes_on": "2025-12-20"})
    names = {event.name for event in (*service.facts(ADA), *service.care_facts(ADA))}
    assert len(names) == len(ASKED) - 2  # a correction is the same fact again, a window another's
    assert service.at(ADA).document == "passport"


def test_what_is_told_is_what_the_method_records(service: Service) -> None:
    first = service.tell(ADA, "register", SHEET, by="clerk-7", command_id="row-1")
    again = service.register("ada", **sheet(), by="clerk-7", command_id="row-1")
    assert (again.event_id, again.repeated) == (first.event_id, True)
    (fact,) = service.facts(ADA)
    assert (fact.by, fact.command_id) == ("clerk-7", "row-1")


def test_a_registration_tells_itself_whose_it_is(service: Service) -> None:
    assert service.tell(None, "register", SHEET).version == 1
    with pytest.raises(BadValue, match="another student"):
        service.tell(BO, "register", SHEET)
    with pytest.raises(UnknownEdition):
        service.tell(None, "register", {**SHEET, "policy": "shanghai-1999"})
    with pytest.raises(BadValue, match="target"):
        service.tell(None, "declare_roster", {"at": "2025-09-02 17:00"})


def test_everything_wrong_is_told_at_once_and_the_attempt_is_kept(service: Service) -> None:
    service.register("ada", **sheet())
    values = {"at": "soon", "channel": "fax", "by": "somebody-else", "colour": "red"}
    with pytest.raises(BadValue) as refused:
        service.tell(ADA, "confirm", values, by="clerk-7")
    assert [where for where, _ in refused.value.errors] == ["at", "channel", "by", "colour"]
    assert kept(service) == [("clerk-7", "confirm", "at")]


def test_an_attempt_to_register_is_kept_for_whom_it_was_about(service: Service) -> None:
    with pytest.raises(BadValue):
        service.tell(None, "register", {**SHEET, "document": "library card"})
    assert kept(service) == [("desk", "register", "document")]


@pytest.mark.parametrize("values", [None, 7, ["channel"], {"\ud800": "\ud800"}, {7: 8}])
@pytest.mark.parametrize("name", ["confirm", "confirmed", None, {}])
def test_whatever_is_told_is_refused_as_a_bad_value(
    service: Service, name: Any, values: Any
) -> None:
    with pytest.raises(BadValue):
        service.tell(ADA, name, values)
    (attempt,) = kept(service)
    assert attempt[:2] == ("desk", name if name == "confirm" else "unknown")


def test_a_command_that_was_told_is_judged_like_any_other(service: Service) -> None:
    service.register("ada", **sheet())
    with pytest.raises(NotPermitted, match="roster_not_declared"):
        service.tell(ADA, "confirm", CONFIRMED)
    with pytest.raises(NotCorrectable, match="no_such_fact"):
        service.tell(
            ADA, "void", {"at": "2025-09-06 10:00", "fact_id": str(uuid4()), "reason": "misread"}
        )


def test_everything_wrong_with_a_correction_is_told_at_once(service: Service) -> None:
    fact = service.register("ada", **sheet()).event_id
    changes = {"on": "2025-02-30", "category": "a guest", "colour": "red", "ref": "bo", "Ada L.": 1}
    with pytest.raises(BadValue) as refused:
        service.tell(
            ADA,
            "correct",
            {
                "at": "2025-09-06 10:00",
                "fact_id": str(fact),
                "reason": "misread",
                "changes": changes,
            },
        )
    where = [where for where, _ in refused.value.errors]
    assert sorted(where) == ["category", "changes", "colour", "on", "ref"]


def test_many_are_told_by_mappings_and_what_cannot_be_read_stops_no_other(service: Service) -> None:
    replies = service.record_each(
        [
            (ADA, {"command": "register", **SHEET}),
            (ADA, DeclareRoster(at="2025-09-02 17:00")),  # type: ignore[arg-type]
            (ADA, {"command": "confirm", "at": "2025-09-06 14:20", "channel": "fax", "by": "me"}),
            (ADA, {"at": "2025-09-06 14:20"}),
            (None, {"command": "declare_roster", "at": "2025-09-02 17:00"}),  # type: ignore[list-item]
            (ADA, {"command": "confirm", **CONFIRMED}),
        ]
    )
    assert [getattr(reply, "version", None) for reply in replies] == [1, 2, None, None, None, 3]
    wrong = [reply.errors for reply in replies if isinstance(reply, BadValue)]
    assert [[where for where, _ in each] for each in wrong] == [
        ["channel", "by"],
        ["command"],
        ["target"],
    ]
    assert kept(service) == [("desk", "confirm", "channel"), ("desk", "unknown", "command")]


def test_what_belongs_to_another_target_is_kept_as_what_it_was(service: Service) -> None:
    (refused,) = service.record_each([(BO, {"command": "register", **SHEET})])
    assert isinstance(refused, BadValue)
    assert kept(service, BO) == [("desk", "register", "target")]


def test_several_are_told_by_mappings_and_are_recorded_whole_or_not_at_all(
    service: Service,
) -> None:
    roster = {"command": "declare_roster", "at": "2025-09-02 17:00"}
    fax = {"command": "confirm", "at": "2025-09-06 14:20", "channel": "fax"}
    register = {"command": "register", **SHEET}
    wrong, right = service.record_each([(ADA, [register, roster, fax]), (ADA, [register, roster])])
    assert isinstance(wrong, BadValue)
    assert wrong.errors[0][0] == "channel"
    assert isinstance(right, tuple)
    assert [receipt.version for receipt in right] == [1, 2]
    assert kept(service) == [("desk", "confirm", "channel")]


def test_what_is_allowed_and_what_was_seen_is_asked_where_it_is_recorded(service: Service) -> None:
    seen = service.tell(None, "register", SHEET).seen
    roster = {"at": "2025-09-02 17:00"}
    with pytest.raises(NotPermitted, match="not_allowed"):
        service.tell(ADA, "declare_roster", roster, allowed=lambda answer, record: "no")
    service.tell(ADA, "declare_roster", roster, expected=seen, allowed=lambda answer, record: None)
    with pytest.raises(OutOfStep, match="version_conflict"):
        service.tell(ADA, "confirm", CONFIRMED, expected=seen)
    assert service.judge(ADA, told("confirm", CONFIRMED, expected=service.at(ADA).seen)) is None
    late = service.judge(ADA, told("confirm", CONFIRMED, expected=seen))
    assert late is not None
    assert late.code == "version_conflict"


def test_a_time_that_is_left_out_is_now(service: Service) -> None:
    service.tell(None, "register", {**SHEET, "at": ""})
    (fact,) = service.facts(ADA)
    assert fact.occurred_at == NOW
    assert service.judge(ADA, {"command": "declare_roster"}) is None


def test_what_was_told_is_pickled_with_all_its_errors(service: Service) -> None:
    import pickle

    with pytest.raises(BadValue) as refused:
        service.tell(ADA, "confirm", {})
    again = pickle.loads(pickle.dumps(refused.value))
    assert again.errors == refused.value.errors
