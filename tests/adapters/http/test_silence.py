"""Nobody is named in logs, in figures, or in what a link says: every planted word is looked for."""

import io
import logging
from typing import Any

import pytest

from yibao.adapters.office.directory import Entry, draw
from yibao.adapters.telemetry import log_json

from ..helpers.web import REGISTRATION, Web

NAME, NUMBER, DOCUMENT = "李静默", "5250099881", "11010519491231002X"
PLANTED = {
    "ref": "p-silent-reference",
    "school": "silent-school",
    "key": "silent-key-1",
    "path": "silent-path",
    "query": "silent-query",
    "header": "silent-header",
    "note": "silent-note",
}


@pytest.fixture
def logged() -> Any:
    """Everything that anybody logs, as it would be written."""
    stream = io.StringIO()
    log_json(stream, logging.DEBUG)
    root = logging.StreamHandler(stream)
    logging.getLogger().addHandler(root)
    yield stream
    logging.getLogger().removeHandler(root)
    logging.getLogger("yibao").setLevel(logging.NOTSET)
    for name in ("yibao", "psycopg"):
        logger = logging.getLogger(name)
        for handler in [h for h in logger.handlers if not isinstance(h, logging.NullHandler)]:
            logger.removeHandler(handler)


def test_no_log_and_no_figure_names_anybody(web: Web, logged: io.StringIO) -> None:
    ref = f"{PLANTED['ref']}-{web.key()}"
    body = {"ref": ref, **REGISTRATION, "note": PLANTED["note"]}
    assert web.post("officer", "/enrollments", body, key=PLANTED["key"]).status_code == 201
    directory = web.app.state.desk.opened().directory
    (person,) = draw([Entry("sjtu", NUMBER, NAME, "resident_id_card", DOCUMENT)], lambda: ref)
    with directory.importing(lambda _: True) as importing:
        importing.add([person])
        importing.keep([ref])
    found = web.post("officer", "/people/find", {"school": "sjtu", "number": NUMBER})
    assert found.json() == {"ref": ref}
    told = web.get("officer", f"/people/{ref}")
    assert (told.json()["name"], told.json()["number"]) == (NAME, NUMBER)
    assert web.get("auditor", f"/people/{ref}").status_code == 422
    assert web.get("auditor", f"/people/{ref}", reason="appeal").json()["name"] == NAME
    assert web.get("clinic", f"/people/{ref}").status_code == 403
    answers = [
        web.get("officer", f"/enrollments/{ref}/2025", at=PLANTED["query"]),
        web.get("officer", f"/enrollments/{ref}/2025/{PLANTED['path']}"),
        web.get("officer", f"/{PLANTED['path']}/{NUMBER}"),
        web.get("officer", "/cohort", school=PLANTED["school"]),
        web.get(PLANTED["header"], f"/enrollments/{ref}/2025"),
        web.post("officer", "/people/find", {"school": "sjtu", NUMBER: NAME}),
        web.post("officer", f"/enrollments/{ref}/2025/confirm", {NAME: NUMBER}),
        web.post("officer", "/people/find", {"school": PLANTED["school"], "number": NUMBER}),
    ]
    words = [ref, NAME, NUMBER, DOCUMENT, *PLANTED.values()]
    for answer in answers:
        assert answer.status_code >= 400
        assert [word for word in words if word in answer.text] == []
        assert [word for word in words if word in str(answer.headers)] == []
    written = logged.getvalue()
    assert '"event": "answered"' in written
    assert [word for word in words if word in written] == []
    figures = web.client.get("/metrics").text
    assert [word for word in words if word in figures] == []


def test_somebody_is_forgotten_once_two_persons_have_asked(web: Web) -> None:
    ref = web.student(ref=f"p-forgotten-{web.key()}")
    directory = web.app.state.desk.opened().directory
    (person,) = draw([Entry("sjtu", f"9{ref[-4:]}", NAME, "passport", "E1")], lambda: ref)
    with directory.importing(lambda _: True) as importing:
        importing.add([person])
        importing.keep([ref])
    path, body = f"/people/{ref}/forget", {"reason": "asked-for"}
    assert web.post("privacy", path, body).status_code == 202
    assert web.post("privacy", path, body).status_code == 202
    assert web.get("officer", f"/people/{ref}").status_code == 200
    assert web.post("second-privacy", path, body).json()["outcome"] == "forgotten"
    assert web.get("officer", f"/people/{ref}").status_code == 404
    assert web.get("officer", f"/enrollments/{ref}/2025").status_code == 200
