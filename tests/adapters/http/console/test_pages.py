"""The pages without a browser: headers, rights, forms, and that they say what the library does."""

import hashlib
import html
import json
import random
import re
from base64 import b64encode
from datetime import date, datetime

import pytest
from given.console import ADA, PEOPLE, ROOT, Browsing, browsing, csrf, opened, served

import yibao
from yibao.adapters.http.rights import MAY
from yibao.adapters.office.directory import Accessed, Directory
from yibao.adapters.service import Service
from yibao.adapters.shapes import answer_json
from yibao.domain.calendar import midnight
from yibao.domain.facts.commands import ASKED
from yibao.domain.facts.telling import keys
from yibao.domain.vocabulary import EnrollmentId
from yibao.testing import clock_at, student

PAGE = f"/console/s/{ADA.ref}/{ADA.year}"
YEARS = ROOT / "scenarios/several-years/21-the-year-after-the-first-autumn-needs-no-check.yaml"
#: Of `dist/htmx.min.js` in htmx.org 2.0.11.
HTMX = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
POLICY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'"
)


@pytest.fixture
def officer(story: Service) -> Browsing:
    return browsing(served(story)).sign_in("officer")


@pytest.fixture
def recording(fresh: Service) -> Browsing:
    return browsing(served(fresh)).sign_in("officer")


def told(page: str) -> tuple[datetime, datetime | int, str, dict[str, object]]:
    """What a page says it was asked, and its values, as others read it."""
    times = dict(re.findall(r'<time id="([\w-]+)" datetime="([^"]*)"', page))
    values = re.findall(r'data-value="(\w+)" data-json="([^"]*)"', page)
    known = times["known-at"]
    covered = re.search(r'data-covered="(\w+)"', page)
    assert covered
    return (
        datetime.fromisoformat(times["at"]),
        datetime.fromisoformat(known) if known else 0,
        covered[1],
        {name: json.loads(html.unescape(value)) for name, value in values},
    )


def test_a_page_says_what_the_library_answers_for_whatever_it_is_asked(
    officer: Browsing, story: Service
) -> None:
    draw = random.Random(18)
    moments = len(story.moments(ADA))
    for stop in [*range(moments + 1), *(draw.randint(0, moments) for _ in range(25))]:
        hour = f"{draw.randrange(24):02}:{draw.randrange(60):02}"
        asked = f"day={draw.randint(0, 152)}&known={stop}&hour={hour}"
        at, known, covered, values = told(officer.get(f"{PAGE}?{asked}").text)
        answer = story.at(ADA, at, known_at=known)
        assert values == answer_json(answer)
        window = values["coverage"]
        inside = isinstance(window, dict) and window["from"] <= f"{at:%Y-%m-%d}" <= window["to"]
        assert covered == ("pending" if window == "pending" else "yes" if inside else "no")


def test_the_first_stop_knows_nothing_and_the_last_everything(
    officer: Browsing, story: Service
) -> None:
    _, known, covered, values = told(officer.get(f"{PAGE}?day=9&known=0").text)
    assert (known, covered, values["state"], values["coverage"]) == (0, "no", None, None)
    _, known, _, values = told(officer.get(PAGE).text)
    assert known == story.moments(ADA)[-1]
    assert values == answer_json(story.at(ADA, told(officer.get(PAGE).text)[0]))


def test_beside_a_year_that_has_ended_stands_how_the_next_one_goes_on() -> None:
    with opened(YEARS) as service:
        app = served(service)
        page, ended = "/console/s/s-a101/2025", "2026-01-01"
        english = browsing(app).sign_in("officer")
        told = _state_in(english.get(f"{page}?day={ended}").text)
        assert "goes on in 2026: active" in told
        assert "2026 年度接续：" in _state_in(english.get(f"{page}?day={ended}&lang=zh").text)
        assert "2026" not in _state_in(english.get(f"{page}?day=2025-12-31").text)
        moments = service.moments(EnrollmentId("s-a101", 2025))
        before = sum(each < midnight(date(2025, 11, 14)) for each in moments)
        assert "2026" not in _state_in(english.get(f"{page}?day={ended}&known={before}").text)
        assert "goes on in 2026" in _state_in(
            browsing(app).sign_in("auditor").get(f"{page}?day={ended}&lang=en").text
        )


