"""What becomes of rows about students who are known: checks, accounts, proxies and premiums."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from yibao.adapters.office.directory import Directory, DirectorySettings
from yibao.adapters.office.imports import (
    Asked,
    Change,
    Imported,
    import_known,
    import_roster,
    imported_json,
    row_told,
    verdict_told,
)
from yibao.adapters.office.judging import KINDS, ROSTER
from yibao.adapters.office.reading import Row, Table
from yibao.adapters.service import Service, open_service
from yibao.adapters.views.words import LANGUAGES, Words
from yibao.domain.calendar import SHANGHAI
from yibao.domain.money import Fen
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId

from ..conftest import opened

NOW = datetime(2025, 12, 10, 9, 0, tzinfo=SHANGHAI)
REGISTERED = datetime(2025, 9, 2, 17, 0, tzinfo=SHANGHAI)
ADA, BO, CY = "525001", "525002", "525003"
ENTERED = datetime(2025, 9, 8, 14, 20, tzinfo=SHANGHAI)


def table_of(heads: list[str], *rows: list[Any]) -> Table:
    """A table whose header is in row 1."""
    places = {head: place for place, head in enumerate(heads)}
    return Table(places, heads, [Row(n, cells) for n, cells in enumerate(rows, 2)], [])


@pytest.fixture(params=["sqlite", "postgres"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    with open_service(url, clock=lambda: NOW, by="office") as service:
        yield service


@pytest.fixture
def directory(settings: DirectorySettings, service: Service) -> Iterator[Directory]:
    """A directory with three students who are registered."""
    rows = [[n, "某", "护照", f"P{n}", "本科生", "2025-09-01"] for n in (ADA, BO, CY)]
    with opened(settings) as directory:
        roster = table_of(list(ROSTER.names), *rows)
        assert import_roster(service, directory, roster, Asked("sjtu", at=REGISTERED)).is_fine
        yield directory


class Office:
    """The office at work on tables of one kind."""

    def __init__(self, service: Service, directory: Directory, kind: str, *heads: str) -> None:
        self.service, self.directory, self.kind = service, directory, KINDS[kind]
        self.heads = ["number", *heads]

    def imported(self, *rows: list[Any], **asked: Any) -> Imported:
        table = table_of(self.heads, *rows)
        return import_known(self.service, self.directory, self.kind, table, Asked("sjtu", **asked))

    def verdicts(self, *rows: list[Any], **asked: Any) -> list[tuple[str, str | None]]:
        return [(row.verdict, row.code) for row in self.imported(*rows, **asked).rows]

    def facts(self, number: str, year: int = 2025) -> list[Any]:
        """What was recorded of a student after her registration."""
        (who,) = self.directory.known([("sjtu", number)])
        assert who is not None
        return list(self.service.facts(EnrollmentId(who.ref, year)))[2:]

    def ref(self, number: str) -> str:
        found = self.directory.find("sjtu", number, by="test")
        assert found is not None
        return found


NEW, KNOWN, CHANGED = ("registered", None), ("known", None), ("changed", None)


@pytest.fixture
def results(service: Service, directory: Directory) -> Office:
    columns = ("lapsed_years", "years_repaid", "waiting_ends_on")
    return Office(service, directory, "results", *columns)


@pytest.fixture
def accounts(service: Service, directory: Directory) -> Office:
    return Office(service, directory, "accounts", "built_on")


@pytest.fixture
def proxies(service: Service, directory: Directory) -> Office:
    return Office(service, directory, "proxies", "asked_on", "entered_at")


@pytest.fixture
def payments(service: Service, directory: Directory) -> Office:
    return Office(service, directory, "payments", "year", "amount", "paid_at")


def test_the_results_of_the_check_are_recorded_once(results: Office) -> None:
    rows = [[ADA, "1", "", ""], [BO, 2.0, "1", "2025-11-30"], [CY, "０", "", ""]]
    assert results.verdicts(*rows) == [NEW] * 3
    (check,) = results.facts(BO)
    assert (check.name, check.lapsed_years, check.years_repaid, check.waiting_ends_on) == (
        "prior-coverage-verified",
        2,
        1,
        date(2025, 11, 30),
    )
    assert (check.occurred_at, check.by) == (NOW, "office")
    assert results.verdicts(*rows) == [KNOWN] * 3
    assert len(results.facts(BO)) == 1


def test_another_result_is_told_and_corrected_where_that_is_asked_for(results: Office) -> None:
    results.imported([ADA, "1", "", "2025-11-30"])
    row = [ADA, "2", "1", ""]
    expected = (
        Change("lapsed_years", "1", "2"),
        Change("years_repaid", None, "1"),
        Change("waiting_ends_on", "2025-11-30", None),
    )
    for asked in ({}, {"correct": True, "dry_run": True}, {"correct": True, "reason": "misread"}):
        found = results.imported(row, **asked)
        assert found.rows[0].verdict == "changed"
        assert found.rows[0].changes == expected
    assert results.verdicts(row) == [KNOWN]
    correction = results.facts(ADA)[-1]
    assert (correction.reason, correction.lapsed_years) == ("misread", 2)
    assert correction.supersedes == results.facts(ADA)[0].event_id


def test_a_check_made_at_another_time_is_another_check(
    service: Service, directory: Directory
) -> None:
    results = Office(service, directory, "results", "lapsed_years", "checked_at")
    first, second = [ADA, "2", "2025-09-09 10:00"], [ADA, "1", "2025-10-09 10:00"]
    assert results.verdicts(first, second) == [NEW, NEW]
    assert results.verdicts(second, first) == [KNOWN, KNOWN]
    assert [check.lapsed_years for check in results.facts(ADA)] == [2, 1]
    assert results.verdicts([ADA, "0", "2025-10-09 10:00"]) == [CHANGED]
    assert results.verdicts([ADA, "2", ""]) == [CHANGED]  # the later one counts
    # Without that column nothing is said of years repaid, or of a day.
    assert results.imported([ADA, "1", ""]).is_fine


def test_an_account_is_recorded_once(accounts: Office) -> None:
    at = datetime(2025, 12, 5, tzinfo=SHANGHAI)
    assert accounts.verdicts([ADA, "2025-12-01"], [BO, 45992], at=at, by="officer-7") == [NEW, NEW]
    (fact,) = accounts.facts(ADA)
    assert (fact.name, fact.on, fact.occurred_at, fact.by) == (
        "account-built",
        date(2025, 12, 1),
        at,
        "officer-7",
    )
    assert accounts.verdicts([ADA, "2025/12/1"], [BO, 45992]) == [KNOWN, KNOWN]
    assert accounts.verdicts([ADA, "2025-12-02"]) == [CHANGED]
    assert accounts.verdicts([ADA, "2025-12-02"], correct=True) == [CHANGED]
    assert accounts.verdicts([ADA, "2025-12-02"]) == [KNOWN]


def test_a_proxy_waits_in_the_directory_until_it_was_entered(proxies: Office) -> None:
    asked = date(2025, 9, 5)
    rows = [[ADA, "2025-09-05", ""], [BO, "2025-09-05", "2025-09-08 14:20"]]
    assert proxies.verdicts(*rows, dry_run=True) == [("declared", None), NEW]
    assert proxies.directory.waiting_proxies("sjtu") == []
    assert proxies.verdicts(*rows) == [("declared", None), NEW]
    assert proxies.directory.waiting_proxies("sjtu") == [(proxies.ref(ADA), asked)]
    assert proxies.facts(ADA) == []
    (confirmation,) = proxies.facts(BO)
    assert (confirmation.name, confirmation.channel, confirmation.occurred_at) == (
        "confirmed",
        "proxy",
        ENTERED,
    )
    assert not confirmation.observed
    assert proxies.verdicts(*rows) == [KNOWN, KNOWN]
    assert proxies.verdicts([ADA, "2025-09-05", "2025-09-08 14:20"]) == [NEW]
    assert proxies.directory.waiting_proxies("sjtu") == []
    assert proxies.verdicts([ADA, "2025-09-05", ""]) == [KNOWN]  # she has confirmed since
    assert proxies.directory.waiting_proxies("sjtu") == []


def test_a_proxy_of_another_day_takes_the_place_of_the_first_where_that_is_asked_for(
    proxies: Office,
) -> None:
    proxies.imported([ADA, "2025-09-05", ""])
    row = [ADA, "2025-09-06", ""]
    for asked, day in (({}, 5), ({"correct": True, "dry_run": True}, 5), ({"correct": True}, 6)):
        found = proxies.imported(row, **asked)
        assert found.rows[0].changes == (Change("asked_on", "2025-09-05", "2025-09-06"),)
        assert proxies.directory.waiting_proxies("sjtu") == [(proxies.ref(ADA), date(2025, 9, day))]
    assert proxies.verdicts(row) == [KNOWN]


def test_when_a_proxy_was_entered_is_corrected(proxies: Office) -> None:
    proxies.imported([ADA, "", "2025-09-08 14:20"])
    row = [ADA, "", "2025-09-09 14:20"]
    assert proxies.imported(row).rows[0].changes == (
        Change("entered_at", "2025-09-08T14:20:00+08:00", "2025-09-09T14:20:00+08:00"),
    )
    assert proxies.verdicts(row, correct=True) == [CHANGED]
    assert proxies.facts(ADA)[-1].occurred_at == datetime(2025, 9, 9, 14, 20, tzinfo=SHANGHAI)
    assert proxies.verdicts(row) == [KNOWN]


def test_a_proxy_that_may_not_be_is_refused_and_waits_on(proxies: Office) -> None:
    proxies.imported([ADA, "2025-09-05", ""])
    found = proxies.verdicts(
        [ADA, "", "2025-09-01 14:20"],
        [BO, "", "2025-12-24 14:20"],
        [CY, "", ""],
    )
    assert found == [
        ("refused", "window_not_open"),
        ("refused", "in_the_future"),
        ("refused", "empty"),
    ]
    assert len(proxies.directory.waiting_proxies("sjtu")) == 1
    proxies.service.confirm(EnrollmentId(proxies.ref(ADA), 2025), at=ENTERED, channel="app")
    assert proxies.verdicts([ADA, "", "2025-09-08 15:00"]) == [("refused", "already_confirmed")]
    assert proxies.verdicts([ADA, "2025-09-05", ""]) == [KNOWN]
    assert proxies.directory.waiting_proxies("sjtu") == []


def test_who_is_forgotten_gave_no_proxy(proxies: Office) -> None:
    proxies.imported([ADA, "2025-09-05", ""])
    proxies.directory.forget(proxies.ref(ADA), by="officer-7", reason="left")
    assert proxies.directory.waiting_proxies("sjtu") == []
    assert proxies.verdicts([ADA, "2025-09-05", ""]) == [("refused", "nobody")]


def test_premiums_are_recorded_once_for_each_year(payments: Office) -> None:
    rows = [
        [ADA, "2026", "355.00", "2025-12-01 10:00"],
        [ADA, "2025年", 0, ""],
        [BO, 2026, "¥1,355.5元", ""],
        [CY, "2026", "", ""],
    ]
    assert payments.verdicts(*rows) == [NEW] * 4
    later, first = sorted(payments.facts(ADA), key=lambda fact: -fact.year)
    assert (later.name, later.year, later.amount) == ("premium-paid", 2026, Fen(35500))
    assert later.occurred_at == datetime(2025, 12, 1, 10, 0, tzinfo=SHANGHAI)
    assert (first.year, first.amount, first.occurred_at) == (2025, 0, NOW)
    assert later.observed
    assert payments.facts(BO)[0].amount == Fen(135550)
    assert payments.facts(CY)[0].amount is None
    assert payments.verdicts(*rows) == [KNOWN] * 4
    assert payments.verdicts([ADA, "2026", "", ""]) == [KNOWN]  # an empty cell says nothing
    assert payments.verdicts([ADA, "2027", "", ""]) == [("refused", "no_enrollment")]


def test_another_amount_is_told_and_corrected(payments: Office) -> None:
    payments.imported([ADA, "2026", "355.00", ""])
    row = [ADA, "2026", "405.00", "2025-12-02"]
    found = payments.imported(row, correct=True)
    assert found.rows[0].changes == (
        Change("amount", "355.00", "405.00"),
        Change("paid_at", "2025-12-10T09:00:00+08:00", "2025-12-02T00:00:00+08:00"),
    )
    corrected = payments.facts(ADA)[-1]
    assert (corrected.amount, corrected.occurred_at) == (
        Fen(40500),
        datetime(2025, 12, 2, tzinfo=SHANGHAI),
    )
    assert payments.verdicts(row) == [KNOWN]


def next_year(office: Office, number: str) -> EnrollmentId:
    """She goes on, registered for the next year by the edition of those who do."""
    office.service.register(
        office.ref(number),
        policy="shanghai-2026-continuing",
        on="2025-09-01",
        school="sjtu",
        category="undergraduate",
        document="passport",
        at="2025-12-01 09:00",
    )
    return EnrollmentId(office.ref(number), 2026)


def test_a_payment_is_told_in_the_year_that_it_enrolls_for(payments: Office) -> None:
    payments.imported([BO, "2026", "355.00", ""])
    whose = [next_year(payments, number) for number in (ADA, BO)]
    rows = [[ADA, "2026", "355.00", "2025-12-01 10:00"], [BO, "2026", "355.00", ""]]
    assert payments.verdicts(*rows) == [NEW, KNOWN]
    kinds = [[fact.name for fact in payments.service.facts(each)] for each in whose]
    assert kinds == [["registered", "premium-paid"], ["registered"]]
    # What was told in the stream of the year before is corrected there.
    assert payments.verdicts([BO, "2026", "405.00", ""], correct=True) == [CHANGED]
    assert payments.facts(BO)[-1].amount == Fen(40500)


def test_a_row_is_of_the_year_it_names_or_of_the_one_its_day_lies_in(
    service: Service, directory: Directory
) -> None:
    accounts = Office(service, directory, "accounts", "built_on", "year")
    whose = next_year(accounts, ADA)
    accounts.imported([ADA, "2025-12-01", ""])
    assert [fact.name for fact in accounts.facts(ADA)] == ["account-built"]
    accounts.imported([ADA, "2026-01-02", ""])
    assert [fact.name for fact in service.facts(whose)] == ["registered", "account-built"]
    assert accounts.verdicts([ADA, "2025-12-01", "2026"]) == [CHANGED]
    assert accounts.verdicts([ADA, "2025-12-01", "2024"]) == [("refused", "no_enrollment")]
    results = Office(service, directory, "results", "lapsed_years")
    assert results.verdicts([ADA, "1"]) == [NEW]  # today lies in the first year
    assert [fact.name for fact in results.facts(ADA)][-1] == "prior-coverage-verified"


def test_who_is_not_known_is_refused_and_gets_no_entry(results: Office) -> None:
    assert results.verdicts(["525009", "1", "", ""]) == [("refused", "nobody")]
    assert results.directory.known([("sjtu", "525009")]) == [None]
    table = table_of(results.heads, [ADA, "1", "", ""])
    elsewhere = import_known(
        results.service, results.directory, results.kind, table, Asked("tongji")
    )
    assert elsewhere.rows[0].code == "nobody"
    nowhere = import_known(results.service, None, results.kind, table, Asked("sjtu", dry_run=True))
    assert nowhere.rows[0].code == "nobody"


@pytest.mark.parametrize(
    ("kind", "heads", "cells"),
    [
        ("results", ["lapsed_years"], ["1.0"]),
        ("payments", ["year", "amount"], ["2026.0", "400.0"]),
    ],
)
def test_whole_numbers_of_a_csv_may_be_written_as_floats(
    service: Service, directory: Directory, kind: str, heads: list[str], cells: list[Any]
) -> None:
    office = Office(service, directory, kind, *heads)
    assert office.verdicts([ADA, *cells]) == [("registered", None)]


@pytest.mark.parametrize(
    ("kind", "heads", "cells", "code"),
    [
        ("results", ["lapsed_years"], ["一年"], "not_a_count"),
        ("results", ["lapsed_years"], ["1.5"], "not_a_count"),
        ("results", ["lapsed_years"], ["101"], "not_a_count"),
        ("results", ["lapsed_years"], ["-1"], "not_a_count"),
        ("results", ["lapsed_years"], [1.5], "damaged_number"),
        ("results", ["lapsed_years"], [""], "empty"),
        ("results", ["lapsed_years", "waiting_ends_on"], ["1", "11月30日"], "no_year"),
        ("results", ["lapsed_years", "checked_at"], ["1", "2025-09-06 25:00"], "not_an_instant"),
        ("accounts", ["built_on"], ["已建账"], "not_a_day"),
        ("proxies", ["asked_on", "entered_at"], ["2025-09-05", "已录入"], "not_a_day"),
        ("accounts", ["built_on"], ["0001-01-01"], "not_a_day"),
        ("proxies", ["asked_on", "entered_at"], ["", "0001-01-01 10:00"], "not_a_day"),
        ("results", ["lapsed_years", "waiting_ends_on"], ["1", "9999-12-31"], "not_a_day"),
        ("payments", ["year"], ["26"], "not_a_year"),
        ("payments", ["year"], ["1999"], "not_a_year"),
        ("payments", ["year", "amount"], ["2026", "355.001"], "not_an_amount"),
        ("payments", ["year", "amount"], ["2026", -355], "not_an_amount"),
        ("payments", ["year", "amount"], ["2026", True], "not_text"),
    ],
)
def test_a_cell_that_cannot_be_right_is_told(
    service: Service, directory: Directory, kind: str, heads: list[str], cells: list[Any], code: str
) -> None:
    office = Office(service, directory, kind, *heads)
    assert office.verdicts([ADA, *cells]) == [("refused", code)]
    assert office.facts(ADA) == []


def test_rows_of_one_student_are_told_twice_unless_they_are_of_different_years(
    payments: Office, results: Office
) -> None:
    one, other = [ADA, "2026", "355.00", ""], [ADA, "2025", "0", ""]
    assert payments.verdicts(one, one, other) == [NEW, ("twice", None), NEW]
    differing = payments.verdicts(one, [ADA, "2026", "1", ""])
    assert differing == [("twice", "twice_differing")] * 2
    assert results.verdicts([BO, "1", "", ""], [BO, "2", "", ""]) == differing


def test_all_or_nothing(results: Office) -> None:
    rows = [[ADA, "1", "", ""], ["525009", "1", "", ""]]
    found = results.imported(*rows, all_or_nothing=True)
    assert found.dry_run
    assert [row.verdict for row in found.rows] == ["registered", "refused"]
    assert results.facts(ADA) == []
    assert results.imported(rows[0], all_or_nothing=True).is_fine
    assert len(results.facts(ADA)) == 1


def test_what_was_taken_back_is_recorded_anew(accounts: Office) -> None:
    accounts.imported([ADA, "2025-12-01"])
    (fact,) = accounts.facts(ADA)
    whose = EnrollmentId(accounts.ref(ADA), 2025)
    accounts.service.void(whose, fact=fact.event_id, reason="not-yet")
    assert accounts.verdicts([ADA, "2025-12-01"]) == [NEW]
    assert accounts.verdicts([ADA, "2025-12-01"]) == [KNOWN]


@pytest.mark.parametrize("asked", [{"at": NOW.replace(year=2026)}, {"by": "a b"}, {"reason": "A"}])
def test_what_can_never_be_right_is_told_before_anything_is_recorded(
    accounts: Office, asked: dict[str, Any]
) -> None:
    with pytest.raises(BadValue):
        accounts.imported([ADA, "2025-12-01"], **asked)
    assert accounts.facts(ADA) == []


class Killed(BaseException):
    """As if the process were gone."""


@pytest.mark.parametrize("after", ["proxies_wait", "proxies_ended", "keep"])
def test_killed_anywhere_and_repeated_it_ends_as_if_it_had_run_once(
    proxies: Office, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    from yibao.adapters.office.directory import Importing

    proxies.imported([ADA, "2025-09-05", ""])
    rows = [[ADA, "2025-09-05", "2025-09-08 14:20"], [BO, "2025-09-06", ""]]

    def goes_no_further(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Importing, after, goes_no_further)
        with pytest.raises(Killed):
            proxies.imported(*rows)
    assert proxies.imported(*rows).is_fine
    assert [fact.name for fact in proxies.facts(ADA)] == ["confirmed"]
    waiting = [(proxies.ref(BO), date(2025, 9, 6))]
    assert proxies.directory.waiting_proxies("sjtu") == waiting


def test_what_is_told_names_rows_codes_and_days_and_no_cell(
    payments: Office, proxies: Office
) -> None:
    payments.imported([ADA, "2026", "355.00", ""])
    found = payments.imported([ADA, "2026", "405.00", ""], ["777777777", "2026", "", ""])
    as_json = imported_json(found)
    assert as_json["counts"] == {
        "registered": 0,
        "declared": 0,
        "known": 0,
        "changed": 1,
        "refused": 1,
        "twice": 0,
    }
    assert as_json["rows"] == [
        {
            "row": 2,
            "verdict": "changed",
            "code": None,
            "with": [{"column": "amount", "from": "355.00", "to": "405.00"}],
        },
        {"row": 3, "verdict": "refused", "code": "nobody", "with": []},
    ]
    for language in LANGUAGES:
        words = Words(language)
        for row in found.rows:
            why, _ = row_told(row, words)
            assert why
            assert "777777777" not in why
    assert [verdict_told(each, "proxies", Words("en")) for each in ("registered", "declared")] == [
        "recorded",
        "waits to be entered",
    ]
    assert verdict_told("declared", "roster", Words("en")) == "declared"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_column_is_found_by_its_own_name_in_both_languages(kind: str, language: Any) -> None:
    words, heading = Words(language), KINDS[kind].heading
    for column in heading.names:
        assert heading.column(words("roster", column)) == column
        assert words("roster_help", column)
