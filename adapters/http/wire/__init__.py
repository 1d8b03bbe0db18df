"""What goes over the wire: problems, headers, bodies, tags, languages, and a line of log each."""

from yibao.adapters.http.wire.bodies import JSON_LIMIT, UPLOAD_LIMIT, json_body, raw_body
from yibao.adapters.http.wire.languages import language_of
from yibao.adapters.http.wire.problems import (
    PROBLEM_TYPE,
    PROBLEMS,
    Problem,
    problem_of,
    problem_response,
    title_of,
)
from yibao.adapters.http.wire.routes import Route, answered_anyway
from yibao.adapters.http.wire.seen import etag_of, expected_of
from yibao.adapters.http.wire.tracing import trace_of

__all__ = [
    "JSON_LIMIT",
    "PROBLEMS",
    "PROBLEM_TYPE",
    "UPLOAD_LIMIT",
    "Problem",
    "Route",
    "answered_anyway",
    "etag_of",
    "expected_of",
    "json_body",
    "language_of",
    "problem_of",
    "problem_response",
    "raw_body",
    "title_of",
    "trace_of",
]