def test_who_goes_on_at_another_school_is_told_to_nobody_of_the_old_one() -> None:
    with opened(YEARS) as service:
        service.change_school(EnrollmentId("s-a101", 2026), school="ecnu", by="t")
        page = "/console/s/s-a101/2025?day=2026-01-01&lang=en"
        app = served(service)
        told = browsing(app).sign_in("officer").get(page)
        assert told.status_code == 200
        assert "2026" not in _state_in(told.text)
        assert "goes on in 2026" in _state_in(browsing(app).sign_in("auditor").get(page).text)


def _state_in(page: str) -> str:
    found = re.search(r'<dd data-value="state".*?</dd>', page, re.DOTALL)
    assert found
    return found[0].replace("\xa0", " ")


def test_the_days_are_those_of_the_calendar_whatever_day_it_is(officer: Browsing) -> None:
    for query in ("", "?day=0", "?day=2099-01-01", "?day=junk&known=99&hour=25:00"):
        page = officer.get(f"{PAGE}{query}").text
        assert re.findall(r'name="(day|known)" type="range" min="0" max="(\d+)"', page) == [
            ("day", "152"),
            ("known", "7"),
        ]
    assert told(officer.get(f"{PAGE}?day=2025-09-10").text)[0].isoformat() == (
        "2025-09-10T12:00:00+08:00"
    )


def test_what_was_learned_since_stands_beneath_an_earlier_knowledge(officer: Browsing) -> None:
    page = officer.get(f"{PAGE}?day=9&known=4").text
    assert 'data-covered="no"' in page
    assert "By all that is known today she is covered on that day." in page
    assert page.count("<svg") == 1
    assert page.count('class="heading"') == 2
    assert "What was learned since" in page
    assert "What was learned since" not in officer.get(f"{PAGE}?day=9").text


def test_a_part_of_a_page_is_sent_only_where_htmx_asks_for_one(officer: Browsing) -> None:
    part = officer.get(PAGE, headers={"HX-Request": "true"})
    assert part.text.startswith('<div id="answer">')
    assert "HX-Request" in part.headers["vary"]
    back = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert officer.get(PAGE, headers=back).text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    "path", ["/", "/today", "/find", "/import", "/audit", PAGE[8:], "/nowhere"]
)
def test_every_page_carries_its_headers(officer: Browsing, path: str) -> None:
    answered = officer.get(f"/console{path}")
    assert answered.headers["content-security-policy"] == POLICY
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert answered.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in answered.headers["cache-control"]


def test_no_title_and_no_style_tells_whose_page_it_is(officer: Browsing) -> None:
    page = officer.get(f"{PAGE}?why=1").text
    title = re.search("<title>(.*?)</title>", page)
    assert title
    assert ADA.ref not in title[1]
    assert "<style" not in page
    assert " style=" not in page


def test_the_script_is_htmx_unchanged(officer: Browsing) -> None:
    page = officer.get("/console/").text
    (address,) = re.findall('src="([^"]+)"', page)
    script = officer.get(address)
    assert "immutable" in script.headers["cache-control"]
    assert 'version:"2.0.11"' in script.text
    assert hashlib.sha256(script.content).hexdigest() == HTMX
    digest = b64encode(hashlib.sha384(script.content).digest()).decode()
    assert f'integrity="sha384-{digest}"' in page
    assert "set-cookie" not in script.headers


# Who may see what


def test_who_has_not_signed_in_is_asked_to_and_comes_back(story: Service) -> None:
    browser = browsing(served(story))
    sent = browser.get(f"{PAGE}?day=9")
    assert sent.status_code == 303
    to = sent.headers["location"]
    page = browser.get(to).text
    sent = browser.post(
        "/console/sign-in",
        data={"token": "officer", "csrf": csrf(page), "to": f"{PAGE}?day=9"},
    )
    assert sent.headers["location"] == f"{PAGE}?day=9"
    assert "httponly" in sent.headers["set-cookie"].lower()
    for elsewhere in ("https://example.org/", "//example.org", "/\\example.org"):
        data = {"token": "officer", "csrf": csrf(page), "to": elsewhere}
        assert browser.post("/console/sign-in", data=data).headers["location"] == "/console/"


