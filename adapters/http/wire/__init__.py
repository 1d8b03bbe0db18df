"""What goes over the wire: problems, headers, bodies, tags, languages, and a line of log each."""

from yibao.adapters.http.wire.bodies import (
    JSON_LIMIT,
    UPLOAD_LIMIT,
    json_body,
    json_object,
    raw_body,
)
from yibao.adapters.http.wire.forms import wants_a_page
from yibao.adapters.http.wire.keys import KEY, if_match_of, key_of
from yibao.adapters.http.wire.languages import language_of
from yibao.adapters.http.wire.problems import (
    PROBLEM_TYPE,
    PROBLEMS,
    Problem,
    base_of,
    problem_of,
    problem_response,
    title_of,
    told_problem,
)
from yibao.adapters.http.wire.routes import BY_ITSELF, METRICS, Route, answered_anyway
from yibao.adapters.http.wire.seen import etag_of, expected_of
from yibao.adapters.http.wire.tracing import trace_of

__all__ = [
    "BY_ITSELF",
    "JSON_LIMIT",
    "KEY",
    "METRICS",
    "PROBLEMS",
    "PROBLEM_TYPE",
    "UPLOAD_LIMIT",
    "Problem",
    "Route",
    "answered_anyway",
    "base_of",
    "etag_of",
    "expected_of",
    "if_match_of",
    "json_body",
    "json_object",
    "key_of",
    "language_of",
    "problem_of",
    "problem_response",
    "raw_body",
    "title_of",
    "told_problem",
    "trace_of",
    "wants_a_page",
]
