"""The example application with Django, asked as its clients would."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

import yibao

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "examples"))

import with_django

ADA = "/enrollments/ada/2025"


@pytest.fixture
def clock() -> yibao.testing.Clock:
    return yibao.testing.clock_at("2025-09-06 14:20")


@pytest.fixture
def client(clock: yibao.testing.Clock) -> Iterator[Client]:
    """A client of an application whose store knows Ada, who is registered and declared."""
    with override_settings(YIBAO={"url": "memory:", "by": "portal", "clock": clock}):
        with with_django.service() as service:
            service.register(
                "ada",
                policy="shanghai-2025",
                on="2025-09-01",
                school="sjtu",
                category="undergraduate",
                document="resident_id_card",
            )
            service.declare_roster(yibao.EnrollmentId("ada", 2025))
            yield Client()
        with_django.service.cache_clear()


def post(client: Client, what: str, key: str, school: str = "sjtu", **form: str) -> tuple[int, Any]:
    headers = {"Idempotency-Key": key, "X-School": school, "X-Officer": "officer-1"}
    told = client.post(f"{ADA}/{what}", form, headers=headers)
    return told.status_code, told.json()


def test_an_answer_is_json(client: Client) -> None:
    told = client.get(ADA).json()
    assert (told["state"], told["state_text"]) == ("registered", "已报到注册")
    assert told["coverage"] == "pending"


def test_a_form_sent_twice_succeeds_twice_and_records_once(
    client: Client, clock: yibao.testing.Clock
) -> None:
    first = post(client, "confirm", "tap-1", channel="app")
    clock.move_to("2025-09-06 14:25")
    again = post(client, "confirm", "tap-1", channel="app")
    assert [status for status, _ in (first, again)] == [201, 201]
    assert again[1] == {**first[1], "repeated": True}
    assert client.get(ADA).json()["version"] == 3


def test_an_officer_of_another_school_may_not(client: Client) -> None:
    status, told = post(client, "confirm", "tap-1", school="fudan", channel="app")
    assert (status, told["code"]) == (403, "not_allowed")
    assert client.get(ADA).json()["version"] == 2


def test_what_the_form_lacks_is_told_at_once(client: Client) -> None:
    status, told = post(client, "receive_care", "c-1", setting="spa")
    assert (status, told["code"]) == (422, "bad_value")
    assert {each["where"] for each in told["errors"]} == {"on", "setting", "cost"}


def test_what_is_possible_is_told_of_every_command(client: Client) -> None:
    told = {each["command"]: each["guards"] for each in client.get(f"{ADA}/possible").json()}
    assert all(guard["passed"] for guard in told["confirm"])
    assert not all(guard["passed"] for guard in told["register"])


def test_a_roster_answers_each_row(client: Client) -> None:
    rows = [{"ref": "ada", "year": 2025}, {"ref": "nobody", "year": 2025}, {"ref": 7, "year": "x"}]
    for _ in range(2):
        told = client.post(
            "/schools/sjtu/roster",
            json.dumps(rows),
            content_type="application/json",
            headers={"Idempotency-Key": "file-1"},
        ).json()
        assert [each.get("code") for each in told] == [None, "not_registered", "bad_value"]
        assert told[0]["version"] == 3


def test_a_mistake_that_is_not_yibaos_is_djangos(client: Client) -> None:
    with pytest.raises(KeyError):
        client.post(f"{ADA}/confirm", {"channel": "app"})
