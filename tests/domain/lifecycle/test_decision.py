"""What may be added to a stream: requests, reports, corrections, voids, and repetitions."""

from typing import Any
from uuid import UUID

import pytest
from given import (
    Given,
    Step,
    account,
    activate,
    card,
    checked,
    confirm,
    confirmed,
    correct,
    filed,
    fix_window,
    given,
    keep,
    moved,
    other_cover,
    paid,
    registered,
    roster,
    step,
    stopped,
    void,
    withdraw,
)

from yibao.domain.facts import commands
from yibao.domain.facts.events import Fact
from yibao.domain.lifecycle.decision import asks_for_the_window
from yibao.domain.refusals import BadValue, NotCorrectable, Refused

UNKNOWN = UUID(int=999)


def asked(kind: type[commands.Command], **values: Any) -> commands.Command:
    return kind.model_validate({"at": "2025-09-06 14:20", **values})


@pytest.fixture
def student() -> Given:
    return given(registered("2025-09-01"), roster())


def refusal(world: Given, *steps: Step) -> Refused:
    refused = world.when(*steps).refused
    assert refused is not None
    return refused


def test_a_request_that_nothing_forbids_is_recorded(student: Given) -> None:
    student.when(confirm("2025-09-06 14:20")).then(recorded="confirmed")


def test_a_request_that_a_guard_forbids_leaves_the_stream_as_it_was(student: Given) -> None:
    student.when(confirm("2025-09-04 14:20")).then(refused="window_not_open")


def test_a_report_is_recorded_even_where_a_guard_would_refuse(student: Given) -> None:
    student.when(confirmed("2025-09-04 14:20")).then(recorded="confirmed")


