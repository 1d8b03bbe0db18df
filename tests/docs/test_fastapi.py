"""The example application with FastAPI, asked as its clients would."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import yibao

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "examples"))

from with_fastapi import portal

ADA = "/enrollments/ada/2025"
SHE = {"on": "2025-09-01", "category": "undergraduate", "document": "resident_id_card"}


@pytest.fixture
def clock() -> yibao.testing.Clock:
    return yibao.testing.clock_at("2025-09-06 14:20")


@pytest.fixture
def client(clock: yibao.testing.Clock) -> Iterator[TestClient]:
    with TestClient(portal(lambda: yibao.open("memory:", by="portal", clock=clock))) as client:
        yield client


@pytest.fixture
def ada(client: TestClient) -> TestClient:
    """The client, once Ada stands in the roster of a school."""
    assert [receipt["version"] for receipt in declared(client, [{"ref": "ada", **SHE}])[0]] == [
        1,
        2,
    ]
    return client


def declared(client: TestClient, rows: list[dict[str, str]]) -> list[Any]:
    rows = [{"policy": "shanghai-2025", **row} for row in rows]
    told = client.post("/schools/sjtu/2025/roster", json=rows)
    assert told.status_code == 200, told.text
    replies: list[Any] = told.json()
    return replies


def post(client: TestClient, what: str, key: str, **body: object) -> tuple[int, Any]:
    told = client.post(f"{ADA}/{what}", json=body, headers={"Idempotency-Key": key})
    return told.status_code, told.json()


def test_who_confirms_twice_under_one_key_has_confirmed_once(
    ada: TestClient, clock: yibao.testing.Clock
) -> None:
    first = post(ada, "confirmation", "tap-1", channel="app")
    clock.move_to("2025-09-06 14:21")
    again = post(ada, "confirmation", "tap-1", channel="app")
    assert [status for status, _ in (first, again)] == [201, 201]
    assert again[1] == {**first[1], "repeated": True}
    assert ada.get(ADA).json()["version"] == 3


def test_the_same_key_for_something_else_is_refused_and_says_what_differs(ada: TestClient) -> None:
    post(ada, "confirmation", "tap-1", channel="app")
    status, told = post(ada, "confirmation", "tap-1", channel="wechat")
    assert (status, told["code"]) == (422, "command_id_reused")
    assert "channel" in str(told)
    assert "wechat" not in str(told)


def test_an_answer_is_plain_json_in_words_and_without_the_whole_policy(ada: TestClient) -> None:
    told = ada.get(ADA, params={"lang": "zh"})
    assert told.status_code == 200
    assert told.json()["state_text"] == "已报到注册"
    assert told.json()["school"] == "sjtu"
    assert len(told.content) < 4_000


def test_an_answer_can_be_asked_as_known_by_a_version(ada: TestClient) -> None:
    assert ada.get(ADA, params={"known_at": "0"}).json()["state"] is None
    assert ada.get(f"{ADA}/next").json() == {"next": "confirm"}


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"at": "soon"}, 422, "bad_value"),
        ({"known_at": "7"}, 422, "unknown_cutoff"),
    ],
)
def test_a_question_that_cannot_be_read_has_its_status(
    ada: TestClient, asked: dict[str, str], status: int, code: str
) -> None:
    told = ada.get(ADA, params=asked)
    assert (told.status_code, told.json()["code"]) == (status, code)
    assert "soon" not in told.text


def test_a_refusal_has_the_status_of_its_code(
    client: TestClient, clock: yibao.testing.Clock
) -> None:
    assert post(client, "confirmation", "tap-1", channel="app")[0] == 409
    clock.move_to("2025-09-03 10:00")
    declared(client, [{"ref": "ada", **SHE}])
    status, told = post(client, "confirmation", "tap-1", channel="app")
    assert (status, told["code"]) == (409, "window_not_open")


def test_any_command_is_told_from_plain_values_with_all_its_mistakes_at_once(
    ada: TestClient,
) -> None:
    assert post(ada, "pay_premium", "p-1", values={"year": "2026"})[0] == 201
    status, told = post(
        ada, "receive_care", "c-1", values={"on": "2025-13-01", "setting": "spa", "cost": "-1"}
    )
    assert (status, told["code"]) == (422, "bad_value")
    assert {each["where"] for each in told["errors"]} == {"on", "setting", "cost"}


def test_what_has_moved_since_it_was_seen_is_not_decided_on(ada: TestClient) -> None:
    seen = ada.get(ADA).json()["seen"]
    status, told = post(ada, "confirm", "c-1", values={"channel": "app"}, seen=seen)
    assert status == 201
    status, told = post(ada, "withdraw", "w-1", values={"on": "2025-09-06"}, seen=seen)
    assert (status, told["code"]) == (412, "version_conflict")


def test_a_bad_row_of_a_roster_is_judged_by_itself(client: TestClient) -> None:
    rows = [
        {"ref": "bo", **SHE},
        {"ref": "cy", **SHE, "document": "library_card"},
        {"ref": "di", **SHE},
        {**SHE},
    ]
    first, *others = declared(client, rows)
    assert [receipt["version"] for receipt in first] == [1, 2]
    assert [isinstance(each, dict) and each["code"] for each in others] == [
        "bad_value",
        False,
        "bad_value",
    ]
    assert others[0]["errors"][0]["where"] == "document"
    again = [reply["code"] for reply in declared(client, rows)]
    assert again == ["already_registered", "bad_value", "already_registered", "bad_value"]
    assert client.get("/enrollments/bo/2025").json()["version"] == 2


def test_its_openapi_tells_the_shapes(client: TestClient) -> None:
    shapes = client.get("/openapi.json").json()["components"]["schemas"]
    assert {"coverage", "state", "next_steps"} <= shapes["Answer"]["properties"].keys()
    assert "event_id" in shapes["Receipt"]["properties"]
