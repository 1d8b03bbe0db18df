"""The YAML files in which whoever runs the service says who somebody is."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from yibao.adapters.editions import parse
from yibao.domain.refusals import YibaoError, place, reason

M = TypeVar("M", bound=BaseModel)


def read_yaml(file: Path, kind: type[M]) -> M:
    """What a file says; raises YibaoError for one that cannot be read, which names the place."""
    try:
        return kind.model_validate(parse(file.read_bytes(), str(file)).data)
    except OSError as error:
        raise YibaoError(f"{str(file)!r} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise YibaoError(f"{str(file)!r}: {place(error)}: {reason(error)}") from None
