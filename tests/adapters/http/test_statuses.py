"""What goes wrong is told as a problem: by its code and status, and never with what was sent."""

import json
import socket
from pathlib import Path
from typing import Any, get_args

import pytest

from yibao.adapters.http.wire.problems import PROBLEMS, HttpCode
from yibao.adapters.views.words import LANGUAGES, Words

from ..helpers.web import REGISTRATION, Web, serving

SECRET = "zq_never_told"


def check(found: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """A problem as it should be."""
    assert found.status_code == status, found.text
    assert found.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = found.json()
    assert told["status"] == status
    assert code in (None, told["code"])
    assert told["type"].endswith(f"/v1/problems/{told['code']}")
    assert len(told["trace"]) == 32
    assert SECRET not in found.text
    return told


@pytest.fixture(scope="module")
def path(small: Web) -> str:
    return f"/enrollments/{small.student()}/2025"


def raw(web: Web, path: str, body: bytes, **headers: str) -> Any:
    told = {
        "Authorization": "Bearer officer",
        "Idempotency-Key": web.key(),
        "Content-Type": "application/json",
    }
    return web.client.post(f"/v1{path}", content=body, headers=told | headers)


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no object": b"[]",
    "cut off": b'{"channel": "app"',
    "a key twice": b'{"channel": "app", "channel": "proxy"}',
    "half a surrogate": b'{"channel": "\\ud800"}',
    "half a surrogate in a key": b'{"\\udfff": 1}',
    "no UTF-8": b'{"channel": "\xff"}',
    "no number": b'{"channel": NaN}',
    "a number too long": b'{"channel": ' + b"9" * 5000 + b"}",
    "nested deep": b"[" * 100_000 + b"]" * 100_000,
    "objects nested deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "UTF-16": '{"channel": "app"}'.encode("utf-16"),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_is_no_json_is_told_so(small: Web, path: str, body: bytes) -> None:
    check(raw(small, f"{path}/confirm", body), 400, "no_json")


@pytest.mark.parametrize("key", [None, "", "with space", "x" * 65, "ключ", "13800138000"])
def test_a_command_needs_a_key_that_can_be_one(small: Web, path: str, key: str | None) -> None:
    headers = {"Authorization": "Bearer officer"}
    if key is not None:
        headers |= {"Idempotency-Key": key.encode().decode("latin-1")}
    found = small.client.post(
        f"/v1{path}/confirm",
        json={"channel": "app"},
        headers={k: v.encode("latin-1") for k, v in headers.items()},  # type: ignore[misc]
    )
    check(found, 400, "key_missing" if key is None else "key_malformed")


def test_what_is_no_json_by_its_type_is_told_so(small: Web, path: str) -> None:
    found = raw(small, f"{path}/confirm", b"{}", **{"Content-Type": "text/plain"})
    check(found, 415, "not_json_type")


def test_a_body_that_is_too_large_is_not_read(small: Web, path: str) -> None:
    check(raw(small, f"{path}/confirm", b" " * (2**20 + 1)), 413, "too_large")

    def parts() -> Any:
        yield from [b" " * 2**16] * 480  # 30 MB, of a length that is not told

    found = small.client.post(
        f"/v1{path}/confirm",
        content=parts(),
        headers={
            "Authorization": "Bearer officer",
            "Idempotency-Key": small.key(),
            "Content-Type": "application/json",
        },
    )
    check(found, 413, "too_large")


def test_a_body_that_comes_slowly_keeps_nobody_waiting(small: Web, path: str) -> None:
    host, port = small.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(
            f"POST /v1{path}/confirm HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer officer\r\n"
            "Idempotency-Key: slow\r\nContent-Type: application/json\r\n"
            'Content-Length: 100\r\n\r\n{"channel"'.encode()
        )
        for _ in range(20):
            assert small.get("officer", path).status_code == 200


@pytest.mark.parametrize("command", ["withdraw", "facts/{id}/correct", "facts/{id}/void"])
def test_what_takes_something_back_says_what_was_seen(small: Web, path: str, command: str) -> None:
    fact = small.get("officer", f"{path}/facts").json()[0]["event_id"]
    found = small.post("officer", f"{path}/{command.format(id=fact)}", {"reason": "twice"})
    check(found, 428, "if_match_missing")


def test_all_that_is_wrong_is_told_at_once_by_its_place(small: Web) -> None:
    body = {"ref": "no key!", SECRET: SECRET, **REGISTRATION, "on": SECRET, "category": "No Word"}
    told = check(small.post("officer", "/enrollments", body), 422, "bad_value")
    places = [each["where"] for each in told["errors"]]
    assert sorted(places) == ["category", "on", "ref", "values"]
    assert all(each["why"] for each in told["errors"])


def test_a_made_up_key_inside_of_changes_is_not_repeated(small: Web, path: str) -> None:
    fact = small.get("officer", f"{path}/facts").json()[0]["event_id"]
    body = {"changes": {SECRET: SECRET}, "reason": "twice"}
    check(small.post("officer", f"{path}/facts/{fact}/correct", body, match="*"), 422)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"at": SECRET}, "bad_value"),
        ({"known_at": "77"}, "unknown_cutoff"),
        ({"known_at": SECRET}, "bad_value"),
        ({"lang": SECRET}, "bad_value"),
        ({"explain": SECRET}, "bad_value"),
    ],
)
def test_a_question_that_cannot_be_read_is_told_so(
    small: Web, path: str, query: dict[str, str], code: str
) -> None:
    check(small.get("officer", path, **query), 422, code)


