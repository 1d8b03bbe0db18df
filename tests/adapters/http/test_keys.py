"""Keys and tags: told again it is recorded once, and of many who saw the same one comes first."""

from collections import Counter
from typing import Any

import pytest

import yibao

from ..helpers.web import REGISTRATION, Web
from ..helpers.writers import together

THIRTY = 30


def test_thirty_at_once_with_one_key_record_once(web: Web) -> None:
    path, key = f"/enrollments/{web.student()}/2025/confirm", web.key()
    body = {"at": "2025-09-06 14:20", "channel": "proxy"}

    def post() -> Any:
        return web.post("officer", path, body, key=key)

    found = together([post] * THIRTY)
    assert Counter(each.status_code for each in found) == {201: 1, 200: THIRTY - 1}
    assert len({each.json()["event_id"] for each in found}) == 1


def test_thirty_who_saw_the_same_and_have_their_own_keys_record_once(web: Web) -> None:
    ref = web.student()
    path, body = f"/enrollments/{ref}/2025/declare-other-cover", {"kind": "employee"}

    def post() -> Any:
        return web.post("officer", path, body, match='"2.0.0"')

    found = together([post] * THIRTY)
    assert Counter(each.status_code for each in found) == {201: 1, 412: THIRTY - 1}
    assert web.service.at(yibao.EnrollmentId(ref, 2025)).version == 3


def test_many_students_at_once_are_recorded_together_and_each_told_its_own(web: Web) -> None:
    refs = [web.student(declared=False) for _ in range(THIRTY)]
    before = len(web.service.facts(yibao.EnrollmentId(refs[0], 2025)))

    def post(ref: str) -> Any:
        if ref == refs[7]:
            return web.post("officer", f"/enrollments/{ref}/2025/declare-roster", match='"9.0.0"')
        return web.post("officer", f"/enrollments/{ref}/2025/declare-roster")

    found = together([lambda ref=ref: post(ref) for ref in refs])  # type: ignore[misc]
    assert Counter(each.status_code for each in found) == {201: THIRTY - 1, 412: 1}
    assert found[7].status_code == 412
    assert {each.json().get("version") for each in found} == {before + 1, None}
    stamps = Counter(each.json().get("recorded_at") for each in found)
    assert len(stamps) < THIRTY  # some had a transaction in common


def test_a_key_that_was_used_for_something_else_is_no_key_any_more(web: Web) -> None:
    path, key = f"/enrollments/{web.student()}/2025/declare-other-cover", web.key()
    assert web.post("officer", path, {"kind": "employee"}, key=key).status_code == 201
    other = web.post("officer", path, {"kind": "other_province"}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "command_id_reused")
    assert "other_province" not in other.text
    another = web.post("bureau", path, {"kind": "employee"}, key=key)
    assert another.status_code == 422  # another actor


def test_after_a_refusal_a_key_is_free_again(web: Web) -> None:
    path, key = f"/enrollments/{web.student()}/2025/confirm", web.key()
    early = {"at": "2025-09-03 10:00", "channel": "proxy"}
    assert web.post("officer", path, early, key=key).json()["code"] == "window_not_open"
    late = {"at": "2025-09-06 14:20", "channel": "proxy"}
    assert web.post("officer", path, late, key=key).status_code == 201


def test_the_same_key_on_another_stream_is_another_key(web: Web) -> None:
    key = web.key()
    for ref in (web.student(), web.student()):
        path = f"/enrollments/{ref}/2025/declare-other-cover"
        assert web.post("officer", path, {"kind": "employee"}, key=key).status_code == 201


@pytest.mark.parametrize(
    ("match", "status"),
    [
        ("*", 201),
        ('"2.0.0"', 201),
        ('"2.0.0", "9.9.9"', 201),
        ('W/"2.0.0"', 412),
        ('"1.0.0"', 412),
        ('"2.0.0-1.0.0"', 412),
        ("2.0.0", 412),
        ('"99999999999999999999.0.0"', 412),
        ("", 412),
    ],
)
def test_a_tag_is_strong_and_exact(small: Web, match: str, status: int) -> None:
    path = f"/enrollments/{small.student()}/2025/withdraw"
    found = small.post("officer", path, {"on": "2025-12-20"}, match=match)
    assert found.status_code == status, found.text


def test_the_year_before_stands_behind_the_tag(small: Web) -> None:
    ref = f"two-years-{small.key()}"
    before = {**REGISTRATION, "policy": "shanghai-2024", "on": "2024-09-02"}
    small.service.register(ref, **{**before, "at": "2024-09-02 08:30"})  # type: ignore[arg-type]
    small.student(ref=ref, declared=False)
    tag = small.get("officer", f"/enrollments/{ref}/2025").headers["etag"]
    assert tag == '"1.0.0-1.0.0"'
    found = small.post("officer", f"/enrollments/{ref}/2025/declare-roster", match=tag)
    assert found.status_code == 201, found.text
    assert found.headers["etag"] == '"2.0.0-1.0.0"'