def test_a_token_that_nobody_has_signs_nobody_in(story: Service) -> None:
    browser = browsing(served(story))
    page = browser.get("/console/sign-in").text
    sent = browser.post("/console/sign-in", data={"token": "nobody", "csrf": csrf(page), "to": ""})
    assert sent.status_code == 401
    assert browser.get("/console/").status_code == 303


def test_behind_tls_the_cookie_is_of_this_host_alone(story: Service) -> None:
    browser = browsing(served(story))
    browser.base_url = "https://yibao.example"  # type: ignore[assignment]
    page = browser.get("/console/sign-in").text
    sent = browser.post("/console/sign-in", data={"token": "officer", "csrf": csrf(page), "to": ""})
    cookie = sent.headers["set-cookie"]
    assert cookie.startswith("__Host-yibao=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= {*cookie.split("; ")}


def test_a_link_of_one_time_opens_once(story: Service) -> None:
    app = served(story, once="officer")
    assert browsing(app).get("/console/once/another").status_code == 401
    first = browsing(app)
    assert first.get("/console/once/officer").status_code == 303
    assert first.get("/console/").status_code == 200
    assert browsing(app).get("/console/once/officer").status_code == 401


def test_a_session_ends_by_signing_out_and_after_half_an_hour(
    officer: Browsing, monkeypatch: pytest.MonkeyPatch
) -> None:
    from itsdangerous import TimestampSigner

    page = officer.get("/console/").text
    now = TimestampSigner("k").get_timestamp()
    with monkeypatch.context() as patched:
        patched.setattr(TimestampSigner, "get_timestamp", lambda _: now + 1790)
        assert officer.get("/console/").status_code == 200  # and it is given anew
        patched.setattr(TimestampSigner, "get_timestamp", lambda _: now + 1790 + 1810)
        assert officer.get("/console/").status_code == 303
    officer.sign_in("officer")
    page = officer.get("/console/").text
    assert officer.post("/console/sign-out", data={"csrf": csrf(page)}).status_code == 303
    assert officer.get("/console/").status_code == 303


@pytest.mark.parametrize("token", ["elsewhere", "another", "privacy"])
def test_somebody_elses_student_is_nobody_in_the_same_bytes(story: Service, token: str) -> None:
    browser = browsing(served(story)).sign_in(token)
    hers, nobodys = browser.get(PAGE), browser.get("/console/s/s-nobody/2025")
    assert hers.status_code == nobodys.status_code == (403 if token == "privacy" else 404)
    assert hers.content == nobodys.content
    assert hers.headers.keys() == nobodys.headers.keys()
    form = f"{PAGE}/do/confirm"
    assert browser.get(form).content == browser.get(form.replace(ADA.ref, "s-nobody")).content
    given = csrf(browser.get("/console/").text)
    opened = [
        browser.post("/console/open", data={"ref": ref, "csrf": given})
        for ref in (ADA.ref, "s-nobody")
    ]
    assert opened[0].status_code == opened[1].status_code == hers.status_code
    assert opened[0].content == opened[1].content


@pytest.mark.parametrize(
    ("token", "sees", "lacks"),
    [
        (
            "student",
            ["What was recorded", "<svg", "do/activate_evoucher"],
            ["do/void", "do/withdraw"],
        ),
        (
            "clinic",
            ["What holds", "do/receive_care"],
            ["What was recorded", "<svg", ">None<", "do/withdraw"],
        ),
        ("bureau", ["What holds", "do/build_account"], ["What was recorded", "do/withdraw"]),
        ("auditor", ["What was recorded", "<svg"], ["do/"]),
        ("keeper", ["What holds"], ["What was recorded", "do/"]),
        ("officer", ["What was recorded", "<svg", "do/void", "do/withdraw"], ["do/receive_care"]),
    ],
)
def test_each_role_finds_on_the_page_what_it_may(
    story: Service, token: str, sees: list[str], lacks: list[str]
) -> None:
    page = browsing(served(story)).sign_in(token).get(PAGE).text
    assert [each for each in sees if each not in page] == []
    assert [each for each in lacks if each in page] == []


def test_pages_of_others_roles_are_refused(story: Service) -> None:
    student = browsing(served(story)).sign_in("student")
    pages = ("today", "lists/waiting", "find", "import", "audit", "windows", "what-if", "evidence")
    for path in pages:
        assert student.get(f"/console/{path}").status_code == 403, path
        assert f'"/console/{path}"' not in student.get("/console/").text
    assert student.get(f"{PAGE}/do/withdraw").status_code == 403


def test_the_dossier_is_a_page_by_itself_for_whom_it_is(story: Service) -> None:
    page = f"{PAGE}/dossier"
    for token, status in {
        "student": 200, "officer": 200, "auditor": 200,
        "another": 404, "elsewhere": 404, "clinic": 403, "keeper": 403,
    }.items():  # fmt: skip
        browser = browsing(served(story)).sign_in(token)
        found = browser.get(page)
        assert found.status_code == status, token
        if token in ("another", "elsewhere"):
            nobodys = browser.get(page.replace(ADA.ref, "s-nobody"))
            assert (nobodys.status_code, nobodys.content) == (404, found.content)
        if status == 200:
            assert "default-src 'none'" in found.headers["content-security-policy"]
            assert f"/s/{ADA.ref}/{ADA.year}/dossier?day=" in browser.get(PAGE).text
    assert "/dossier" not in browsing(served(story)).sign_in("clinic").get(PAGE).text


def test_the_dossier_says_what_was_known_then(officer: Browsing) -> None:
    page = officer.get(f"{PAGE}?day=9&known=4").text
    (address,) = re.findall(f'href="({PAGE}/dossier[^"]*)"', page)
    then = officer.get(html.unescape(address)).text
    assert then != officer.get(f"{PAGE}/dossier?day=9").text
    assert "2025-09-10 12:00" in then
    assert ADA.ref not in re.findall("<title>(.*?)</title>", then)[0]
    assert 'lang="zh"' in officer.get(f"{PAGE}/dossier?day=9&known=0&lang=zh").text


# What is sent


def test_a_form_that_was_not_sent_from_here_records_nothing(
    recording: Browsing, fresh: Service
) -> None:
    page = recording.get(f"{PAGE}/do/withdraw").text
    whole = {"csrf": csrf(page), "key": "k", "seen": "", "on": "2025-10-20"}
    for headers in (
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    ):
        sent = recording.post(f"{PAGE}/do/withdraw", data=whole, headers=headers)
        assert sent.status_code == 403, headers
    for token in (
        "",
        "0" * 64,
        csrf(browsing(served(fresh)).sign_in("officer").get("/console/").text),
    ):
        sent = recording.post(f"{PAGE}/do/withdraw", data={**whole, "csrf": token})
        assert sent.status_code == 403
    assert len(fresh.facts(ADA)) == 5
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}  # as browsers send our forms
    assert recording.post(f"{PAGE}/do/withdraw", data={**whole, "seen": "*"}, headers=headers)
    assert len(fresh.facts(ADA)) == 6


