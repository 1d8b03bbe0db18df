"""Streams are found again under the same ids, for ever."""

from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId, edition_stream, student_id

#: Stored for ever: were these to change, nothing recorded would be found again.
STREAM_OF_S1 = "04bc643a-f413-5765-9be4-9e62098a42f4"
STREAM_OF_SHANGHAI_2025 = "c069b2da-7b25-5d96-89d2-f2aadff77349"


def test_a_student_and_a_benefit_year_always_name_the_same_stream() -> None:
    assert str(EnrollmentId("s1", 2025).stream) == STREAM_OF_S1


@pytest.mark.parametrize("year", [2025.0, "2025", None])
def test_a_year_that_is_no_whole_number_names_no_stream(year: Any) -> None:
    for stream in ("stream", "care_stream"):
        with pytest.raises(BadValue, match="year"):
            getattr(EnrollmentId("s1", year), stream)


def test_each_benefit_year_has_a_stream_of_its_own() -> None:
    assert EnrollmentId("s1", 2025).stream != EnrollmentId("s1", 2024).stream


def test_each_student_has_a_stream_of_her_own() -> None:
    assert EnrollmentId("s1", 2025).stream != EnrollmentId("s2", 2025).stream


def test_an_edition_always_names_the_same_stream() -> None:
    assert str(edition_stream("shanghai-2025")) == STREAM_OF_SHANGHAI_2025


@given(ref=st.text(), year=st.integers())
def test_a_stream_is_named_as_uuid5_names_it(ref: str, year: int) -> None:
    streams = uuid5(NAMESPACE_URL, "yibao:streams")
    assert EnrollmentId(ref, year).stream == uuid5(streams, f"enrollment/{year}/{ref}")
    assert EnrollmentId(ref, year).care_stream == uuid5(streams, f"care/{year}/{ref}")
    assert edition_stream(ref) == uuid5(streams, f"edition/{ref}")
    assert student_id(ref) == uuid5(streams, f"student/{ref}")


def test_a_number_that_equals_a_year_and_is_none_is_not_taken_for_it() -> None:
    streams = uuid5(NAMESPACE_URL, "yibao:streams")
    assert EnrollmentId("s1", 1).stream == uuid5(streams, "enrollment/1/s1")
    assert EnrollmentId("s1", True).stream == uuid5(streams, "enrollment/1/s1")
    for stream in ("stream", "care_stream"):
        with pytest.raises(BadValue, match="year"):
            getattr(EnrollmentId("s1", cast(int, 1.0)), stream)


def test_a_text_of_another_class_names_the_stream_of_its_letters() -> None:
    class Spelled(str):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = str.__hash__

    ada = EnrollmentId(Spelled("s1"), 2025)
    assert ada.stream == EnrollmentId("s1", 2025).stream
    assert ada.care_stream == EnrollmentId("s1", 2025).care_stream


def test_a_reference_that_nobody_can_have_has_a_stream_that_nobody_has() -> None:
    assert EnrollmentId("\ud800", 2025).stream == EnrollmentId("\\ud800", 2025).stream


def test_a_reference_cannot_reach_into_the_stream_of_an_edition() -> None:
    assert EnrollmentId("shanghai-2025", 2025).stream != edition_stream("shanghai-2025")


def test_a_stream_of_another_year_tells_which_year_it_is() -> None:
    ada = EnrollmentId("s1", 2026)
    assert [ada.year_of(EnrollmentId("s1", year).stream) for year in (2000, 2025, 2027)] == [
        2000,
        2025,
        2027,
    ]


def test_what_is_no_other_year_of_hers_tells_none() -> None:
    ada = EnrollmentId("s1", 2026)
    others = (ada.stream, ada.care_stream, EnrollmentId("s2", 2025).stream)
    assert [ada.year_of(stream) for stream in others] == [None, None, None]
    assert ada.year_of(EnrollmentId("s1", 2028).stream) is None
