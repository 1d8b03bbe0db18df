"""Every endpoint answers what the library answers, and says so to whom it should."""

import json
from typing import Any

import pytest

import yibao

from ..helpers.web import REGISTRATION, Web

YEAR = 2025
EDITION = """\
edition: one-month
title: {en: One month of waiting, zh: 等待一个月}
extends: shanghai-2025
parameters:
  waiting_months_per_lapsed_year:
    {value: 1, unit: months, clause: a draft, basis: stated}
"""


@pytest.fixture
def ada(web: Web) -> str:
    """A student who has confirmed and was checked."""
    ref = web.student()
    her = yibao.EnrollmentId(ref, YEAR)
    web.service.confirm(her, at="2025-09-06 14:20", channel="app")
    web.service.verify_prior_coverage(her, at="2025-09-06 14:50", lapsed_years=0)
    return ref


def path_of(ref: str, what: str = "") -> str:
    return f"/enrollments/{ref}/{YEAR}{what}"


def told(service: yibao.Service, ref: str, question: str, **asked: Any) -> Any:
    return yibao.as_json(getattr(service, question)(yibao.EnrollmentId(ref, YEAR), **asked))


def test_the_benefit_years_known_of_her(web: Web, ada: str) -> None:
    found = web.get("officer", f"/enrollments/{ada}")
    assert (found.status_code, found.json()) == (200, {"ref": ada, "years": [2025]})
    assert web.get("other-officer", f"/enrollments/{ada}").status_code == 404


def test_an_answer_is_the_librarys_and_its_tag_is_what_it_stands_on(web: Web, ada: str) -> None:
    at, known_at = "2025-12-01 00:00", "3"
    found = web.get("officer", path_of(ada), at=at, known_at=known_at)
    assert found.json() == told(web.service, ada, "at", at=at, known_at=3)
    assert found.headers["etag"] == '"3.0.0"'
    now = web.get("officer", path_of(ada), lang="zh", explain=True)
    assert now.headers["etag"] == '"4.0.0"'
    assert now.json()["state_text"]
    assert now.json()["explanation"]
    yibao.models.Answer.model_validate(now.json())


@pytest.mark.parametrize("form", ["If-None-Match", "If-Modified-Since"])
def test_nothing_is_ever_told_to_be_unchanged_nor_kept(web: Web, ada: str, form: str) -> None:
    found = web.client.get(
        f"/v1{path_of(ada)}", headers={"Authorization": "Bearer officer", form: '"4.0.0"'}
    )
    assert found.status_code == 200
    assert found.headers["cache-control"] == "private, no-store"
    assert "Authorization" in found.headers["vary"]
    assert "Accept-Language" in found.headers["vary"]


@pytest.mark.parametrize(
    ("what", "query"),
    [
        ("moments", {}),
        ("possible", {"at": "2025-09-10 10:00"}),
        ("facts", {}),
        ("history/coverage", {"at": "2025-12-01 00:00"}),
        ("compare", {"then": "1", "now": "4", "at": "2025-12-01 00:00"}),
        (
            "quote",
            {
                "on": "2025-10-01",
                "setting": "outpatient",
                "level": "third",
                "cost": "500.00",
                "at": "2025-11-01 00:00",
            },
        ),
    ],
)
def test_a_question_is_answered_as_the_library_does(
    web: Web, ada: str, what: str, query: dict[str, str]
) -> None:
    found = web.get("officer", path_of(ada, f"/{what}"), **query)
    assert found.status_code == 200, found.text
    assert found.headers["etag"] == '"4.0.0"'
    question, _, part = what.partition("/")
    asked: dict[str, Any] = dict(query)
    if question == "history":
        asked["value"] = part
    if question == "compare":
        asked |= {"then": 1, "now": 4}
    assert found.json() == told(web.service, ada, question, **asked)


def test_care_facts_are_asked_beside_the_others(web: Web, ada: str) -> None:
    her = yibao.EnrollmentId(ada, YEAR)
    web.service.receive_care(her, on="2025-09-03", setting="campus_clinic", cost="120.00")
    found = web.get("officer", path_of(ada, "/facts"), care=True).json()
    assert [each["name"] for each in found] == ["care-received"]


def test_a_dossier_is_data_or_a_page(web: Web, ada: str) -> None:
    data = web.get("officer", path_of(ada, "/dossier"))
    assert data.json()["ref"] == ada
    page = web.client.get(
        f"/v1{path_of(ada, '/dossier')}",
        headers={"Authorization": "Bearer officer", "Accept": "text/html"},
    )
    assert page.headers["content-type"].startswith("text/html")
    assert "'unsafe-inline'" in page.headers["content-security-policy"]
    assert "sandbox" in page.headers["content-security-policy"]
    neither = web.client.get(
        f"/v1{path_of(ada, '/dossier')}",
        headers={"Authorization": "Bearer officer", "Accept": "image/png"},
    )
    assert neither.status_code == 406