def test_a_form_tells_before_anybody_types_what_would_be_refused(recording: Browsing) -> None:
    page = recording.get(f"{PAGE}/do/confirm").text
    assert 'data-refused="already_confirmed"' in page
    assert "It would be refused now" in page
    assert "It would be recorded now" in recording.get(f"{PAGE}/do/withdraw").text
    assert "always recorded" in recording.get(f"{PAGE}/do/build_account").text


def test_a_form_tells_until_when_it_would_be_refused() -> None:
    with yibao.open("memory:", by="officer-3", clock=clock_at("2025-09-03 10:00")) as early:
        whose = student(early, "s-early", "registered", policy="shanghai-2025", school="sjtu")
        early.declare_roster(whose)
        (confirm,) = (each for each in early.possible(whose) if each.command == "confirm")
        (guard,) = (each for each in confirm.guards if not each.passed)
        assert guard.code == "window_not_open"
        assert guard.passes_from
        browser = browsing(served(early)).sign_in("officer")
        page = browser.get("/console/s/s-early/2025/do/confirm").text
        until = f"{guard.passes_from:%Y-%m-%d %H:%M}"
        assert f"It would be refused until {until}" in page
        assert f"from {until} on" in browser.get("/console/s/s-early/2025").text
        page = browser.get("/console/s/s-early/2025/do/confirm?lang=zh").text
        assert f"在 {until} 之前会被拒绝" in page