@pytest.mark.parametrize(
    ("report", "recorded"),
    [
        (checked("2025-10-10 09:00"), "prior-coverage-verified"),
        (account("2025-10-10 09:00", "2025-09-06"), "account-built"),
        (card("2025-10-10 09:00"), "medical-card-issued"),
        (other_cover("2025-10-10 09:00", "employee"), "other-cover-declared"),
        (stopped("2025-10-10 09:00", "2025-10-10"), "employee-cover-stopped"),
        (fix_window("2025-10-10 09:00", closes_on="2025-12-20"), "window-fixed"),
        (confirmed("2025-10-10 09:00"), "confirmed"),
        (keep("2025-10-10 09:00", observed=True), "other-cover-kept"),
        (activate("2025-10-10 09:00", observed=True), "evoucher-activated"),
        (withdraw("2025-10-10 09:00", "2025-10-10", observed=True), "withdrawn"),
        (roster("2025-10-10 09:00", observed=True), "roster-declared"),
        (moved("2025-10-10 09:00", "ecnu", observed=True), "school-changed"),
        (filed("2025-10-10 09:00", observed=True), "remote-care-filed"),
        (paid("2025-10-10 09:00", 2026, observed=True), "premium-paid"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_kind_of_report_is_recorded_of_a_student_who_has_left(
    student: Given, report: Step, recorded: str
) -> None:
    student.and_(withdraw("2025-10-01 09:00", "2025-10-01"))
    student.when(report).then(recorded=recorded)


@pytest.mark.parametrize(
    "report",
    [
        checked("2025-10-10 09:00"),
        account("2025-10-10 09:00", "2025-09-06"),
        card("2025-10-10 09:00"),
        other_cover("2025-10-10 09:00", "employee"),
        stopped("2025-10-10 09:00", "2025-10-10"),
        fix_window("2025-10-10 09:00", closes_on="2025-12-20"),
    ],
    ids=["check", "account", "card", "other cover", "stop", "window fix"],
)
def test_some_facts_are_always_reports(student: Given, report: Step) -> None:
    student.and_(report)
    event = student.history[-1]
    assert isinstance(event, Fact)
    assert event.observed


def test_a_request_that_was_granted_is_no_report(student: Given) -> None:
    student.and_(confirm("2025-09-06 14:20"))
    event = student.history[-1]
    assert isinstance(event, Fact)
    assert not event.observed


@pytest.mark.parametrize(
    "report",
    [checked("2025-09-06 09:00"), confirmed("2025-09-06 09:00"), roster("2025-09-06 09:00")],
    ids=["check", "confirmation", "roster"],
)
def test_even_a_report_needs_a_registration(report: Step) -> None:
    given().when(report).then(refused="not_registered")


def test_a_registration_taken_back_is_none(student: Given) -> None:
    student.and_(void("2025-09-03 09:00", "registered"))
    student.when(confirmed("2025-09-06 09:00")).then(refused="not_registered")


@pytest.mark.parametrize("observed", [False, True], ids=["request", "report"])
def test_nobody_is_registered_twice(student: Given, observed: bool) -> None:
    again = registered("2025-09-02", "2025-09-02 09:00", observed=observed)
    student.when(again).then(refused="already_registered")


def test_who_was_registered_by_mistake_can_be_registered_again(student: Given) -> None:
    student.and_(void("2025-09-03 09:00", "registered"))
    student.when(registered("2025-09-02", "2025-09-03 09:30")).then(recorded="registered")


@pytest.mark.parametrize("observed", [False, True], ids=["request", "report"])
@pytest.mark.parametrize(
    ("on", "category"),
    [
        ("2025-09-01", "foreign"),
        ("2025-09-01", "employed_postgraduate"),
        ("2025-07-31", "undergraduate"),
        ("2026-01-01", "undergraduate"),
        ("2024-09-01", "undergraduate"),
    ],
)
def test_only_new_students_of_the_autumn_are_enrolled(
    on: str, category: str, observed: bool
) -> None:
    register = registered(on, category=category, observed=observed)
    given().when(register).then(refused="not_a_new_student")


@pytest.mark.parametrize("category", ["undergraduate", "higher_vocational", "postgraduate"])
@pytest.mark.parametrize("on", ["2025-08-01", "2025-12-31"])
def test_new_students_register_from_august_to_december(on: str, category: str) -> None:
    given().when(registered(on, category=category)).then(recorded="registered")


def test_a_fact_of_a_future_day_may_be_recorded_before_it() -> None:
    register = registered("2025-09-01", "2025-08-20 09:00")
    given().when(register).then(recorded="registered")


def test_an_event_names_its_stream_and_its_place(student: Given) -> None:
    found = [(e.originator_id, e.originator_version) for e in student.recorded]
    assert found == [(student.enrollment.stream, 1), (student.enrollment.stream, 2)]


def test_an_event_says_who_recorded_it_and_why(student: Given) -> None:
    student.and_(confirm("2025-09-06 14:20", reason="paper-form", correlation_id="k1"))
    event = student.recorded[-1]
    assert (event.by, event.via, event.reason, event.correlation_id) == (
        "tester",
        "test",
        "paper-form",
        "k1",
    )


def test_the_same_command_again_succeeds_and_adds_nothing(student: Given) -> None:
    again = confirm("2025-09-06 14:20", command_id="k1")
    student.and_(again).when(again).then()


def test_the_same_command_id_with_other_content_is_refused(student: Given) -> None:
    student.and_(confirm("2025-09-06 14:20", command_id="k1"))
    other = confirm("2025-09-06 14:21", command_id="k1")
    student.when(other).then(refused="command_id_reused")


def test_a_command_id_belongs_to_one_kind_of_command(student: Given) -> None:
    student.and_(confirm("2025-09-06 14:20", command_id="k1"))
    other = roster("2025-09-06 14:20", command_id="k1")
    student.when(other).then(refused="command_id_reused")


def test_a_refused_command_may_be_tried_again_under_its_id() -> None:
    student = given(registered("2025-09-01"))
    signing = confirm("2025-09-06 14:20", command_id="k1")
    student.when(signing).then(refused="roster_not_declared")
    student.and_(roster()).when(signing).then(recorded="confirmed")


def test_a_repeated_command_succeeds_whatever_has_happened_since(student: Given) -> None:
    signing = confirm("2025-09-06 14:20", command_id="k1")
    student.and_(signing, void("2025-09-07 09:00", "confirmed"))
    student.when(signing).then()


def test_a_repeated_correction_adds_nothing(student: Given) -> None:
    student.and_(confirm("2025-09-06 14:20"))
    signed = student.event("confirmed")
    amend = step(
        commands.Correct,
        "2025-09-07 09:00",
        fact_id=signed,
        reason="misread",
        changes={"channel": "wechat"},
        command_id="k1",
    )
    student.and_(amend).when(amend).then()


def test_a_repeated_void_adds_nothing(student: Given) -> None:
    taken_back = step(
        commands.Void,
        "2025-09-07 09:00",
        fact_id=student.event("roster-declared"),
        reason="mistake",
        command_id="k1",
    )
    student.and_(taken_back).when(taken_back).then()


def test_a_repeated_registration_adds_nothing() -> None:
    register = registered("2025-09-01", command_id="k1")
    given(register).when(register).then()


def test_a_command_at_the_expected_version_is_recorded(student: Given) -> None:
    student.when(confirm("2025-09-06 14:20", expected_version=2)).then(recorded="confirmed")


@pytest.mark.parametrize("version", [0, 1, 3])
def test_a_command_at_another_version_is_refused(student: Given, version: int) -> None:
    signing = confirm("2025-09-06 14:20", expected_version=version)
    student.when(signing).then(refused="version_conflict")


def test_a_version_conflict_tells_both_versions(student: Given) -> None:
    refused = refusal(student, confirm("2025-09-06 14:20", expected_version=1))
    assert refused.details == {"expected": 1, "found": 2}


def test_the_first_command_of_a_stream_may_expect_version_0() -> None:
    given().when(registered("2025-09-01", expected_version=0)).then(recorded="registered")


def test_a_repeated_command_succeeds_at_a_later_version(student: Given) -> None:
    signing = confirm("2025-09-06 14:20", command_id="k1", expected_version=2)
    student.and_(signing).when(signing).then()


@pytest.mark.parametrize("kind", ["report", "correction", "void"])
def test_every_command_may_expect_a_version(student: Given, kind: str) -> None:
    declared = student.event("roster-declared")
    asked: dict[str, Step] = {
        "report": checked("2025-09-06 14:50", expected_version=1),
        "correction": step(
            commands.Correct,
            "2025-09-07 09:00",
            fact_id=declared,
            reason="misread",
            occurred_at="2025-09-03 17:00",
            expected_version=1,
        ),
        "void": step(
            commands.Void,
            "2025-09-07 09:00",
            fact_id=declared,
            reason="mistake",
            expected_version=1,
        ),
    }
    student.when(asked[kind]).then(refused="version_conflict")


def test_a_correction_is_the_same_kind_of_fact_again(student: Given) -> None:
    amend = correct("2025-09-03 09:00", "roster-declared", occurred_at="2025-09-03 08:00")
    student.when(amend).then(recorded="roster-declared")


def test_a_correction_names_what_it_takes_the_place_of(student: Given) -> None:
    declared = student.event("roster-declared")
    student.and_(correct("2025-09-03 09:00", "roster-declared", occurred_at="2025-09-03 08:00"))
    event = student.recorded[-1]
    assert isinstance(event, Fact)
    assert (event.supersedes, event.reason) == (declared, "misread")


def test_a_correction_is_a_report_and_says_when_it_was_made(student: Given) -> None:
    student.and_(correct("2025-09-03 09:00", "registered", on="2025-09-02"))
    event = student.recorded[-1]
    assert isinstance(event, Fact)
    assert (event.observed, f"{event.corrected_at:%m-%d %H:%M}") == (True, "09-03 09:00")


def test_a_correction_is_recorded_even_where_a_guard_would_refuse(student: Given) -> None:
    student.and_(confirm("2025-09-06 14:20"))
    amend = correct("2025-09-07 09:00", "confirmed", occurred_at="2025-08-20 10:00")
    student.when(amend).then(recorded="confirmed")


def test_a_correction_may_make_somebody_no_new_student(student: Given) -> None:
    amend = correct("2025-09-07 09:00", "registered", category="foreign")
    student.when(amend).then(recorded="registered")


@pytest.mark.parametrize(
    "changes",
    [
        {"on": "2025-09-02"},
        {"school": "ecnu"},
        {"category": "postgraduate"},
        {"document": "passport"},
    ],
    ids=["on", "school", "category", "document"],
)
def test_every_entry_of_a_registration_can_be_corrected(
    student: Given, changes: dict[str, Any]
) -> None:
    student.and_(correct("2025-09-03 09:00", "registered", **changes))
    payload = {key: str(value) for key, value in student.recorded[-1].payload().items()}
    assert changes.items() <= payload.items()


@pytest.mark.parametrize("entry", ["ref", "policy", "channel", "recorded_at", "observed"])
def test_what_a_registration_does_not_say_cannot_be_corrected(student: Given, entry: str) -> None:
    changes: dict[str, Any] = {entry: "x"}
    refused = refusal(student, correct("2025-09-03 09:00", "registered", **changes))
    assert (refused.code, refused.details["where"]) == ("bad_value", entry)


def test_an_optional_entry_can_be_taken_away(student: Given) -> None:
    student.and_(
        checked("2025-09-06 14:50", 1, waiting_ends_on="2025-10-31"),
        correct("2025-09-07 09:00", "prior-coverage-verified", waiting_ends_on=None),
    )
    assert student.waiting() == "2025-09-01 to 2025-11-30"


def test_an_entry_that_is_needed_cannot_be_taken_away(student: Given) -> None:
    refused = refusal(student, correct("2025-09-03 09:00", "registered", school=None))
    assert (refused.code, refused.details["where"]) == ("bad_value", "school")


def test_a_correction_to_an_impossible_value_is_refused(student: Given) -> None:
    refused = refusal(student, correct("2025-09-03 09:00", "registered", on="2025-09-31"))
    assert (refused.code, refused.details["where"]) == ("bad_value", "on")


def test_a_correction_to_values_that_do_not_fit_together_is_refused(student: Given) -> None:
    student.and_(fix_window("2025-09-03 09:00", opens_on="2025-09-06"))
    amend = correct("2025-09-04 09:00", "window-fixed", opens_at="2025-09-06 08:00")
    assert refusal(student, amend).details["where"] == "fix_window"


def test_a_refused_correction_does_not_repeat_the_value(student: Given) -> None:
    refused = refusal(student, correct("2025-09-03 09:00", "registered", document="secret-7"))
    assert "secret-7" not in str(refused)


@pytest.mark.parametrize("kind", [commands.Correct, commands.Void])
def test_what_was_never_recorded_cannot_be_amended(
    student: Given, kind: type[commands.Command]
) -> None:
    amend = step(kind, "2025-09-03 09:00", fact_id=UNKNOWN, reason="mistake")
    student.when(amend).then(refused="no_such_fact")


@pytest.mark.parametrize("kind", [commands.Correct, commands.Void])
@pytest.mark.parametrize(
    "before",
    [
        void("2025-09-03 09:00", "roster-declared"),
        correct("2025-09-03 09:00", "roster-declared", occurred_at="2025-09-03 08:00"),
    ],
    ids=["voided", "corrected"],
)
def test_what_is_no_longer_current_cannot_be_amended(
    student: Given, kind: type[commands.Command], before: Step
) -> None:
    declared = student.event("roster-declared")
    amend = step(kind, "2025-09-03 09:30", fact_id=declared, reason="mistake")
    student.and_(before).when(amend).then(refused="superseded")


def test_a_void_cannot_itself_be_taken_back(student: Given) -> None:
    student.and_(void("2025-09-03 09:00", "roster-declared"))
    amend = step(
        commands.Void, "2025-09-03 09:30", fact_id=student.event("voided"), reason="mistake"
    )
    student.when(amend).then(refused="no_such_fact")


def test_a_correction_can_itself_be_voided(student: Given) -> None:
    student.and_(correct("2025-09-03 09:00", "roster-declared", occurred_at="2025-09-03 08:00"))
    student.when(void("2025-09-03 10:00", "roster-declared")).then(recorded="voided")


def test_a_correction_that_cannot_be_made_is_told_apart_from_a_forbidden_request(
    student: Given,
) -> None:
    amend = step(commands.Void, "2025-09-03 09:00", fact_id=UNKNOWN, reason="mistake")
    assert isinstance(refusal(student, amend), NotCorrectable)


def test_a_void_says_when_it_was_decided(student: Given) -> None:
    student.and_(void("2025-09-03 09:00", "roster-declared"))
    assert f"{student.recorded[-1].occurred_at:%m-%d %H:%M}" == "09-03 09:00"


def test_a_check_can_be_corrected_where_the_registration_was_taken_back(student: Given) -> None:
    student.and_(checked("2025-09-06 14:50", 1), void("2025-09-07 09:00", "registered"))
    amend = correct("2025-09-08 09:00", "prior-coverage-verified", waiting_ends_on="2025-08-01")
    student.when(amend).then(recorded="prior-coverage-verified")


def test_the_last_waiting_day_cannot_lie_before_the_first(student: Given) -> None:
    check = checked("2025-09-06 14:50", 1, waiting_ends_on="2025-08-31")
    assert refusal(student, check).details["where"] == "waiting_ends_on"


def test_the_last_waiting_day_may_be_the_first(student: Given) -> None:
    student.and_(checked("2025-09-06 14:50", 1, waiting_ends_on="2025-09-01"))
    assert student.waiting() == "2025-09-01 to 2025-09-01"


def test_the_first_waiting_day_of_who_registered_later_is_the_registration_day() -> None:
    student = given(registered("2025-09-10"))
    check = checked("2025-09-11 14:50", 1, waiting_ends_on="2025-09-09")
    student.when(check).then(refused="bad_value")


def test_a_correction_cannot_name_a_last_waiting_day_before_the_first(student: Given) -> None:
    student.and_(checked("2025-09-06 14:50", 1))
    amend = correct("2025-09-07 09:00", "prior-coverage-verified", waiting_ends_on="2025-08-31")
    student.when(amend).then(refused="bad_value")


def test_in_2024_a_last_waiting_day_is_recorded_without_effect() -> None:
    student = given(registered("2024-09-02"), policy="shanghai-2024")
    student.when(checked("2024-09-06 14:50", 1, waiting_ends_on="2024-08-01")).then(
        recorded="prior-coverage-verified"
    )


@pytest.mark.parametrize(
    ("fix", "where"),
    [
        ({"closes_on": "2026-01-01"}, "closes_on"),
        ({"closes_on": "2025-09-04"}, "closes_on"),
        ({"opens_on": "2026-01-01"}, "opens_on"),
        ({"opens_at": "2026-01-01 00:00"}, "opens_at"),
        ({"opens_on": "2025-10-02", "closes_on": "2025-10-01"}, "closes_on"),
    ],
    ids=["after the year", "before the opening", "opens late", "opens late, with a time", "both"],
)
def test_a_window_closes_neither_before_its_opening_nor_after_the_year(
    fix: dict[str, Any], where: str
) -> None:
    refused = refusal(given(), fix_window("2025-09-03 09:00", **fix))
    assert isinstance(refused, BadValue)
    assert refused.details["where"] == where


@pytest.mark.parametrize(
    "fix",
    [
        {"closes_on": "2025-12-31"},
        {"closes_on": "2025-09-05"},
        {"opens_on": "2025-12-31"},
        {"opens_at": "2025-12-31 23:59"},
        {"opens_on": "2025-10-01", "closes_on": "2025-10-01"},
    ],
    ids=["with the year", "on its first day", "on its last day", "in its last minute", "one day"],
)
def test_a_window_may_be_open_for_a_day(fix: dict[str, Any]) -> None:
    given().when(fix_window("2025-09-03 09:00", **fix)).then(recorded="window-fixed")


def test_a_fix_is_judged_together_with_the_fixes_before_it() -> None:
    world = given(fix_window("2025-09-03 09:00", opens_on="2025-10-10"))
    world.when(fix_window("2025-09-04 09:00", closes_on="2025-10-09")).then(refused="bad_value")


def test_a_fix_of_another_school_does_not_stand_in_the_way() -> None:
    world = given(fix_window("2025-09-03 09:00", opens_on="2025-10-10", school="ecnu"))
    world.when(fix_window("2025-09-04 09:00", closes_on="2025-10-09", school="sjtu")).then(
        recorded="window-fixed"
    )


def test_a_corrected_fix_is_judged_without_what_it_corrects() -> None:
    world = given(fix_window("2025-09-03 09:00", opens_on="2025-10-10", closes_on="2025-10-20"))
    amend = correct(
        "2025-09-04 09:00", "window-fixed", opens_on="2025-10-01", closes_on="2025-10-05"
    )
    world.when(amend).then(recorded="window-fixed")


def test_a_fix_cannot_be_corrected_to_close_after_the_year() -> None:
    world = given(fix_window("2025-09-03 09:00", closes_on="2025-12-20"))
    amend = correct("2025-09-04 09:00", "window-fixed", closes_on="2026-01-10")
    world.when(amend).then(refused="bad_value")


def test_a_fix_can_be_taken_back() -> None:
    world = given(registered("2025-09-01"), fix_window("2025-11-01 09:00", closes_on="2025-11-20"))
    world.and_(void("2025-11-02 09:00", "window-fixed"))
    assert world.states()[-1] == ("2026-01-01 00:00", "lapsed")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"opens_on": "2025-10-10", "school": "sjtu"}, {"closes_on": "2025-10-09"}),
        ({"opens_on": "2025-10-10", "category": "undergraduate"}, {"closes_on": "2025-10-09"}),
        (
            {"opens_on": "2025-10-10", "school": "sjtu"},
            {"closes_on": "2025-10-09", "category": "undergraduate"},
        ),
        (
            {"closes_on": "2025-10-09", "category": "undergraduate"},
            {"opens_on": "2025-10-10", "school": "sjtu"},
        ),
        ({"closes_on": "2025-10-09", "school": "sjtu"}, {"opens_on": "2025-10-10"}),
    ],
    ids=["a school", "a category", "a school and a category", "the other way round", "all"],
)
def test_a_fix_may_leave_nobody_that_is_named_a_window_that_closes_before_it_opens(
    first: dict[str, str], second: dict[str, str]
) -> None:
    world = given(fix_window("2025-09-03 09:00", **first))
    world.when(fix_window("2025-09-04 09:00", **second)).then(refused="bad_value")


