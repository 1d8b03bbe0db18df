"""Stories to look at through the console."""

from collections.abc import Iterator

import pytest
from given.console import SCHOOL, STORY, opened

from yibao.adapters.service import Service


@pytest.fixture(scope="session")
def story() -> Iterator[Service]:
    """Of one student; nobody records anything in it."""
    with opened(STORY) as service:
        yield service


@pytest.fixture
def fresh() -> Iterator[Service]:
    """Of the same student, to be recorded in."""
    with opened(STORY) as service:
        yield service


@pytest.fixture(scope="session")
def school() -> Iterator[Service]:
    """Of thirty students, to be looked at."""
    with opened(SCHOOL) as service:
        yield service