@pytest.mark.parametrize("name", sorted(ASKED.keys() - {"fix_window"}))
def test_every_command_has_a_form_that_asks_for_whatever_it_takes(
    story: Service, name: str
) -> None:
    may = MAY[name]
    token = next(each for each, who in PEOPLE.items() if who.roles & may.keys() and who.ref is None)
    browser = browsing(served(story)).sign_in(token)
    facts = [*story.facts(ADA), *story.care_facts(ADA)]
    fact = next(each for each in facts if (each.name == "confirmed") == (token != "clinic"))
    page = browser.get(f"{PAGE}/do/{name}?fact={fact.event_id}")
    assert page.status_code == 200
    asked = {*re.findall(r'<(?:input|select)[^>]* name="(\w+)"', page.text)}
    kind = ASKED[name]
    values = {*keys(kind)} - {"ref", "fact_id", "changes"}
    values -= {"observed"} if getattr(kind, "always_report", False) else set()
    assert values <= asked
    assert {"csrf", "key", "seen"} <= asked


def test_a_command_is_recorded_once_however_often_its_form_is_sent(
    recording: Browsing, fresh: Service
) -> None:
    page = recording.get(f"{PAGE}/do/withdraw").text
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    hidden["seen"] = html.unescape(hidden["seen"])
    whole = {**hidden, "on": "2025-10-20", "reason": "moved-away", "kind": "graduated"}
    sent, again = (recording.post(f"{PAGE}/do/withdraw", data=whole) for _ in range(2))
    assert sent.status_code == again.status_code == 303
    fact = fresh.facts(ADA)[-1]
    assert len(fresh.facts(ADA)) == 6
    assert (fact.by, fact.reason) == ("officer-3", "moved-away")
    assert sent.headers["location"] == f"{PAGE}?recorded={fact.event_id}"
    assert "Recorded: #6 left" in recording.get(sent.headers["location"]).text


def test_what_is_refused_is_told_in_the_form_with_what_was_typed(recording: Browsing) -> None:
    sent = recording.fill_in(f"{PAGE}/do/confirm", channel="wechat", note="she asked")
    assert sent.status_code == 409
    assert "Refused: the student has confirmed already" in sent.text
    assert 'value="wechat" selected' in sent.text
    assert 'value="she asked"' in sent.text


def test_every_value_that_cannot_be_right_is_told_beside_its_field(recording: Browsing) -> None:
    sent = recording.fill_in(
        f"{PAGE}/do/withdraw", on="2025-02-30", reason="Not A Word", at="2099-01-01T10:00"
    )
    assert sent.status_code == 422
    assert set(re.findall(r'id="e-(\w+)"', sent.text)) == {"on", "reason"}


def test_a_page_that_is_not_up_to_date_says_who_was_faster(
    recording: Browsing, fresh: Service
) -> None:
    before = recording.get(f"{PAGE}/do/withdraw").text
    fresh.build_account(ADA, on="2025-09-07", by="officer-7")
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', before))
    hidden["seen"] = html.unescape(hidden["seen"])
    sent = recording.post(f"{PAGE}/do/withdraw", data={**hidden, "on": "2025-10-20"})
    assert sent.status_code == 412
    assert "Somebody was faster" in sent.text
    assert "<b>officer-7</b>" in sent.text
    assert len(fresh.facts(ADA)) == 6
    again = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', sent.text))
    again["seen"] = html.unescape(again["seen"])
    sent = recording.post(f"{PAGE}/do/withdraw", data={**again, "on": "2025-10-20"})
    assert sent.status_code == 303


