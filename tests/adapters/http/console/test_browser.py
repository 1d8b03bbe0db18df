"""The pages in a real browser: in both languages, wide and narrow, by keyboard, without scripts."""

import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from given.console import ADA, Site
from playwright.sync_api import Browser, BrowserContext, Page, expect

from yibao.adapters.office.directory import Directory, Entry, draw
from yibao.adapters.shapes import answer_json

PAGE = f"/s/{ADA.ref}/{ADA.year}"
#: What each sees: every page that there is, by whose it is.
PAGES = {
    "officer": (
        "/",
        f"{PAGE}?day=9&known=4",
        f"{PAGE}?day=60&known=0",
        f"{PAGE}?why=1",
        f"{PAGE}/dossier?day=9&known=4",
        f"{PAGE}/do/withdraw",
        f"{PAGE}/do/confirm",
        f"{PAGE}/do/correct?fact=FACT",
        "/today?day=2025-10-20",
        "/lists/evoucher?day=2025-10-20",
        "/find",
        "/register",
        "/import",
        "/audit",
        "/nowhere",
    ),
    "student": ("/", PAGE),
    "clinic": (PAGE, f"{PAGE}/do/receive_care"),
    "auditor": (PAGE, "/audit", "/accesses"),
    "privacy": ("/forget", "/accesses"),
    "keeper": ("/windows", "/windows/shanghai-2025", "/what-if", "/evidence"),
}
WIDTHS = {1280: 900, 390: 844}
#: Each page is looked into in each language and at each width, though not at all four together.
LOOKED_INTO = {("zh", 390), ("en", 1280)}


@contextmanager
def browsing(chromium: Browser, site: Site, token: str, **how: object) -> Iterator[BrowserContext]:
    """A context in which somebody has signed in, as one does: by the form."""
    context = chromium.new_context(locale="en-GB", **how)  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(f"{site.url}/sign-in")
    page.get_by_label("token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What would you like to do?")
    page.close()
    yield context
    context.close()


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    with browsing(chromium, site, "officer") as context:
        yield context


@pytest.fixture
def officer(signed_in: BrowserContext) -> Iterator[Page]:
    """Her page, on which nothing may be said on the console but that a form was not recorded."""
    page, said = signed_in.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    page.close()
    assert [each for each in said if "412" not in each] == []


def whole(page: Page) -> Page:
    """A page to be looked into; one whose policy lets nothing run is looked into elsewhere."""
    if "/dossier" not in page.url:
        return page
    elsewhere = page.context.new_page()
    elsewhere.set_content(page.content())
    return elsewhere


def at(page: Page) -> str:
    """The instant that a page says it was asked about."""
    return page.locator("#at").get_attribute("datetime") or ""


@pytest.mark.parametrize(("lang", "width"), [*product(("zh", "en"), WIDTHS)])
def test_every_page_fits_says_nothing_on_the_console_and_is_accessible(
    chromium: Browser, site: Site, people: Directory, lang: str, width: int
) -> None:
    if not people.to_forget():
        with people.importing(lambda ref: True) as entries:
            (new,) = draw([Entry("sjtu", "524001", "某某", "passport", "E1")])
            entries.add([new])
            entries.keep([new.ref])
        people.forget(new.ref, by="privacy-2", reason="left")
    fact = str(site.service.facts(ADA)[0].event_id)
    axe, seen = Axe(), 0
    for token, paths in PAGES.items():
        size = {"width": width, "height": WIDTHS[width]}
        with browsing(chromium, site, token, viewport=size) as context:
            page, said = context.new_page(), list[str]()
            page.on("console", lambda message, said=said: said.append(message.text))
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            for path in paths:
                asked = f"{path.replace('FACT', fact)}{'&' if '?' in path else '?'}lang={lang}"
                page.goto(f"{site.url}{asked}")
                if path == "/nowhere":  # which the browser tells by itself
                    assert len(said) == 1
                    said.clear()
                assert page.locator("html").get_attribute("lang") == lang, path
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path
                if (lang, width) in LOOKED_INTO:
                    found = axe.run(whole(page))
                    assert found.violations_count == 0, (path, found.generate_report())
                assert said == [], path
                seen += 1
    print(f"pages seen in {lang} at {width}: {seen}")


