"""The router in somebody else's application, which has nothing to do for it."""

from collections.abc import Iterator

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.testclient import TestClient

import yibao
from yibao.http import Role, Who, router

from ..helpers.web import REGISTRATION

HEADERS = {"X-Staff": "teacher-17", "Idempotency-Key": "one"}


async def identify(request: Request) -> Who | None:
    """Who asks, as the application's own way of signing in has it."""
    staff = request.headers.get("x-staff")
    return Who(staff, frozenset({Role.OFFICER}), frozenset({"sjtu"})) if staff else None


@pytest.fixture
def client() -> Iterator[TestClient]:
    with yibao.open("memory:") as service:
        portal = FastAPI()
        portal.include_router(router(service, identify), prefix="/insurance")
        with TestClient(portal) as found:
            yield found


def test_it_answers_under_a_path_of_the_applications(client: TestClient) -> None:
    made = client.post(
        "/insurance/v1/enrollments", json={"ref": "ada", **REGISTRATION}, headers=HEADERS
    )
    assert made.status_code == 201
    assert made.headers["location"] == "/insurance/v1/enrollments/ada/2025"
    assert client.get(made.headers["location"], headers=HEADERS).json()["version"] == 1


def test_what_goes_wrong_is_told_without_a_handler_of_the_application(client: TestClient) -> None:
    stranger = client.get("/insurance/v1/enrollments/ada/2025")
    assert (stranger.status_code, stranger.json()["code"]) == (401, "unauthenticated")
    assert stranger.json()["type"] == "/insurance/v1/problems/unauthenticated"
    assert client.get(stranger.json()["type"]).json()["status"] == 401
    assert client.get("/insurance/v1/enrollments/ada/nineteen", headers=HEADERS).json()["errors"]


def test_its_operations_stand_in_the_applications_document(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert "/insurance/v1/enrollments/{ref}/{year}/confirm" in paths


def test_a_service_may_be_told_when_it_is_asked_for() -> None:
    opened: list[yibao.Service] = []
    portal = FastAPI()
    portal.include_router(router(lambda: opened[0], identify))
    with yibao.open("memory:") as service, TestClient(portal) as client:
        opened.append(service)
        assert client.get("/v1/enrollments/ada/2025", headers=HEADERS).status_code == 404


def test_what_the_application_has_asked_before_is_asked() -> None:
    asked: list[str] = []

    def closed(tenant: str) -> None:
        asked.append(tenant)
        raise HTTPException(404)

    portal = FastAPI()
    with yibao.open("memory:") as service:
        found = router(service, identify)
        portal.include_router(found, prefix="/{tenant}", dependencies=[Depends(closed)])
        with TestClient(portal) as client:
            response = client.get("/north/v1/enrollments/ada/2025", headers=HEADERS)
    assert (response.status_code, asked) == (404, ["north"])


def test_values_of_a_query_are_read_as_they_are_documented(client: TestClient) -> None:
    client.post("/insurance/v1/enrollments", json={"ref": "ada", **REGISTRATION}, headers=HEADERS)
    hers = "/insurance/v1/enrollments/ada/2025"
    twice = f"{hers}/timeline.svg?known_at=1&known_at=1"
    assert client.get(twice, headers=HEADERS).status_code == 200
    wrong = client.get(f"{twice}&known_at=1", headers=HEADERS).json()
    assert [each["where"] for each in wrong["errors"]] == ["known_at"]
    wrong = client.get("/insurance/v1/enrollments/ada/1999?explain=may-be", headers=HEADERS).json()
    assert [each["where"] for each in wrong["errors"]] == ["year", "explain"]
    told = client.get(f"{hers}?explain=yes&explain=no&unknown=1", headers=HEADERS).json()
    assert "explanation" not in told
    document = client.get("/openapi.json").json()["paths"]["/insurance/v1/enrollments/{ref}/{year}"]
    assert {
        each["name"]: (each["in"], each["required"]) for each in document["get"]["parameters"]
    } == {
        "ref": ("path", True),
        "year": ("path", True),
        "at": ("query", False),
        "known_at": ("query", False),
        "explain": ("query", False),
        "lang": ("query", False),
    }
