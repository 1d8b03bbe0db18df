"""What type checkers know of the public names; read by them in `test_names.py`, and not run."""

from datetime import date, datetime
from typing import Any, assert_type
from uuid import UUID

import yibao
from yibao import commands


def asked(service: yibao.Service, whom: yibao.EnrollmentId) -> None:
    answer = service.at(whom, "2025-12-01 10:00", known_at=yibao.read_cutoff("3"))
    assert_type(answer, yibao.Answer)
    assert_type(answer.state, yibao.State | None)
    assert_type(answer.next_steps, tuple[yibao.NextStep, ...])
    assert answer.values is not None
    values = answer.values
    assert_type(values.waiting.value, yibao.WaitingPeriod | yibao.Pending | None)
    assert_type(values.account_built_on.value, date | yibao.Pending | None)
    assert_type(values.evoucher_available_at.value, datetime | yibao.Pending | None)
    coverage = values.coverage.value
    assert_type(coverage, yibao.DayRange | yibao.Pending | None)
    if coverage is not None and coverage is not yibao.PENDING:
        assert_type(coverage.first, date)


def recorded(service: yibao.Service, whom: yibao.EnrollmentId) -> None:
    receipt = service.confirm(whom, at="2025-09-06 14:20", channel="app")
    assert_type(receipt, yibao.Receipt)
    assert_type(receipt.event_id, UUID)
    at = yibao.read_instant("2025-09-07 10:00")
    confirm = commands.Confirm(at=at, channel=yibao.ConfirmationChannel.APP)
    for reply in service.record_each([(whom, confirm)]):
        if isinstance(reply, yibao.Refused):
            assert_type(reply.code, yibao.Code)


def told(service: yibao.Service, whom: yibao.EnrollmentId) -> None:
    assert_type(yibao.as_json(service.at(whom), lang="zh", explain=True), dict[str, Any])
    assert_type(yibao.as_json(service.history(whom, "state")), list[Any])
    told = yibao.models.Answer.model_validate({})
    assert_type(told.seen.window, int)
    assert_type(told.state, yibao.State | None)
    assert_type(told.next_steps[0].text, str)


def opened() -> None:
    with yibao.open("memory:", settings=yibao.StoreSettings(pool_max=4)) as service:
        assert_type(service, yibao.Service)
        with service.audit_trail() as trail:
            assert_type(trail, yibao.AuditTrail)
            trail.page(yibao.Question(ref="s1"))
        cohort = service.cohort("2025-12-01 10:00", school="sjtu", year=2025)
        assert_type(cohort, yibao.CohortView)
        assert_type(cohort.count(by="next_step"), yibao.CohortCounts)
        page = cohort.page(limit=10)
        assert_type(page, yibao.CohortPage)
        assert_type(page.entries, tuple[yibao.CohortEntry, ...])
        for answer in cohort.answers():
            assert_type(answer, yibao.Answer)
    assert_type(yibao.__all__, list[str])