def test_a_picture_shows_her_as_known_now_or_twice(web: Web, ada: str) -> None:
    path = path_of(ada, "/timeline.svg")
    one = web.get("officer", path, at="2025-12-05 00:00")
    assert one.headers["content-type"].startswith("image/svg+xml")
    two = web.get("officer", path, at="2025-12-05 00:00", known_at=["4", "2"], lang="zh")
    assert len(two.text) > len(one.text)
    assert web.get("officer", path, known_at=["4", "2", "1"]).status_code == 422


def test_a_registration_is_made_once_and_tells_where_it_is(web: Web) -> None:
    ref, key = f"new-{web.key()}", web.key()
    body = {"ref": ref, **REGISTRATION}
    first = web.post("officer", "/enrollments", body, key=key)
    again = web.post("officer", "/enrollments", body, key=key, match='"77.0.0"')
    assert [first.status_code, again.status_code] == [201, 200]
    assert first.headers["location"] == f"/v1/enrollments/{ref}/2025"
    assert first.headers["etag"] == '"1.0.0"'
    assert again.json() == {**first.json(), "repeated": True}
    assert (
        web.client.get(
            first.headers["location"], headers={"Authorization": "Bearer officer"}
        ).json()["version"]
        == 1
    )


#: Each command with a path of its name: who tells it, and what.
COMMANDS: dict[str, tuple[str, dict[str, Any]]] = {
    "declare-roster": ("officer", {"at": "2025-09-03 10:00"}),
    "change-school": ("both-officer", {"school": "fdu"}),
    "declare-other-cover": ("officer", {"kind": "employee"}),
    "stop-employee-cover": ("bureau", {"on": "2025-10-10"}),
    "keep-other-cover": ("bureau", {"at": "2025-09-07 10:00", "observed": True}),
    "confirm": ("officer", {"at": "2025-09-06 14:20", "channel": "proxy"}),
    "verify-prior-coverage": ("bureau", {"at": "2025-09-07 10:00", "lapsed_years": 1}),
    "build-account": ("bureau", {"on": "2025-12-01"}),
    "activate-evoucher": ("bureau", {"channel": "alipay", "observed": True}),
    "issue-medical-card": ("bureau", {}),
    "file-remote-care": ("officer", {"province": "jiangsu"}),
    "withdraw": ("officer", {"on": "2025-12-20"}),
    "pay-premium": ("officer", {"year": 2026}),
    "receive-care": (
        "clinic",
        {"on": "2025-12-05", "setting": "campus_clinic", "cost": "120.00"},
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_an_operation_with_a_receipt(web: Web, command: str) -> None:
    who, body = COMMANDS[command]
    ref = web.student()
    found = web.post(who, path_of(ref, f"/{command}"), body, match="*")
    assert found.status_code == 201, found.text
    yibao.models.Receipt.model_validate(found.json())
    care = command == "receive-care"
    assert found.headers["etag"] == ('"2.1.0"' if care else '"3.0.0"')
    facts = web.service.care_facts if care else web.service.facts
    recorded = facts(yibao.EnrollmentId(ref, YEAR))[-1]
    assert (recorded.by, recorded.via) == (who, "http")


def test_care_is_settled_and_the_settlement_taken_back(web: Web, ada: str) -> None:
    body = {"on": "2025-09-03", "setting": "campus_clinic", "cost": "120.00"}
    care = web.post("clinic", path_of(ada, "/receive-care"), body).json()["event_id"]
    settled = web.post("clinic", path_of(ada, "/settle-care"), {"care": care})
    assert settled.status_code == 201, settled.text
    taken = web.post("clinic", path_of(ada, "/reverse-care"), {"care": care, "reason": "twice"})
    assert taken.status_code == 201, taken.text


def test_a_fact_is_corrected_and_taken_back_under_its_own_path(web: Web, ada: str) -> None:
    facts = web.get("officer", path_of(ada, "/facts"))
    check = facts.json()[-1]["event_id"]
    body = {"changes": {"lapsed_years": 1}, "reason": "sheet-misread"}
    corrected = web.post(
        "officer",
        path_of(ada, f"/facts/{check}/correct"),
        body,
        match=facts.headers["etag"],
    )
    assert corrected.status_code == 201, corrected.text
    other = corrected.json()["event_id"]
    void = web.post(
        "officer",
        path_of(ada, f"/facts/{other}/void"),
        {"reason": "not-hers"},
        match=corrected.headers["etag"],
    )
    assert void.status_code == 201, void.text
    stale = web.post(
        "officer",
        path_of(ada, f"/facts/{other}/void"),
        {"reason": "not-hers"},
        match=corrected.headers["etag"],
    )
    assert stale.status_code == 412


def test_a_window_is_fixed_by_its_keeper(web: Web) -> None:
    path = "/editions/shanghai-2025/fix-window"
    body = {"closes_on": "2025-11-30", "school": "nowhere-university"}
    assert web.post("keeper", path, body).status_code == 201
    assert web.post("officer", path, body).status_code == 403
    assert web.post("keeper", "/editions/nowhere-2025/fix-window", body).status_code == 422


def test_a_batch_has_a_reply_a_line_in_order(web: Web, ada: str) -> None:
    new = f"batch-{web.key()}"
    registration = {"command": "register", **REGISTRATION}
    lines = [
        {
            "ref": new,
            "year": 2025,
            "key": web.key(),
            "commands": [registration, {"command": "declare_roster", "at": "2025-09-02 17:00"}],
        },
        {"ref": ada, "year": 2025, "key": web.key(), "commands": [registration]},
        {"ref": new, "year": 2025, "key": web.key(), "commands": [{"command": "withdraw"}]},
        {"ref": "x", "year": 2025, "key": web.key(), "commands": [{"command": "declare_roster"}]},
        {"ref": new, "year": 2025, "key": web.key(), "commands": [{"command": "fix_window"}]},
        {"ref": new, "year": 2025, "key": web.key(), "commands": [{"command": "declare_roster"}]},
    ]
    body = "\n".join([*map(json.dumps, lines), "{"])
    statuses = [201, 409, 422, 404, 422, 201, 400]
    assert [each["status"] for each in batch(web, body, dry_run=True)] == statuses
    assert web.get("officer", f"/enrollments/{new}").status_code == 404
    replies = batch(web, body)
    assert [each["status"] for each in replies] == statuses
    assert [each["line"] for each in replies] == list(range(1, 8))
    assert len(replies[0]["receipts"]) == 2
    assert replies[1]["code"] == "already_registered"
    assert [each["status"] for each in batch(web, body)] == [200, 409, 422, 404, 422, 200, 400]


def test_a_reference_that_no_path_can_hold_is_registered_by_nobody(web: Web) -> None:
    body = {"ref": "a/b", **REGISTRATION}
    assert web.post("officer", "/enrollments", body).status_code == 404
    line = {"ref": "a/b", "year": 2025, "key": web.key()}
    (reply,) = batch(
        web, json.dumps(line | {"commands": [{"command": "register", **REGISTRATION}]})
    )
    assert (reply["status"], reply["code"]) == (404, "not_found")


def batch(web: Web, body: str, **query: Any) -> list[Any]:
    found = web.client.post(
        "/v1/batches",
        content=body,
        params=query,
        headers={"Authorization": "Bearer officer", "Content-Type": "application/x-ndjson"},
    )
    assert found.status_code == 200, found.text
    return [json.loads(line) for line in found.text.splitlines()]


def test_the_cohort_is_paged_by_links(web: Web, ada: str) -> None:
    seen: list[str] = []
    url: str | None = "/v1/cohort?limit=3&school=sjtu"
    for _ in range(2):
        assert url is not None
        found = web.client.get(url, headers={"Authorization": "Bearer officer"})
        assert found.status_code == 200, found.text
        seen += [each["ref"] for each in found.json()["entries"]]
        url = found.links.get("next", {}).get("url")
        if url is None:
            break
    assert seen == sorted(set(seen))
    counts = web.get("keeper", "/cohort/count", by="school").json()["counts"]
    assert counts["sjtu"] >= 1
    assert web.get("officer", "/cohort", school="fdu").status_code == 403
    assert web.get("officer", "/cohort", limit=501).status_code == 422


def test_who_audits_sees_no_small_counts_without_a_reason(web: Web) -> None:
    web.student("tongji")
    hidden = web.get("auditor", "/cohort/count", by="school", school="tongji").json()
    assert hidden["counts"] == {"tongji": None}
    shown = web.get("auditor", "/cohort/count", by="school", reason="yearly-report").json()
    assert shown["counts"]["tongji"] >= 1


def test_the_trail_is_asked_by_auditors_and_by_officers_of_their_school(web: Web, ada: str) -> None:
    found = web.get("auditor", "/audit", ref=ada, limit=2)
    assert [each["kind"] for each in found.json()["entries"]] == ["registered", "roster-declared"]
    assert "next" in found.links
    following = web.client.get(
        found.links["next"]["url"], headers={"Authorization": "Bearer auditor"}
    )
    assert following.json()["entries"][0]["kind"] == "confirmed"
    assert web.get("other-officer", "/audit", ref=ada).json()["entries"] == []
    assert len(web.get("officer", "/audit", ref=ada).json()["entries"]) == 4


def pages_of(web: Web, who: str, path: str, **query: Any) -> list[list[Any]]:
    """What every page of a list has, one after the other."""
    found, pages = web.get(who, path, **query), []
    while True:
        told = found.json()
        pages.append(told["entries"] if isinstance(told, dict) else told)
        if "next" not in found.links:
            return pages
        headers = {"Authorization": f"Bearer {who}"}
        found = web.client.get(found.links["next"]["url"], headers=headers)


def test_of_whom_some_have_moved_away_every_page_is_whole(web: Web) -> None:
    whom = [web.student(declared=False) for _ in range(8)]
    moved = whom[1:4] + whom[5:6]
    for ref in moved:
        whose = yibao.EnrollmentId(ref, 2025)
        web.service.change_school(whose, school="fdu", at="2025-09-10 09:00")
    latest = str(web.service.facts(yibao.EnrollmentId(whom[0], 2025))[0].recorded_at)
    for who, theirs in (("officer", [each for each in whom if each not in moved]),
                        ("auditor", whom)):  # fmt: skip
        asked = {"school": "sjtu", "kind": "registered", "recorded_from": latest}
        pages = pages_of(web, who, "/audit", limit=2, **asked)
        assert [len(each) for each in pages if each] == [2] * (len(theirs) // 2)
        assert [entry["ref"] for each in pages for entry in each] == theirs
        pages = pages_of(web, who, "/cohort", limit=2, school="sjtu", known_at=latest)
        assert {len(each) for each in pages[:-2]} <= {2}
    pages = pages_of(web, "officer", "/due", limit=3)
    assert {len(each) for each in pages[:-1]} == {3}
    seen = {entry["data"]["ref"] for each in pages for entry in each}
    assert {whom[0], *whom[6:]} <= seen
    assert not seen & {*moved}
    everything = [e for each in pages_of(web, "keeper", "/due", limit=500) for e in each]
    hers = [each["id"] for each in everything if each["data"]["ref"] in seen]
    assert [entry["id"] for each in pages for entry in each] == hers


def test_what_is_due_is_told_as_cloud_events_and_acknowledged(web: Web, ada: str) -> None:
    found = web.get("officer", "/due", limit=500)
    assert found.headers["content-type"].startswith("application/cloudevents-batch+json")
    hers = [each for each in found.json() if each["data"]["ref"] == ada]
    assert hers
    number = hers[0]["id"]
    assert web.post("other-officer", f"/due/{number}/ack").status_code == 404
    assert web.post("officer", f"/due/{number}/ack").status_code == 204
    assert web.post("officer", f"/due/{number}/ack").status_code == 204
    assert number not in [each["id"] for each in web.get("keeper", "/due", limit=500).json()]
    assert web.post("keeper", "/due/999999999/ack").status_code == 404


def test_a_what_if_counts_and_names_nobody(web: Web, ada: str) -> None:
    edition = EDITION
    found = web.client.post(
        "/v1/what-if",
        content=edition,
        headers={"Authorization": "Bearer keeper", "Content-Type": "application/yaml"},
    )
    assert found.status_code == 200, found.text
    assert found.json()["students"] >= 1
    assert "examples" not in found.json()
    broken = web.client.post(
        "/v1/what-if",
        content=b"edition: [",
        headers={"Authorization": "Bearer auditor", "Content-Type": "application/yaml"},
    )
    assert (broken.status_code, broken.json()["code"]) == (422, "unreadable_source")


def test_editions_schemas_and_codes_are_told_to_everybody(web: Web) -> None:
    known = web.get(None, "/policies").json()["policies"]
    assert "shanghai-2025" in [each["id"] for each in known]
    assert web.get(None, "/policies/shanghai-2025").json()["edition"] == "shanghai-2025"
    assert web.get(None, "/policies/nowhere").status_code == 404
    assert "properties" in web.get(None, "/schemas/answer").json()
    assert web.get(None, "/schemas/confirm").json()["title"] == "confirm"
    assert web.get(None, "/schemas/nothing").status_code == 404
    problem = web.get(None, "/problems/window_closed").json()
    assert problem["status"] == 409
    assert set(problem["title"]) == {"en", "zh"}
    page = web.client.get(
        "/v1/problems/window_closed", headers={"Accept": "text/html", "Accept-Language": "zh"}
    )
    assert 'lang="zh"' in page.text


def test_whoever_runs_it_is_told_how_it_is(web: Web, ada: str) -> None:
    assert web.client.get("/healthz").text == "alive\n"
    assert web.client.get("/readyz").text == "ready\n"
    web.get("officer", path_of(ada))
    figures = web.client.get("/metrics").text
    assert 'route="/v1/enrollments/{ref}/{year}",status="200"' in figures
    assert "yibao_commands_total" in figures
    assert ada not in figures
