"""The console under `/console`: pages rendered here, for people, in both languages."""

from fastapi import APIRouter

from yibao.adapters.http.desk import Desk


def router(desk: Desk) -> APIRouter:
    """The pages of the console, which ask the desk."""
    del desk
    return APIRouter()
