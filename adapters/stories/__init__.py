"""Reads scenarios, and replays them through the real service and store."""

from yibao.adapters.stories.models import Story
from yibao.adapters.stories.reading import read_story, story_files
from yibao.adapters.stories.replaying import Failure, Replay, replay
from yibao.adapters.stories.schema import story_schema

__all__ = [
    "Failure",
    "Replay",
    "Story",
    "read_story",
    "replay",
    "story_files",
    "story_schema",
]