def test_an_edition_that_there_is_not_is_told_so(small: Web) -> None:
    body = {"ref": "s-e", **REGISTRATION, "policy": "zq-never-told"}
    assert "zq" not in small.post("officer", "/enrollments", body).text
    check(small.post("officer", "/enrollments", body), 422)


def test_a_guard_refuses_with_its_code(small: Web, path: str) -> None:
    early = {"at": "2025-09-03 10:00", "channel": "proxy"}
    check(small.post("officer", f"{path}/confirm", early), 409, "window_not_open")
    missing = f"{path}/facts/11111111-1111-1111-1111-111111111111/void"
    check(small.post("officer", missing, {"reason": "twice"}, match="*"), 409, "no_such_fact")


def test_what_leads_nowhere_is_told_as_nobody_is(small: Web) -> None:
    for path in ("/enrollments/a/b/c/d", "/nowhere", "/enrollments/a%2Fb/2025", f"/{SECRET}"):
        check(small.get("officer", path), 404, "not_found")
    check(small.client.put("/v1/enrollments/x/2025"), 405, "method_not_allowed")
    check(small.get("officer", "/enrollments/ada/abcd"), 422, "bad_value")


def test_a_problem_is_in_the_language_asked_for(small: Web) -> None:
    def title(**headers: str) -> str:
        return str(small.client.get("/v1/enrollments/x/2025", headers=headers).json()["title"])

    assert title() == title(**{"Accept-Language": "fr, en;q=0.5"}) == "who asks is not known"
    assert title(**{"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}) == "无法确认请求者身份"


def test_too_many_refused_tries_of_one_actor_are_stopped(tmp_path: Path) -> None:
    with serving("memory:", tmp_path, refused_tries=3) as web:
        path = f"/enrollments/{web.student()}/2025"
        early = {"at": "2025-09-03 10:00", "channel": "proxy"}
        for _ in range(3):
            check(web.post("officer", f"{path}/confirm", early), 409)
        stopped = web.post("officer", f"{path}/confirm", early)
        check(stopped, 429, "too_many_refused")
        assert stopped.headers["retry-after"]
        assert web.post("both-officer", f"{path}/confirm", early).status_code == 409
        assert web.get("officer", path).status_code == 200


def test_a_store_that_is_away_is_told_with_when_to_try_again(
    small: Web, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import yibao

    def away(*_: object, **__: object) -> None:
        raise yibao.StoreError(f"{SECRET} is locked")

    monkeypatch.setattr(type(small.service), "read_each", away)
    found = small.get("officer", path)
    check(found, 503, "store_failed")
    assert found.headers["retry-after"]


def test_a_mistake_of_ours_is_told_without_what_it_was(
    small: Web, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object, **__: object) -> None:
        raise LookupError(SECRET)

    monkeypatch.setattr(type(small.service), "read_each", mistaken)
    check(small.get("officer", path), 500, "failed")


def test_every_code_has_a_status_words_and_a_page(small: Web) -> None:
    for code in PROBLEMS:
        assert small.get(None, f"/problems/{code}").status_code == 200
    for language in LANGUAGES:
        assert Words(language).codes()["http"] == set(get_args(HttpCode))


def test_every_answer_carries_the_headers_that_keep_it_here(small: Web, path: str) -> None:
    for found in (small.get("officer", path), small.get(None, path), small.get(None, "/nowhere")):
        headers = found.headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "private, no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_document_of_the_operations_names_each_and_its_problems(small: Web) -> None:
    document = json.loads(small.client.get("/v1/openapi.json").text)
    operations = [(p, m, o) for p, of in document["paths"].items() for m, o in of.items()]
    assert len({o["operationId"] for _, _, o in operations}) == len(operations)
    for _, method, operation in operations:
        if method == "post" and "Idempotency-Key" in str(operation.get("parameters")):
            assert {"200", "201", "409", "412", "413", "415", "428"} <= operation[
                "responses"
            ].keys()
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert schema["additionalProperties"] is False
