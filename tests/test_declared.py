"""What belongs to a fact is there: else one test says what is lacking, and where.

That a fact has a command with the same values, and a command its row in the table of the lifecycle,
is said when they are imported. The keys of stories and the schemas follow from the commands.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path

from yibao.adapters.service.service import Service
from yibao.adapters.stories.schema import story_schema
from yibao.adapters.views.words import LANGUAGES, Words
from yibao.domain.facts.commands import ASKED
from yibao.domain.facts.events import EVENTS

EMBEDDING = Path(__file__).parents[1] / "docs" / "embedding.md"


def test_nothing_is_lacking_that_belongs_to_a_fact() -> None:
    assert list(lacking()) == []


def lacking() -> Iterator[str]:
    """What is lacking, a sentence each."""
    page = EMBEDDING.read_text(encoding="utf-8")
    steps = story_schema()["properties"]["story"]["items"]["oneOf"]
    keys = {step["title"] for step in steps}
    for name, kind in ASKED.items():
        method = getattr(Service, name, None)
        if method is None:
            yield f"`{name}` is no method of the service"
        elif kind.fact is not None:
            taken = inspect.signature(method).parameters
            for value in kind.model_fields.keys() - ASKED["declare_roster"].model_fields.keys():
                if value not in taken:
                    yield f"the service's method `{name}` does not take `{value}`"
        if f"`{name}`" not in page:
            yield f"`{name}` is not named in docs/embedding.md"
        if name not in keys:
            yield f"`{name}` is no key of a story"
    for language in LANGUAGES:
        told = Words(language).codes()["event"]
        for name in EVENTS.keys() - told:
            yield f"`{name}` has no words in {language}"
        for name in told - EVENTS.keys():
            yield f"there are words in {language} for `{name}`, which is no event"
