"""The service on a real store, step by step beside a plain model of what it must hold."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from given import sheet
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from yibao.adapters.service.service import Service, open_service
from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.store.urls import MEMORY, is_postgres
from yibao.domain.calendar import read_instant
from yibao.domain.refusals import NotCorrectable, OutOfStep

from ..helpers.autumn import ADA
from ..helpers.stores import emptied

LATER = read_instant("2026-03-01 12:00")

DAYS = st.sampled_from(["2025-09-01", "2025-09-05", "2025-11-30", "2025-12-01", "2025-12-31"])
INSTANTS = st.builds("{} {}".format, DAYS, st.sampled_from(["00:00", "09:00", "14:20", "23:59"]))

#: A report of each kind as stored name, method and values; reports are never refused.
REPORTS = st.one_of(
    st.tuples(
        st.just("confirmed"),
        st.just("confirm"),
        st.fixed_dictionaries(
            {"channel": st.sampled_from(["app", "proxy"]), "observed": st.just(True)}
        ),
    ),
    st.tuples(
        st.just("other-cover-kept"), st.just("keep_other_cover"), st.just({"observed": True})
    ),
    st.tuples(
        st.just("prior-coverage-verified"),
        st.just("verify_prior_coverage"),
        st.fixed_dictionaries({"lapsed_years": st.integers(0, 3)}),
    ),
    st.tuples(
        st.just("account-built"), st.just("build_account"), st.fixed_dictionaries({"on": DAYS})
    ),
    st.tuples(
        st.just("employee-cover-stopped"),
        st.just("stop_employee_cover"),
        st.fixed_dictionaries({"on": DAYS}),
    ),
    st.tuples(st.just("roster-declared"), st.just("declare_roster"), st.just({"observed": True})),
    st.tuples(
        st.just("withdrawn"),
        st.just("withdraw"),
        st.fixed_dictionaries({"on": DAYS, "observed": st.just(True)}),
    ),
)


class ServiceBesideModel(RuleBasedStateMachine):
    """The model is a list of what was accepted, and of which of it is still current."""

    url: str

    @initialize()
    def open_a_new_store(self) -> None:
        emptied(self.url)
        self.now = LATER
        self.service = self._opened()
        self.names: list[str] = []
        self.current: list[UUID] = []
        self.gone: list[UUID] = []
        self.asked: dict[str, tuple[str, dict[str, Any], int]] = {}
        self.told: dict[int, Any] = {}
        self._accept(
            "registered",
            self.service.register("ada", **sheet()),
        )

    def _opened(self) -> Service:
        return open_service(self.url, clock=self._tick)

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def _accept(self, name: str, receipt: Any, replaces: UUID | None = None) -> None:
        self.names.append(name)
        assert receipt.version == len(self.names)
        assert not receipt.repeated
        place = self.current.index(replaces) if replaces else len(self.current)
        self.current[place : place + 1] = [] if name == "voided" else [receipt.event_id]
        if replaces is not None:
            self.gone.append(replaces)

    @rule(report=REPORTS, at=INSTANTS, number=st.integers(0, 10**6))
    def a_report_is_recorded(
        self, report: tuple[str, str, dict[str, Any]], at: str, number: int
    ) -> None:
        name, method, values = report
        command_id = f"c{number}"
        if command_id in self.asked:
            return
        receipt = getattr(self.service, method)(ADA, at=at, command_id=command_id, **values)
        self._accept(name, receipt)
        self.asked[command_id] = (method, {"at": at, **values}, receipt.version)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def the_same_command_again_adds_nothing(self, data: st.DataObject) -> None:
        command_id = data.draw(st.sampled_from(sorted(self.asked)))
        method, values, version = self.asked[command_id]
        receipt = getattr(self.service, method)(ADA, command_id=command_id, **values)
        assert (receipt.repeated, receipt.version) == (True, version)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def another_command_under_a_used_id_is_refused(self, data: st.DataObject) -> None:
        command_id = data.draw(st.sampled_from(sorted(self.asked)))
        with pytest.raises(OutOfStep, match="command_id_reused"):
            self.service.pay_premium(ADA, at="2025-12-01 10:00", year=2026, command_id=command_id)

    @rule(behind=st.integers(1, 3))
    def a_command_that_expects_another_version_is_refused(self, behind: int) -> None:
        with pytest.raises(OutOfStep, match="version_conflict"):
            self.service.pay_premium(
                ADA, at="2025-12-01 10:00", year=2026, expected_version=len(self.names) + behind
            )

    @rule(data=st.data(), at=INSTANTS)
    def a_current_fact_is_corrected(self, data: st.DataObject, at: str) -> None:
        fact = data.draw(st.sampled_from(self.current))
        name = next(e.name for e in self.service.facts(ADA) if e.event_id == fact)
        receipt = self.service.correct(
            ADA, fact, at="2026-02-01 10:00", reason="misread", occurred_at=at
        )
        self._accept(name, receipt, replaces=fact)

    @precondition(lambda self: len(self.current) > 1)
    @rule(data=st.data())
    def a_current_fact_is_taken_back(self, data: st.DataObject) -> None:
        fact = data.draw(st.sampled_from(self.current[1:]))  # the registration stays
        receipt = self.service.void(ADA, fact, at="2026-02-01 10:00", reason="mistake")
        self._accept("voided", receipt, replaces=fact)

    @precondition(lambda self: self.gone)
    @rule(data=st.data())
    def what_is_no_longer_current_cannot_be_corrected(self, data: st.DataObject) -> None:
        fact = data.draw(st.sampled_from(self.gone))
        with pytest.raises(NotCorrectable, match="superseded"):
            self.service.void(ADA, fact, at="2026-02-01 10:00", reason="mistake")

    @precondition(lambda self: self.url != MEMORY)
    @rule()
    def the_store_is_closed_and_opened_again(self) -> None:
        self.service.close()
        self.service = self._opened()

    @rule(hours=st.integers(1, 3))
    def the_clock_jumps_back(self, hours: int) -> None:
        self.now = max(self.now - timedelta(hours=hours), LATER)

    @invariant()
    def the_stream_holds_what_was_accepted_and_nothing_else(self) -> None:
        recorded = self.service.facts(ADA)
        assert [event.name for event in recorded] == self.names
        assert [event.originator_version for event in recorded] == [*range(1, len(recorded) + 1)]
        stamps = [event.recorded_at for event in recorded]
        assert stamps == sorted(stamps)

    @invariant()
    def an_answer_once_given_for_a_version_stands(self) -> None:
        for version in range(len(self.names) + 1):
            answer = answer_json(self.service.at(ADA, LATER, known_at=version))
            assert self.told.setdefault(version, answer) == answer

    def teardown(self) -> None:
        self.service.close()


def test_the_service_holds_what_a_plain_model_of_it_does(url: str) -> None:
    class Here(ServiceBesideModel):
        pass

    Here.url = url
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=6 if is_postgres(url) else 12,
            stateful_step_count=15,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
