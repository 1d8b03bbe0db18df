"""Every operation is called with what its description allows, and with what it does not."""

from typing import Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from ..helpers.web import Web

#: Of each operation; more find nothing more within a minute.
EXAMPLES: Final = 8
CHECKS: Final = [not_a_server_error, status_code_conformance, content_type_conformance]


@schemathesis.serializer("application/x-ndjson")
def lines(_: object, value: object) -> bytes:
    """Lines as they come: any text may be told, a line of it as JSON."""
    return str(value).encode(errors="replace")


@pytest.mark.parametrize("strategy", ["positive", "negative"])
def test_no_operation_fails_whatever_it_is_told(small: Web, strategy: str) -> None:
    config = schemathesis.Config.from_dict({})
    schema = schemathesis.openapi.from_url(f"{small.base}/v1/openapi.json", config=config)
    mode = schemathesis.GenerationMode(strategy)
    called = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        strategies = operation.as_strategy(generation_mode=mode)

        @given(case=strategies)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        def call(case: Case) -> None:
            response = case.call(headers={"Authorization": "Bearer everybody"})
            case.validate_response(response, checks=CHECKS)

        try:
            call()
        except Unsatisfiable:  # what takes nothing can be told nothing wrong
            continue
        called += 1
    print(f"{called} operations called")
    assert called >= 40
