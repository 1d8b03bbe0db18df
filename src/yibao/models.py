"""Models of what `yibao.as_json` tells, for OpenAPI and for whoever reads it: a class a shape.

    >>> from yibao.models import Answer
    >>> "next_steps" in Answer.model_json_schema()["properties"]
    True

What is told of an answer is validated by `Answer.model_validate(yibao.as_json(answer))`, which
raises pydantic's ValidationError for what is of another shape. `yibao schema answer` prints the
schema of an answer.
"""

from yibao.adapters.shapes.models import *  # noqa: F403
from yibao.adapters.shapes.models import __all__ as __all__
