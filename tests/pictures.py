"""Draws the pictures of the README: `make pictures`; a test compares them with what is drawn."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import yibao
from yibao.adapters.editions import Editions
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


def take(site: str, files: Mapping[Language, Path]) -> None:
    """Pictures of the running console, as somebody sees it who has moved the sliders."""
    from given.console import ADA, CHROMIUM, signed_in
    from playwright.sync_api import FloatRect, sync_playwright

    args = ["--no-sandbox", "--force-color-profile=srgb", "--disable-lcd-text"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        for language, file in files.items():
            page = signed_in(browser, site, "officer", {"width": 1120, "height": 900})
            page.goto(f"{site}/s/{ADA.ref}/{ADA.year}?day=9&known=4&lang={language}")
            page.mouse.move(0, 0)
            below = page.locator(".columns").bounding_box()
            assert below is not None
            clip = FloatRect(x=0, y=0, width=1120, height=below["y"])
            page.screenshot(path=file, clip=clip, full_page=True)
        browser.close()


if __name__ == "__main__":
    from given.console import opened, running

    with opened(STORY) as service, running(service) as console:
        take(console.url, SEEN)
    for draw, files in ((drawn, PICTURES), (autumn, AUTUMNS)):
        for language, file in files.items():
            file.parent.mkdir(exist_ok=True)
            file.write_text(draw(language), encoding="utf-8")
