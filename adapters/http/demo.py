"""A school to look at: made in a folder that goes away, and opened by a link of one time."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import NamedTuple

from fastapi import FastAPI

from yibao.adapters.http.app import app
from yibao.adapters.http.identify import Tokens
from yibao.adapters.http.rights import Role, Who
from yibao.adapters.http.settings import HttpSettings
from yibao.adapters.office.demo import make_school
from yibao.adapters.service import Clock, shanghai_now
from yibao.adapters.store import url_given
from yibao.adapters.telemetry import Watch


class Demo(NamedTuple):
    """An application on a synthetic school; `token` signs in whoever has it, by a link one time."""

    served: FastAPI
    token: str


@contextmanager
def demo(settings: HttpSettings, students: int = 200, watch: Watch | None = None) -> Iterator[Demo]:
    """A school in the middle of its December, where its clock goes on from.

    Whoever opens it is an officer of the school, audits, and keeps editions. Nothing of it is left.
    """
    with TemporaryDirectory(prefix="yibao-demo-") as folder:
        made = make_school(Path(folder, "school"), students, watch=watch)
        roles = {Role.OFFICER, Role.AUDITOR, Role.KEEPER}
        who = Who("demo", frozenset(roles), frozenset({made.school}))
        token = token_urlsafe(24)
        yield Demo(
            app(
                url_given(made.store),
                settings,
                identify=Tokens({hashlib.sha256(token.encode()).hexdigest(): who}),
                directory=made.settings,
                clock=going_on_from(made.at),
                once=token,
            ),
            token,
        )


def going_on_from(at: datetime) -> Clock:
    """A clock that stood at an instant when it was made, and goes as every clock."""
    began = shanghai_now()
    return lambda: at + (shanghai_now() - began)
