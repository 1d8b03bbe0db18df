"""`yibao due`: what has come, for people in both languages, and for programs."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from yibao.adapters.service.service import open_service
from yibao.adapters.stories.published import SCHEMAS
from yibao.projections.cohort.due import KINDS

from ..conftest import Run
from ..helpers.autumn import BO, EDITIONS, Clock, an_autumn
from ..helpers.stores import rows
from ..store.sqlite.test_read_only import as_reader, everything, folder, given

__all__ = ["folder"]


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with an autumn in it, of which nothing was noticed yet."""
    url, clock = f"sqlite:///{tmp_path / 'facts.db'}", Clock()
    with open_service(url, policies=EDITIONS, clock=clock) as service:
        an_autumn(service, clock)
    return url


def test_a_table_names_what_has_come_until_it_is_acknowledged(run: Run, store: str) -> None:
    result = run("due", "--store", store, "--until", "2025-12-18")

    head, *lines = result.stdout.splitlines()
    assert head.split() == ["id", "due", "notice", "word", "ref", "year", "noticed"]
    assert [line.split("  ")[2].strip() for line in (re.sub(" {2,}", "  ", x) for x in lines)] == [
        "cover begins",
        "the e-voucher can be had",
        "the window closes soon",
    ]
    left = run("due", "--store", store, "--acknowledge", "1", "--acknowledge", "2")
    assert [line.split()[0] for line in left.stdout.splitlines()[1:]] == ["3", "4"]
    run("due", "--store", store, "--acknowledge", "3", "--acknowledge", "4")
    nothing = run("due", "--store", store)
    assert nothing.stdout == "nothing is due that is not acknowledged\n"


def test_it_is_told_in_chinese(run: Run, store: str) -> None:
    lines = run("due", "--store", store, "--lang", "zh", "--size", "2").stdout.splitlines()

    assert "医保码可激活" in lines[2]
    assert lines[-1] == "还有更多：--after 2"
    widths = {cell_len(line[: line.index("2025")]) for line in lines[1:3]}
    assert len(widths) == 1


def test_the_json_is_as_its_schema_says_and_goes_on_from_page_to_page(run: Run, store: str) -> None:
    schema = Draft202012Validator(SCHEMAS["due"]())

    first = json.loads(run("due", "--store", store, "--json", "--size", "3").stdout)
    rest = json.loads(
        run("due", "--store", store, "--json", "--after", str(first["following"])).stdout
    )

    for page in (first, rest):
        schema.validate(page)
        assert page.keys() == {"entries", "following"}
    assert rest["following"] is None
    assert [each["id"] for each in first["entries"] + rest["entries"]] == [1, 2, 3, 4]
    told = SCHEMAS["due"]()["$defs"]["DueWord"]["properties"]["kind"]["enum"]
    assert tuple(told) == KINDS


#: What the specification requires of the attributes here, and how they are written in JSON.
REQUIRED = {"id", "source", "specversion", "type"}
RFC_3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"


def test_what_leaves_us_is_a_cloud_event(run: Run, store: str) -> None:
    asked = ("due", "--store", store, "--until", "2025-12-18")
    found = json.loads(run(*asked, "--cloudevents", "--source", "/schools/sjtu").stdout)
    entries = json.loads(run(*asked, "--json").stdout)["entries"]

    assert [each["data"] for each in found] == entries
    for event in found:
        assert event.keys() >= REQUIRED
        assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in event.keys() - {"data"})
        assert all(isinstance(event[name], str) and event[name] for name in event.keys() - {"data"})
        assert event["specversion"] == "1.0"
        assert event["source"] == "/schools/sjtu"
        assert event["type"] == "yibao.notice.due"
        assert event["datacontenttype"] == "application/json"
        assert re.fullmatch(RFC_3339, event["time"])
    assert len({(event["source"], event["id"]) for event in found}) == len(found)


def test_how_many_days_before_is_set_for_whoever_asks_next(run: Run, store: str) -> None:
    asked = ("due", "--store", store, "--until", "2025-12-11")
    assert "closes" not in run(*asked).stdout
    assert "2025-12-11 00:00" in run(*asked, "--days-before", "10").stdout
    assert "2025-12-11 00:00" in run(*asked).stdout


def test_whose_facts_cannot_be_read_is_told_on_standard_error(run: Run, store: str) -> None:
    broken = "UPDATE stored_events SET topic='unheard-of' WHERE originator_id=?"
    rows(store, f"{broken} AND originator_version=2", BO.stream.hex)

    result = run("due", "--store", store, "--json")

    assert "1 student cannot be read" in result.stderr
    assert "(bo 2025)" in result.stderr
    told = json.loads(result.stdout)
    Draft202012Validator(SCHEMAS["due"]()).validate(told)
    assert [each["ref"] for each in told["parked"]] == ["bo"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--acknowledge", "99"), "is the id of no entry"),
        (("--json", "--cloudevents"), "--json and --cloudevents are two formats"),
        (("--source", "/x"), "--source says nothing without --cloudevents"),
        (("--days-before", "366"), "366"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_with_exit_2(
    run: Run, store: str, wrong: tuple[str, ...], told: str
) -> None:
    result = run("due", "--store", store, *wrong)

    assert result.exit_code == 2
    assert told in result.stderr


def test_a_store_that_is_not_there_is_not_made_by_asking(run: Run, tmp_path: Path) -> None:
    result = run("due", "--store", tmp_path / "none.db")

    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_an_outbox_that_can_only_be_read_is_an_error_and_no_copy(folder: Path) -> None:
    with open_service(f"sqlite:///{folder / 'facts.db'}") as service:
        service.due()
    store = given(folder)
    before = everything(folder)

    result = as_reader("due", "--store", str(store))

    assert (result.returncode, result.stdout) == (2, "")
    assert everything(folder) == before
    assert "notices cannot be kept" in result.stderr
