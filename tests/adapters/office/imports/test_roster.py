"""What becomes of each row of a roster: in the facts, in the directory, and when it comes again."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from yibao.adapters.office.directory import Directory, DirectorySettings, Importing
from yibao.adapters.office.imports import (
    Asked,
    Change,
    Imported,
    import_roster,
    imported_json,
    row_told,
    warning_told,
)
from yibao.adapters.office.judging import ROSTER
from yibao.adapters.office.reading import Row, Table
from yibao.adapters.service import Service, open_service
from yibao.adapters.store import StoreError
from yibao.adapters.views.words import LANGUAGES, Words
from yibao.domain.calendar import SHANGHAI
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId

from ..conftest import opened

NOW = datetime(2025, 9, 3, 9, 0, tzinfo=SHANGHAI)
HEADS = list(ROSTER.names)
ADA = ["525001", "李雷", "居民身份证", "11010519491231002X", "本科生", "2025-9-1"]
BO = ["525002", "韩梅梅", "护照", "E12345678", "研究生", "2025-08-30"]
CY = ["525003", "王五", "passport", "E12345679", "undergraduate", "2025-09-02"]


def table(*rows: list[Any]) -> Table:
    """A table whose header is in row 1."""
    places = {head: place for place, head in enumerate(HEADS)}
    return Table(places, HEADS, [Row(n, cells) for n, cells in enumerate(rows, 2)], [])


def but(cells: list[Any], **changed: Any) -> list[Any]:
    return [changed.get(head, cell) for head, cell in zip(HEADS, cells, strict=True)]


@pytest.fixture(params=["sqlite", "postgres"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    with open_service(url, clock=lambda: NOW, by="office") as service:
        yield service


@pytest.fixture
def directory(settings: DirectorySettings) -> Iterator[Directory]:
    with opened(settings) as directory:
        yield directory


def told(imported: Imported) -> list[tuple[int, str, str | None]]:
    return [(row.row, row.verdict, row.code) for row in imported.rows]


def recorded(service: Service, directory: Directory, number: str) -> list[str]:
    """The kinds of facts of a student, by her number."""
    ref = directory.find("sjtu", number, by="test")
    return [] if ref is None else [fact.name for fact in service.facts(EnrollmentId(ref, 2025))]


def test_who_is_new_is_registered_and_declared(service: Service, directory: Directory) -> None:
    found = import_roster(service, directory, table(ADA, BO), Asked("sjtu"))
    assert told(found) == [(2, "registered", None), (3, "registered", None)]
    assert found.is_fine
    ref = directory.find("sjtu", "525002", by="test")
    assert ref is not None
    answer = service.at(EnrollmentId(ref, 2025))
    assert (answer.school, answer.category, answer.document) == (
        "sjtu",
        "postgraduate",
        "passport",
    )
    registration, _ = service.facts(EnrollmentId(ref, 2025))
    assert registration.on == date(2025, 8, 30)  # type: ignore[attr-defined]
    assert registration.by == "office"
    assert recorded(service, directory, "525001") == ["registered", "roster-declared"]
    entry = directory.person(ref, by="test")
    assert entry == ("sjtu", "525002", "韩梅梅", "passport", "E12345678")


def test_importing_again_changes_nothing(service: Service, directory: Directory) -> None:
    rows = [ADA, BO, but(CY, category="留学生"), but(CY, number="9", registered_on="9月1日")]
    first = import_roster(service, directory, table(*rows), Asked("sjtu"))
    assert told(first)[2:] == [(4, "refused", "not_a_new_student"), (5, "refused", "no_year")]
    refs = [directory.find("sjtu", each[0], by="test") for each in rows]
    assert [ref is None for ref in refs] == [False, False, True, True]
    events = [service.facts(EnrollmentId(ref, 2025)) for ref in refs if ref]
    again = import_roster(service, directory, table(*rows), Asked("sjtu"))
    assert told(again) == [(2, "known", None), (3, "known", None), *told(first)[2:]]
    assert [directory.find("sjtu", each[0], by="test") for each in rows] == refs
    assert [service.facts(EnrollmentId(ref, 2025)) for ref in refs if ref] == events


def test_of_who_is_registered_already_what_is_lacking_is_declared(
    service: Service, directory: Directory
) -> None:
    import_roster(service, directory, table(ADA), Asked("sjtu"))
    ref = directory.find("sjtu", "525001", by="test")
    assert ref is not None
    whose = EnrollmentId(ref, 2025)
    service.void(whose, fact=service.facts(whose)[1].event_id, reason="not-yet")
    assert told(import_roster(service, directory, table(ADA), Asked("sjtu"))) == [
        (2, "declared", None)
    ]
    assert told(import_roster(service, directory, table(ADA), Asked("sjtu"))) == [
        (2, "known", None)
    ]


CHANGED = [
    ("category", "研究生", Change("category", "undergraduate", "postgraduate")),
    ("registered_on", "2025-09-02", Change("registered_on", "2025-09-01", "2025-09-02")),
    ("name", "李蕾", Change("name")),
]


@pytest.mark.parametrize(("column", "cell", "change"), CHANGED)
def test_what_has_changed_is_told_and_corrected_where_that_is_asked_for(
    service: Service, directory: Directory, column: str, cell: str, change: Change
) -> None:
    import_roster(service, directory, table(ADA, BO), Asked("sjtu"))
    rows = table(but(ADA, **{column: cell}), BO)
    import_roster(service, directory, rows, Asked("sjtu"))
    found = import_roster(service, directory, rows, Asked("sjtu"))  # as long as it is only told
    assert told(found) == [(2, "changed", None), (3, "known", None)]
    assert found.rows[0].changes == (change,)
    assert not found.is_fine
    tried = import_roster(service, directory, rows, Asked("sjtu", correct=True, dry_run=True))
    assert told(tried) == told(found)
    corrected = import_roster(service, directory, rows, Asked("sjtu", correct=True))
    assert told(corrected) == told(found)
    now = import_roster(service, directory, rows, Asked("sjtu"))
    assert told(now) == [(2, "known", None), (3, "known", None)]
    # And the roster from before is the one that differs by now.
    before = import_roster(service, directory, table(ADA, BO), Asked("sjtu"))
    assert told(before)[0] == (2, "changed", None)


def test_a_correction_has_a_reason(service: Service, directory: Directory) -> None:
    import_roster(service, directory, table(ADA, BO), Asked("sjtu"))
    ada, bo = but(ADA, category="研究生"), but(BO, category="本科")
    asked = Asked("sjtu", correct=True)
    for row, how in ((ada, asked), (bo, asked._replace(reason="sheet-misread"))):
        import_roster(service, directory, table(row), how)
        ref = directory.find("sjtu", row[0], by="test")
        assert ref is not None
        correction = service.facts(EnrollmentId(ref, 2025))[-1]
        assert correction.reason == how.reason  # type: ignore[attr-defined]


def test_a_correction_that_can_never_be_right_is_refused(
    service: Service, directory: Directory
) -> None:
    import_roster(service, directory, table(ADA), Asked("sjtu"))
    found = import_roster(
        service, directory, table(but(ADA, number="525001", school="x")), Asked("sjtu")
    )
    assert told(found) == [(2, "known", None)]
    withdrawn = EnrollmentId(directory.find("sjtu", "525001", by="t") or "", 2025)
    service.withdraw(withdrawn, on="2025-09-02")
    service.void(withdrawn, fact=service.facts(withdrawn)[1].event_id, reason="x")
    found = import_roster(service, directory, table(ADA), Asked("sjtu"))
    assert told(found) == [(2, "refused", "withdrawn")]


def test_equal_rows_count_once_and_others_not_at_all(
    service: Service, directory: Directory
) -> None:
    found = import_roster(
        service, directory, table(ADA, ADA, BO, but(BO, name="韩媚媚"), CY), Asked("sjtu")
    )
    assert [(row.row, row.verdict, row.beside) for row in found.rows] == [
        (2, "registered", ()),
        (3, "twice", (2,)),
        (4, "twice", (5,)),
        (5, "twice", (4,)),
        (6, "registered", ()),
    ]
    assert recorded(service, directory, "525002") == []


def test_a_dry_run_says_the_same_and_records_nothing(
    service: Service, directory: Directory, settings: DirectorySettings
) -> None:
    rows = table(ADA, but(BO, category="留学生"))
    tried = import_roster(service, None, rows, Asked("sjtu", dry_run=True))
    assert tried.dry_run
    assert directory.known([("sjtu", "525001")]) == [None]
    found = import_roster(service, directory, rows, Asked("sjtu"))
    assert told(found) == told(tried)
    assert told(import_roster(service, directory, rows, Asked("sjtu", dry_run=True)))[0] == (
        2,
        "known",
        None,
    )


def test_all_or_nothing(service: Service, directory: Directory) -> None:
    asked = Asked("sjtu", all_or_nothing=True)
    found = import_roster(service, directory, table(ADA, but(BO, category="?")), asked)
    assert found.dry_run
    assert told(found) == [(2, "registered", None), (3, "refused", "unknown_category")]
    assert recorded(service, directory, "525001") == []
    assert import_roster(service, directory, table(ADA, BO), asked).is_fine
    assert recorded(service, directory, "525001") == ["registered", "roster-declared"]


def test_the_edition_is_that_of_the_day_and_where_there_is_none_it_is_told(
    service: Service, directory: Directory
) -> None:
    rows = table(but(ADA, registered_on="2024-09-02"), but(BO, registered_on="2025-03-01"))
    found = import_roster(service, directory, rows, Asked("sjtu"))
    assert told(found) == [(2, "registered", None), (3, "refused", "no_edition")]
    ref = directory.find("sjtu", "525001", by="test")
    assert ref is not None
    assert service.enrollments(ref) == (2024,)


def test_when_it_happened_may_be_told(service: Service, directory: Directory) -> None:
    at = datetime(2025, 9, 2, 17, 0, tzinfo=SHANGHAI)
    import_roster(service, directory, table(ADA), Asked("sjtu", at=at, by="officer-7"))
    ref = directory.find("sjtu", "525001", by="test")
    assert ref is not None
    facts = service.facts(EnrollmentId(ref, 2025))
    assert [(fact.occurred_at, fact.by) for fact in facts] == [(at, "officer-7")] * 2  # type: ignore[attr-defined]
    later = datetime(2025, 9, 4, tzinfo=SHANGHAI)
    with pytest.raises(BadValue, match="at"):
        import_roster(service, directory, table(BO), Asked("sjtu", at=later))


@pytest.mark.parametrize(
    "asked", [Asked(""), Asked("13812345678"), Asked("sjtu", by="a b"), Asked("sjtu", reason="A")]
)
def test_what_can_never_be_right_is_told_before_anything_is_recorded(
    service: Service, directory: Directory, asked: Asked
) -> None:
    with pytest.raises(BadValue):
        import_roster(service, directory, table(ADA), asked)
    assert directory.known([(asked.school, "525001")]) == [None]


def many(count: int) -> list[list[Any]]:
    return [but(BO, number=f"6{n:05}", document_number=f"P{n:08}") for n in range(count)]


class Killed(BaseException):
    """As if the process were gone."""


@pytest.mark.parametrize("after", ["add", "record_each", "keep"])
@pytest.mark.parametrize("batch", [1, 2])
def test_killed_anywhere_and_repeated_it_ends_as_if_it_had_run_once(
    service: Service,
    directory: Directory,
    monkeypatch: pytest.MonkeyPatch,
    after: str,
    batch: int,
) -> None:
    owner: Any = Service if after == "record_each" else Importing
    real, left = getattr(owner, after), iter([*[False] * (batch - 1), True, *[False] * 99])

    def goes_no_further(*args: Any, **how: Any) -> Any:
        done = real(*args, **how)
        if next(left):
            raise Killed
        return done

    rows = table(*many(700))
    monkeypatch.setattr(owner, after, goes_no_further)
    with pytest.raises(Killed):
        import_roster(service, directory, rows, Asked("sjtu"))
    found = import_roster(service, directory, rows, Asked("sjtu"))
    assert found.is_fine
    assert {*found.counts.values()} >= {700 - found.counts["known"]}
    people = directory.known([("sjtu", each[0]) for each in many(700)])
    refs = {who.ref for who in people if who}
    assert len(refs) == 700
    for ref in refs:
        assert len(service.facts(EnrollmentId(ref, 2025))) == 2
    assert directory._keys.unsettled() == []


def test_nobody_else_imports_meanwhile(
    service: Service, directory: Directory, settings: DirectorySettings
) -> None:
    with (
        opened(settings) as other,
        other.importing(lambda ref: True),
        pytest.raises(StoreError, match="somebody else imports"),
    ):
        import_roster(service, directory, table(ADA), Asked("sjtu"))


def test_what_is_told_names_rows_codes_and_days_and_no_cell(
    service: Service, directory: Directory
) -> None:
    import_roster(service, directory, table(ADA, BO), Asked("sjtu"))
    rows = table(
        but(ADA, name="某", category="研究生", registered_on="2025-09-02"),
        BO,
        CY,
        CY,
        but(CY, number="777777777", category="旁听生甲"),
        but(CY, number="9", document_number="11010519491231002X"),
    )
    found = import_roster(service, directory, rows, Asked("sjtu", dry_run=True))
    as_json = imported_json(found)
    assert as_json["counts"] == {
        "registered": 1,
        "declared": 0,
        "known": 1,
        "changed": 1,
        "refused": 2,
        "twice": 1,
    }
    assert as_json["rows"][0]["with"] == [
        {"column": "name", "from": None, "to": None},
        {"column": "category", "from": "undergraduate", "to": "postgraduate"},
        {"column": "registered_on", "from": "2025-09-01", "to": "2025-09-02"},
    ]
    assert as_json["rows"][3] == {"row": 5, "verdict": "twice", "code": None, "with": [4]}
    assert as_json["warnings"] == [{"code": "short_number", "row": 7, "usual": 6}]
    for language in LANGUAGES:
        words = Words(language)
        sentences = [*(row_told(row, words) for row in found.rows)]
        sentences += [(warning_told(each, words), "") for each in found.warnings]
        assert all(why for why, _ in (sentences[0], *sentences[3:]))
        for cells in (ADA, BO, CY, ["旁听生甲", "777777777", "某"]):
            for cell in (*cells[:2], cells[3 % len(cells)]):
                assert not any(cell in part for pair in sentences for part in pair), cell