def test_a_form_says_what_was_seen(recording: Browsing, fresh: Service) -> None:
    hidden = hidden_of(recording.get(f"{PAGE}/do/withdraw").text)
    for seen, status in ((None, 428), ("", 428), ("junk", 412)):
        whole = {**hidden, "on": "2025-10-20", "seen": seen}
        sent = recording.post(
            f"{PAGE}/do/withdraw", data={k: v for k, v in whole.items() if v is not None}
        )
        assert sent.status_code == status
    assert len(fresh.facts(ADA)) == 5


def test_a_fact_is_corrected_and_taken_back_from_the_page(
    recording: Browsing, fresh: Service
) -> None:
    page = recording.get(PAGE).text
    confirmed = next(each for each in fresh.facts(ADA) if each.name == "confirmed")
    assert f"do/correct?fact={confirmed.event_id}" in page
    form = f"{PAGE}/do/correct?fact={confirmed.event_id}"
    assert 'value="app" selected' in recording.get(form).text
    sent = recording.fill_in(
        form, channel="wechat", occurred_at="2025-09-06T14:20", reason="misread"
    )
    assert sent.status_code == 303
    corrected = fresh.facts(ADA)[-1]
    assert (corrected.payload(), corrected.occurred_at) == (
        {"channel": "wechat"},
        confirmed.occurred_at,
    )
    form = f"{PAGE}/do/void?fact={corrected.event_id}"
    assert recording.fill_in(form, reason="entered-twice").status_code == 303
    assert fresh.facts(ADA)[-1].name == "voided"
    gone = recording.fill_in(form, reason="entered-twice")
    assert gone.status_code == 409


def test_a_language_once_chosen_stays(officer: Browsing) -> None:
    assert 'lang="en"' in officer.get("/console/").text
    assert "是否" not in officer.get("/console/today?day=2025-10-20").text
    assert '<html lang="zh">' in officer.get("/console/today?lang=zh&day=2025-10-20").text
    assert '<html lang="zh">' in officer.get(PAGE).text
    assert "享受医保待遇" in officer.get(PAGE).text


# Who is new, and who is forgotten

NEW = {
    "policy": "shanghai-2025",
    "on": "2025-09-01",
    "school": "sjtu",
    "category": "undergraduate",
    "document": "passport",
    "at": "2025-09-01T09:00",
}
HER = {"number": "526001", "name": "韩梅梅", "document_number": "E12345678"}


def hidden_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))


def test_who_is_registered_is_given_a_reference_of_her_own(
    recording: Browsing, fresh: Service
) -> None:
    page = recording.get("/console/register").text
    assert 'name="ref"' not in page
    assert 'name="number"' not in page
    whole = {**hidden_of(page), **NEW}
    sent, again = (recording.post("/console/register", data=whole) for _ in range(2))
    assert sent.status_code == again.status_code == 303
    assert sent.headers["location"] == again.headers["location"]
    found = re.fullmatch(r"/console/s/(p-[0-9a-f]{16})/2025\?recorded=.*", sent.headers["location"])
    assert found
    assert [each.name for each in fresh.facts(yibao.EnrollmentId(found[1], 2025))] == ["registered"]
    other = recording.fill_in("/console/register", **NEW).headers["location"]
    assert other != sent.headers["location"]


def test_who_is_registered_stands_in_the_directory_by_her_number(
    fresh: Service, people: Directory
) -> None:
    browser = browsing(served(fresh, people)).sign_in("officer")
    whole = {**hidden_of(browser.get("/console/register").text), **NEW, **HER}
    sent, again = (browser.post("/console/register", data=whole) for _ in range(2))
    assert (sent.status_code, again.status_code) == (303, 303)
    assert sent.headers["location"] == again.headers["location"]
    ref = people.find("sjtu", HER["number"], by="test")
    assert ref
    assert f"/s/{ref}/2025" in sent.headers["location"]
    page = browser.get(sent.headers["location"]).text
    assert HER["name"] in page
    twice = browser.fill_in("/console/register", **NEW, **HER)
    assert twice.status_code == 409
    assert "already" in twice.text


