"""The endpoints under `/v1`, a module a group of them; each asks the desk."""

from fastapi import APIRouter

from yibao.adapters.http.desk import Desk
from yibao.adapters.http.endpoints import students
from yibao.adapters.http.wire import Route


def endpoints(desk: Desk) -> APIRouter:
    """All of them."""
    found = APIRouter(prefix="/v1", route_class=Route)
    students.add(found, desk)
    return found