def test_twenty_quick_steps_of_a_slider_end_at_the_last(officer: Page, site: Site) -> None:
    officer.goto(f"{site.url}{PAGE}?day=9&known=4")
    slider = officer.locator("#day")
    slider.focus()
    for _ in range(20):
        officer.keyboard.press("ArrowRight")
    expect(officer.locator("#at")).to_have_attribute("datetime", "2025-09-30T12:00:00+08:00")
    officer.wait_for_load_state("networkidle")
    assert at(officer) == "2025-09-30T12:00:00+08:00"
    assert slider.input_value() == "29"
    assert "day=29&known=4" in officer.url
    officer.locator("#known").focus()
    officer.keyboard.press("End")
    expect(officer.locator("[data-covered]")).to_have_attribute("data-covered", "yes")
    assert officer.locator("#answer").count() == 1


def test_the_page_says_what_the_library_answers_wherever_the_sliders_stand(
    officer: Page, site: Site
) -> None:
    officer.goto(f"{site.url}{PAGE}")
    draw = random.Random(2025)
    days, stops = (
        int(officer.locator(f"#{name}").get_attribute("max") or 0) for name in ("day", "known")
    )
    for _ in range(8):
        day, known = draw.randint(0, days), draw.randint(0, stops)
        officer.locator("#known").fill(str(known))
        officer.locator("#day").fill(str(day))
        # Each of the two asks: what the first one brought is not yet what is looked at.
        expect(officer).to_have_url(re.compile(rf"[?&]day={day}&known={known}(&|$)"))
        expect(officer.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
        told = officer.locator("#known-at").get_attribute("datetime") or ""
        cutoff = datetime.fromisoformat(told) if told else 0
        answer = site.service.at(ADA, datetime.fromisoformat(at(officer)), known_at=cutoff)
        values = {
            each.get_attribute("data-value"): json.loads(each.get_attribute("data-json") or "")
            for each in officer.locator("[data-value]").all()
        }
        assert values == answer_json(answer)


def test_back_and_reload_bring_the_same_whole_page(officer: Page, site: Site) -> None:
    officer.goto(f"{site.url}{PAGE}?day=9&known=4")
    officer.locator("#day").focus()
    officer.keyboard.press("ArrowRight")
    expect(officer.locator("#at")).to_have_attribute("datetime", "2025-09-11T12:00:00+08:00")
    officer.get_by_role("link", name="show rules, clauses and facts").click()
    expect(officer.locator(".tree").first).to_be_visible()
    officer.get_by_role("link", name="today", exact=True).click()
    expect(officer.get_by_role("heading", level=1)).to_contain_text("today")
    officer.go_back()
    for _ in range(2):
        expect(officer.locator("header.bar")).to_have_count(1)
        expect(officer.locator("#at")).to_have_attribute("datetime", "2025-09-11T12:00:00+08:00")
        expect(officer.locator("#day")).to_have_value("10")
        officer.reload()
    officer.go_back()
    expect(officer).to_have_url("about:blank")


def test_the_keyboard_alone_asks_and_records(officer: Page, site: Site) -> None:
    officer.goto(f"{site.url}{PAGE}?day=9&known=4")
    officer.keyboard.press("Tab")
    expect(officer.locator(".skip")).to_be_focused()
    for _ in range(20):
        officer.keyboard.press("Tab")
        if officer.evaluate("document.activeElement.id") == "day":
            break
    officer.keyboard.press("Home")
    expect(officer.locator("#at")).to_have_attribute("datetime", "2025-09-01T12:00:00+08:00")
    officer.keyboard.press("Tab")
    officer.keyboard.press("Home")
    expect(officer.locator("#known-at")).to_have_attribute("datetime", "")
    before = len(site.service.facts(ADA))
    officer.goto(f"{site.url}{PAGE}/do/file_remote_care")
    officer.get_by_label("province").focus()
    officer.keyboard.type("Zhejiang")
    officer.keyboard.press("Enter")
    expect(officer.get_by_role("status")).to_contain_text("remote care filed")
    assert len(site.service.facts(ADA)) == before + 1


def test_everything_works_without_scripts(chromium: Browser, site: Site) -> None:
    with browsing(chromium, site, "officer", java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{site.url}{PAGE}?day=9&known=4")
        page.locator("#day").focus()
        page.keyboard.press("ArrowRight")
        page.get_by_role("button", name="Ask").click()
        assert at(page) == "2025-09-11T12:00:00+08:00"
        page.get_by_role("link", name="show rules, clauses and facts").click()
        expect(page.locator(".tree").first).to_be_visible()
        before = len(site.service.facts(ADA))
        page.locator("#facts").get_by_role("link", name="void").first.click()
        page.get_by_role("button", name="Record").click()  # nothing is sent without a reason
        page.get_by_label("reason").fill("Not a word")
        page.get_by_role("button", name="Record").click()
        assert len(site.service.facts(ADA)) == before
        page.goto(f"{site.url}{PAGE}/do/verify_prior_coverage")
        page.get_by_label("lapsed years").fill("0")
        page.get_by_role("button", name="Record").click()
        expect(page.get_by_role("status")).to_contain_text("check recorded")
        assert len(site.service.facts(ADA)) == before + 1
        page.get_by_role("link", name="the whole dossier").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(ADA.ref)
        page.goto(f"{site.url}/register")
        her = {"number": "527001", "name": "某某", "document_number": "E1", "on": "2025-09-01"}
        for name, value in {**her, "category": "undergraduate", "document": "passport"}.items():
            page.locator(f"[name={name}]").fill(value)
        page.locator("[name=policy]").select_option("shanghai-2025")
        page.locator("[name=school]").select_option("sjtu")
        page.get_by_role("button", name="Record").click()
        expect(page.get_by_role("alert")).to_contain_text("cannot be right")
        page.locator("[name=document_number]").fill("E12345678")
        page.get_by_role("button", name="Record").click()
        expect(page.get_by_role("status")).to_contain_text("Recorded: #1")


def test_a_page_that_is_not_up_to_date_says_who_was_faster(officer: Page, site: Site) -> None:
    officer.goto(f"{site.url}{PAGE}/do/issue_medical_card")
    site.service.declare_other_cover(ADA, kind="employee", by="officer-7")
    officer.get_by_role("button", name="Record").click()
    expect(officer.get_by_role("alert")).to_contain_text("Somebody was faster")
    expect(officer.get_by_role("alert")).to_contain_text("officer-7")
    officer.get_by_role("button", name="Record").click()
    expect(officer.get_by_role("status")).to_contain_text("medical card issued")


def test_a_table_is_tried_and_then_recorded_and_its_student_found(
    officer: Page, site: Site
) -> None:
    heads = "学号,姓名,证件类型,证件号码,学生类别,报到日期"
    rows = ["525001,陈小明,护照,E12345678,本科生,2025-09-01", "525002,李雷,护照,,本科生,2025-09-01"]
    table = "\n".join([heads, *rows])
    officer.goto(f"{site.url}/import")
    officer.locator("#file").set_input_files(
        {"name": "roster.csv", "mimeType": "text/csv", "buffer": table.encode()}
    )
    officer.get_by_role("button", name="Try without recording").click()
    expect(officer.locator("[data-verdict=registered]")).to_have_attribute("data-count", "1")
    expect(officer.locator("[data-verdict=refused]")).to_have_attribute("data-count", "1")
    officer.get_by_role("button", name="Record it").click()
    expect(officer.get_by_role("status")).to_contain_text("This was recorded")
    officer.goto(f"{site.url}/find")
    officer.get_by_label("student number").fill("525001")
    officer.get_by_role("button", name="find a student").click()
    expect(officer.locator(".person")).to_contain_text("陈小明")
    assert "525001" not in officer.url
    officer.goto(f"{site.url}/today?day=2025-10-20")
    count = officer.locator("[data-list=not-confirmed]").get_attribute("data-count")
    assert count == "1"
    officer.get_by_role("link", name="not confirmed yet").click()
    officer.get_by_label("number, name or reference").fill("小明")
    officer.get_by_role("button", name="show").last.click()
    expect(officer.locator("table.list tbody tr")).to_have_count(1)
    assert "小明" not in officer.url