def test_in_2024_the_window_may_close_in_august() -> None:
    world = given(policy="shanghai-2024")
    world.when(fix_window("2024-08-01 09:00", closes_on="2024-08-20")).then(recorded="window-fixed")


@pytest.mark.parametrize(
    ("command", "asks"),
    [
        (asked(commands.Confirm, channel="app"), True),
        (asked(commands.KeepOtherCover), True),
        (asked(commands.Confirm, channel="app", observed=True), False),
        (asked(commands.KeepOtherCover, observed=True), False),
        (asked(commands.DeclareRoster), False),
        (asked(commands.ActivateEvoucher, channel="app"), True),
        (asked(commands.FixWindow, closes_on="2025-12-20"), False),
        (asked(commands.BuildAccount, on="2025-09-06"), False),
        (asked(commands.Correct, fact_id=UNKNOWN, reason="misread"), False),
        (asked(commands.Void, fact_id=UNKNOWN, reason="mistake"), False),
    ],
    ids=[
        "confirm",
        "keep",
        "confirmed",
        "kept",
        "roster",
        "activate",
        "fix",
        "account",
        "correct",
        "void",
    ],
)
def test_only_requests_to_choose_or_to_activate_ask_for_the_window(
    command: commands.Command, asks: bool
) -> None:
    assert asks_for_the_window(command) is asks
