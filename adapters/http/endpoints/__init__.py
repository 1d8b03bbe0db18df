"""The endpoints under `/v1`, a module a group of them; each asks the desk."""

from fastapi import APIRouter

from yibao.adapters.http.desk import Desk
from yibao.adapters.http.endpoints import about, batches, commands, everybody, people, students
from yibao.adapters.http.endpoints.health import operating
from yibao.adapters.http.wire import Route

__all__ = ["endpoints", "operating"]


def endpoints(desk: Desk) -> APIRouter:
    """All of them."""
    found = APIRouter(prefix="/v1", route_class=Route)
    students.add(found, desk)
    commands.add(found, desk)
    batches.add(found, desk)
    everybody.add(found, desk)
    people.add(found, desk)
    about.add(found, desk)
    return found