@pytest.mark.parametrize(
    ("wrong", "field", "status"),
    [
        ({"document": "resident_id_card"}, "document_number", 422),
        ({"name": ""}, "name", 422),
        ({"on": ""}, "on", 422),
        ({"on": "2025-05-01"}, None, 409),
        ({"category": "foreign"}, None, 409),
        ({"school": "fudan"}, None, 403),
        ({"at": "2099-01-01T09:00"}, None, 422),
    ],
)
def test_who_is_not_registered_stays_in_no_directory(
    fresh: Service, people: Directory, wrong: dict[str, str], field: str | None, status: int
) -> None:
    browser = browsing(served(fresh, people)).sign_in("officer")
    told = {**NEW, **HER, "number": "526002", **wrong}
    sent = browser.fill_in("/console/register", **told)
    assert sent.status_code == status
    if field:
        assert f'id="e-{field}"' in sent.text
    if status != 403:
        assert 'value="526002"' in sent.text  # and what was typed is there yet
    assert people.find("sjtu", "526002", by="test") is None


def test_two_persons_have_somebody_forgotten(fresh: Service, people: Directory) -> None:
    app = served(fresh, people)
    officer = browsing(app).sign_in("officer")
    officer.fill_in("/console/register", **NEW, **{**HER, "number": "526003"})
    ref = people.find("sjtu", "526003", by="test")
    assert ref
    first, second = (browsing(app).sign_in(each) for each in ("privacy", "second-privacy"))
    assert first.fill_in("/console/forget", ref=ref, reason="Not A Word").status_code == 422
    assert first.fill_in("/console/forget", ref="p-nobody", reason="asked").status_code == 404
    for _ in range(2):  # one alone asks however often
        assert "second person" in first.fill_in("/console/forget", ref=ref, reason="asked").text
        assert people.person(ref, by="test") is not None
    assert f"/console/forget?ref={ref}" in second.get("/console/forget").text
    assert f"/console/forget?ref={ref}" not in first.get("/console/forget").text
    assert "It is done" in second.fill_in(f"/console/forget?ref={ref}", ref=ref, reason="ok").text
    assert people.person(ref, by="test") is None
    assert people.to_forget() == []
    assert officer.get("/console/forget").status_code == 403
    looks = people.accesses.page(Accessed(ref=ref))[0]
    assert {(each.look.what, each.look.actor) for each in looks} >= {
        ("forget-asked", "privacy-1"),
        ("forget", "privacy-2"),
    }


def test_whom_to_forget_is_found_by_her_number_which_stands_in_no_address(
    fresh: Service, people: Directory
) -> None:
    app = served(fresh, people)
    browsing(app).sign_in("officer").fill_in(
        "/console/register", **NEW, **{**HER, "number": "526004"}
    )
    ref = people.find("sjtu", "526004", by="test")
    assert ref
    privacy = browsing(app).sign_in("privacy")
    page = privacy.get("/console/forget").text
    sent = {"csrf": csrf(page), "school": "sjtu", "reason": "asked"}
    found = privacy.post("/console/forget/find", data={**sent, "number": "５２６００４ "})
    assert found.status_code == 200
    assert f'name="ref" value="{ref}"' in found.text
    assert 'name="reason" value="asked"' in found.text
    assert "526004" not in str(found.url)
    assert people.to_forget() == []  # she is only found
    looks = people.accesses.page(Accessed(ref=ref))[0]
    assert ("find", "privacy-1", "asked") in {
        (each.look.what, each.look.actor, each.look.reason) for each in looks
    }
    for wrong, status in [
        ({"number": "nobody"}, 404),
        ({"number": "526004", "school": "fdu"}, 404),
        ({"number": "\x00"}, 404),
        ({"number": ""}, 404),
        ({"number": "526004", "reason": "Not A Word"}, 422),
        ({"number": "526004", "csrf": ""}, 403),
    ]:
        tried = privacy.post("/console/forget/find", data={**sent, **wrong})
        assert tried.status_code == status
        assert ref not in tried.text
    officer = browsing(app).sign_in("officer")
    page = officer.get("/console/find").text
    sent = {**sent, "csrf": csrf(page), "number": "526004"}
    assert officer.post("/console/forget/find", data=sent).status_code == 403


def test_where_there_is_no_directory_nobody_is_forgotten(fresh: Service) -> None:
    assert browsing(served(fresh)).sign_in("privacy").get("/console/forget").status_code == 404
