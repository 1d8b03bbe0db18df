"""What a path and a query say of an operation, read by one model of all its values.

The framework reads value by value, and looks at each what kind it is with every request: that took
longer than all else of a request that is not the answer.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import update_wrapper
from inspect import Parameter, signature
from typing import Any, Final, get_origin

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError, create_model
from starlette.requests import Request
from starlette.responses import Response

Endpoint = Callable[..., Awaitable[Response]]

#: What of an endpoint the framework tells, beside its values.
_TOLD: Final = ("__module__", "__name__", "__qualname__", "__doc__")


class Values:
    """The values of an endpoint, which takes the request and them, and where each stands."""

    def __init__(self, path: str, endpoint: Endpoint) -> None:
        given = [each for each in signature(endpoint).parameters.values() if each.name != "request"]
        self._endpoint = endpoint
        self._places = {each.name: _place(each, path) for each in given}
        self._many = {each.name for each in given if _is_many(each)}
        fields: dict[str, Any] = {each.name: (each.annotation, _default(each)) for each in given}
        self._model: type[BaseModel] = create_model(endpoint.__name__, **fields)

    def reader(self) -> Endpoint:
        """The endpoint as one that takes the request alone."""
        if not self._places:
            return self._endpoint

        async def read(request: Request) -> Response:
            return await self._endpoint(request=request, **self._read(request))

        # Not as one that wraps another: the framework would look through to that one's values.
        update_wrapper(read, self._endpoint, _TOLD, ())
        del read.__wrapped__  # type: ignore[attr-defined]
        return read

    def _read(self, request: Request) -> dict[str, Any]:
        try:
            return vars(self._model.model_validate(dict(self._given(request))))
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False, include_context=False)
            told = [
                {**each, "loc": (self._places[str(each["loc"][0])], *each["loc"])} for each in wrong
            ]
            raise RequestValidationError(told) from None

    def _given(self, request: Request) -> Iterator[tuple[str, Any]]:
        in_path, query = request.path_params, request.query_params
        for name, place in self._places.items():
            if place == "path":
                yield name, in_path[name]
            elif name in query:
                yield name, query.getlist(name) if name in self._many else query[name]

    def documented(self) -> list[dict[str, Any]]:
        """Them as the OpenAPI document has them."""
        schema = self._model.model_json_schema()
        return [
            {"name": name, "in": place, "required": name in schema.get("required", ()), **_told(of)}
            for (name, place), of in zip(
                self._places.items(), schema.get("properties", {}).values(), strict=True
            )
        ]


def _told(of: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value, and beside it what it is."""
    schema = {key: value for key, value in of.items() if (key, value) != ("default", None)}
    told = {"description": of["description"]} if "description" in of else {}
    return {"schema": schema, **told}


def _place(given: Parameter, path: str) -> str:
    return "path" if f"{{{given.name}}}" in path else "query"


def _default(given: Parameter) -> Any:
    return ... if given.default is Parameter.empty else given.default


def _is_many(given: Parameter) -> bool:
    """Whether a value may be told several times."""
    kinds: Iterable[Any] = getattr(given.annotation, "__args__", ()) or ()
    return any(get_origin(kind) is Sequence for kind in (given.annotation, *kinds))


__all__ = ["Endpoint", "Values"]
