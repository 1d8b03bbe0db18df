"""Draws the pictures of the README: `make pictures`; a test compares them with what is drawn."""

from pathlib import Path
from typing import Final

from yibao.adapters.editions import Editions
from yibao.adapters.stories import read_story, replay
from yibao.adapters.views.pages.timelines import timeline_svg
from yibao.adapters.views.words import LANGUAGES, Language, Words
from yibao.domain.calendar import read_instant

ROOT: Final = Path(__file__).parents[1]
STORY: Final = (
    ROOT / "scenarios/audit/the-counter-was-right-in-september-on-a-check-that-was-wrong.yaml"
)
PICTURES: Final[dict[Language, Path]] = {
    language: ROOT / f"docs/pictures/{language}.svg" for language in LANGUAGES
}


def drawn(language: Language) -> str:
    """One day of one student as bars: as known on that day, and as known now."""
    editions = Editions()
    ran = replay(read_story(STORY, editions), editions)
    (student,) = ran.story.students
    asked = read_instant("2025-09-10 14:00")
    with ran.service:
        answers = [ran.answer(student, asked, known_at) for known_at in (asked, None)]
    return str(timeline_svg(answers, Words(language)))


if __name__ == "__main__":
    for language, file in PICTURES.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(drawn(language), encoding="utf-8")
