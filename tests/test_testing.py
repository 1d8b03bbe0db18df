"""What whoever embeds yibao tests with: a clock, and students in any state."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

import yibao
from yibao.testing import clock_at, student

STATES = list(yibao.State)
#: Instants of the autumn, some of them at an edge of a day or of the window.
INSTANTS = ["2025-09-01 00:00", "2025-09-06 10:00", "2025-09-06 00:00", "2025-12-01 23:59"]


def test_a_clock_stands_where_it_was_set_until_it_is_moved() -> None:
    clock = clock_at("2025-09-06 10:00")
    with yibao.open("memory:", clock=clock) as service:
        ada = student(service, "s1", state="confirmed")
        assert service.at(ada).at == clock() == yibao.read_instant("2025-09-06 10:00")
        clock.move_to(datetime(2025, 12, 1, 2, 0, tzinfo=UTC))
        assert str(service.at(ada).at) == "2025-12-01 10:00:00+08:00"
        assert repr(clock) == "clock_at('2025-12-01 10:00:00+08:00')"


@pytest.mark.parametrize("given", ["2025-09-06", "soon", datetime(2025, 9, 6), None])  # noqa: DTZ001
def test_what_is_no_instant_sets_no_clock(given: str) -> None:
    clock = clock_at("2025-09-06 10:00")
    for setting in (clock_at, clock.move_to):
        with pytest.raises(yibao.BadValue):
            setting(given)
    assert clock() == yibao.read_instant("2025-09-06 10:00")


@pytest.mark.parametrize("at", INSTANTS)
@pytest.mark.parametrize("policy", [None, "shanghai-2025", "shanghai-2024"])
def test_a_student_is_in_the_state_that_is_asked_for(at: str, policy: str | None) -> None:
    year = policy.rpartition("-")[2] if policy else "2025"
    for state in STATES:
        if (state, year) == ("in_waiting_period", "2024"):
            continue  # that notice knows none
        clock = clock_at(at.replace("2025", year))
        with yibao.open("memory:", clock=clock) as service:
            whom = student(service, f"s-{state}", state=state.value, policy=policy)
            assert service.at(whom).state is state
            assert whom == yibao.EnrollmentId(f"s-{state}", int(year))
            assert service.at(whom).discrepancies == ()


@pytest.mark.parametrize("at", ["2025-11-01 10:00", "2025-12-01 10:00", "2026-03-01 10:00"])
def test_a_continuing_student_is_in_the_state_that_is_asked_for(at: str) -> None:
    over = {"registered", "confirmed", "account_built"} if at.startswith("2026") else set()
    for state in [each for each in STATES if each not in over]:
        with yibao.open("memory:", clock=clock_at(at)) as service:
            whom = student(service, "s-1", state=state, policy="shanghai-2026-continuing")
            assert service.at(whom).state == state
            assert service.at(whom).discrepancies == ()


def test_students_of_all_states_are_in_one_store() -> None:
    with yibao.open("memory:", clock=clock_at("2025-08-01 10:00")) as service:
        for state in STATES:
            assert service.at(student(service, f"s-{state}", state)).state is state
        assert len(list(service.everyone())) == len(STATES)


@pytest.mark.parametrize("state", STATES)
def test_a_state_that_is_over_is_told_of_and_nothing_is_recorded(state: yibao.State) -> None:
    lasting = {"expired", "opted_out", "lapsed", "withdrawn"}
    with yibao.open("memory:", clock=clock_at("2026-06-01 10:00")) as service:
        if state in lasting:
            assert service.at(student(service, "s1", state)).state is state
        else:
            with pytest.raises(
                yibao.BadValue, match=rf"nobody is {state} after 2025-12-3.*clock_at"
            ):
                student(service, "s1", state)
            assert list(service.everyone()) == []


def test_the_clock_is_moved_on_to_where_the_state_begins() -> None:
    clock = clock_at("2025-08-20 10:00")
    with yibao.open("memory:", clock=clock) as service:
        student(service, "s1", state="active")
    assert str(clock()) == "2025-09-06 09:00:00+08:00"


def test_another_clock_is_not_moved_and_nothing_is_recorded() -> None:
    then = yibao.read_instant("2025-08-20 10:00")
    with yibao.open("memory:", clock=lambda: then) as service:
        with pytest.raises(yibao.BadValue, match=r"nobody is active before .*clock_at"):
            student(service, "s1", state="active")
        assert list(service.everyone()) == []


def test_the_window_is_the_one_that_is_fixed_for_her_school() -> None:
    clock = clock_at("2025-09-01 10:00")
    with yibao.open("memory:", clock=clock) as service:
        service.fix_window("shanghai-2025", at=clock(), opens_at="2025-09-20 08:00", school="ecnu")
        student(service, "s1", state="confirmed", school="ecnu")
    assert str(clock()) == "2025-09-20 08:00:00+08:00"


def test_a_window_that_has_closed_leaves_a_student_who_was_in_the_state() -> None:
    clock = clock_at("2025-11-20 10:00")
    with yibao.open("memory:", clock=clock) as service:
        service.fix_window("shanghai-2025", at=clock(), closes_on="2025-11-20")
        clock.move_to("2025-12-10 10:00")
        lapsed, active = student(service, "s1", "lapsed"), student(service, "s2", "active")
        assert (service.at(lapsed).state, service.at(active).state) == ("lapsed", "active")


def test_what_cannot_be_is_said() -> None:
    with yibao.open("memory:", clock=clock_at("2025-12-01 10:00")) as service:
        for given in ("happy", None, 3):
            with pytest.raises(yibao.BadValue, match="there are registered, confirmed"):
                student(service, "s1", state=given)  # type: ignore[arg-type]
        with pytest.raises(yibao.BadValue, match="such a student is account_built"):
            student(service, "s2", state="evoucher_eligible", document="passport")
        with pytest.raises(yibao.NotPermitted, match="not_a_new_student"):
            student(service, "s3", state="active", category="foreign")
        with pytest.raises(yibao.BadValue, match="nobody is ever in_waiting_period under"):
            student(service, "s2", state="in_waiting_period", policy="shanghai-2024")
        with pytest.raises(yibao.UnknownEdition):
            student(service, "s4", state="active", policy="atlantis-2025")
        with pytest.raises(yibao.BadValue, match="ref"):
            student(service, "not a key", state="active")
        student(service, "s5", state="active")
        with pytest.raises(yibao.NotPermitted, match="already_registered"):
            student(service, "s5", state="active")


def test_an_edition_of_ones_own_leads_to_its_states(tmp_path: Path) -> None:
    (tmp_path / "sjtu-2025.yaml").write_text(
        "edition: sjtu-2025\ntitle: {en: Ours, zh: 本校}\nextends: shanghai-2025\n",
        encoding="utf-8",
    )
    clock = clock_at("2025-12-01 10:00")
    with yibao.open("memory:", policies=tmp_path, clock=clock) as service:
        for state in STATES:
            whom = student(service, f"s-{state}", state, policy="sjtu-2025")
            assert service.at(whom).state is state
            assert service.at(whom).edition == "sjtu-2025"
