"""Draws the pictures of the README: `make pictures`; a test compares them with what is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from given.console import ADA, CHROMIUM, PEOPLE, opened, running, signed_in
from playwright.sync_api import FloatRect, Page, sync_playwright

import yibao
from yibao.adapters.editions import Editions
from yibao.adapters.http.rights import Role, Who
from yibao.adapters.office.demo import make_school
from yibao.adapters.office.directory import open_directory
from yibao.adapters.stories import Replay, read_story, replay
from yibao.adapters.views.pages.timelines import timeline_svg
from yibao.adapters.views.words import LANGUAGES, Language, Words
from yibao.domain.calendar import read_instant

ROOT: Final = Path(__file__).parents[1]
STORY: Final = (
    ROOT / "scenarios/audit/the-counter-was-right-in-september-on-a-check-that-was-wrong.yaml"
)
SCHOOL: Final = ROOT / "scenarios/a-school/thirty-students-of-one-autumn.yaml"
PICTURES: Final[dict[Language, Path]] = {
    language: ROOT / f"docs/pictures/{language}.svg" for language in LANGUAGES
}
AUTUMNS: Final[dict[Language, Path]] = {
    language: ROOT / f"docs/pictures/autumn.{language}.svg" for language in LANGUAGES
}


def _replayed(story: Path) -> Replay:
    editions = Editions()
    return replay(read_story(story, editions), editions)


def drawn(language: Language) -> str:
    """One day of one student as bars: as known on that day, and as known now."""
    ran = _replayed(STORY)
    (student,) = ran.story.students
    asked = read_instant("2025-09-10 14:00")
    with ran.service:
        answers = [ran.answer(student, asked, known_at) for known_at in (asked, None)]
    return str(timeline_svg(answers, Words(language)))


def autumn(language: Language) -> str:
    """How the states of thirty students flow through an autumn."""
    ran = _replayed(SCHOOL)
    with ran.service, TemporaryDirectory() as folder:
        days = ran.service.cohort().days("states", "2025-09-01", "2025-12-31")
        file = Path(folder, "autumn.svg")
        yibao.plot(days, file, lang=language)
        return file.read_text(encoding="utf-8")


#: The student's page of the console, on the day and by the knowledge the README tells of.
SEEN: Final[dict[Language, Path]] = {
    language: ROOT / f"docs/pictures/console.{language}.png" for language in LANGUAGES
}


#: The officer's pages, over a synthetic school: her morning, and a table that was tried.
MORNING: Final[dict[Language, Path]] = {
    language: ROOT / f"docs/pictures/morning.{language}.png" for language in LANGUAGES
}
TRIED: Final[dict[Language, Path]] = {
    language: ROOT / f"docs/pictures/tried.{language}.png" for language in LANGUAGES
}


@contextmanager
def looking(site: str, width: int) -> Iterator[Page]:
    """A page of the running console, on which an officer has signed in."""
    args = ["--no-sandbox", "--force-color-profile=srgb", "--disable-lcd-text"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield signed_in(browser, site, "officer", {"width": width, "height": 740})
        browser.close()


def student() -> None:
    """The student's page, as somebody sees it who has moved the sliders."""
    with opened(STORY) as service, running(service) as site, looking(site.url, 1120) as page:
        for language, file in SEEN.items():
            page.goto(f"{site.url}/s/{ADA.ref}/{ADA.year}?day=9&known=4&lang={language}")
            below = page.locator(".columns").bounding_box()
            assert below is not None
            clip = FloatRect(x=0, y=0, width=1120, height=below["y"])
            page.screenshot(path=file, clip=clip, full_page=True)


def season() -> None:
    """What the officer of a synthetic school sees in the morning, and of a table that is tried."""
    with TemporaryDirectory() as folder:
        made = make_school(Path(folder, "school"))
        PEOPLE["officer"] = Who("officer-1", frozenset({Role.OFFICER}), frozenset({made.school}))
        people = open_directory(made.settings, lambda: made.at, make=False)
        assert people is not None
        stored = yibao.open(f"sqlite:///{made.store}", clock=lambda: made.at)
        with (
            yibao.open("memory:", clock=lambda: made.at) as empty,
            running(empty) as site,
            looking(site.url, 960) as page,
        ):
            for language in LANGUAGES:
                page.goto(f"{site.url}/import?lang={language}")
                page.locator("#file").set_input_files(made.tables[0])
                page.locator("form.card button").click()
                page.locator("[data-verdict]").first.wait_for()
                page.screenshot(path=TRIED[language])
        with (
            people,
            stored as service,
            running(service, people=people) as site,
            looking(site.url, 960) as page,
        ):
            for language in LANGUAGES:
                page.goto(f"{site.url}/today?lang={language}")
                page.screenshot(path=MORNING[language], full_page=True)


if __name__ == "__main__":
    student()
    season()
    for draw, files in ((drawn, PICTURES), (autumn, AUTUMNS)):
        for language, file in files.items():
            file.parent.mkdir(exist_ok=True)
            file.write_text(draw(language), encoding="utf-8")
