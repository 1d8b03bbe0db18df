"""What of a row is hashed, to the byte, and that no two rows are hashed alike."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibao.projections.evidence import attempt_entry, fact_entry, fact_leaves, leaf_hash

STREAM = "00112233445566778899aabbccddeeff"


def test_a_fact_is_hashed_as_its_bytes_stand() -> None:
    entry = fact_entry(258, STREAM, 3, "registered", b'{"a": 1}')
    assert entry == (
        b"yibao-fact-v1"
        + bytes([0, 0, 0, 0, 0, 0, 1, 2])
        + bytes.fromhex(STREAM)
        + bytes([0, 0, 0, 0, 0, 0, 0, 3])
        + bytes([0, 10])
        + b"registered"
        + b'{"a": 1}'
    )
    assert fact_entry(258, UUID(STREAM), 3, "registered", b'{"a": 1}') == entry


ROW = 258, STREAM, 3, "registered", b'{"a": 1}'


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (0, -1),
        (0, 2**64),
        (0, "258"),
        (0, 258.0),
        (0, None),
        (1, STREAM.upper()),
        (1, f" {STREAM}"),
        (1, STREAM[:-2]),
        (1, STREAM.encode()),
        (1, 7),
        (2, "3"),
        (2, None),
        (3, b"registered"),
        (3, None),
        (3, "x" * 70_000),
        (3, "\ud800"),
        (4, '{"a": 1}'),
        (4, None),
        (4, 1),
    ],
)
def test_a_row_that_no_writer_leaves_has_an_entry_that_no_fact_has(
    column: int, value: object
) -> None:
    row = (*ROW[:column], value, *ROW[column + 1 :])
    entry = fact_entry(*row)
    assert not entry.startswith(b"yibao-fact-v1")
    assert entry != fact_entry(
        *(*ROW[:column], None if value is not None else 0, *ROW[column + 1 :])
    )


_WORDS = st.text(max_size=5)
_ROWS = st.tuples(
    st.integers(0, 300),
    st.sampled_from([STREAM, "ff" * 16]),
    st.integers(0, 300),
    _WORDS,
    st.binary(max_size=6),
)
_ANYTHING = st.none() | st.integers() | _WORDS | st.binary(max_size=6) | st.floats(allow_nan=False)


@given(_ROWS | st.tuples(*[_ANYTHING] * 5), _ROWS | st.tuples(*[_ANYTHING] * 5))
def test_two_rows_are_hashed_alike_only_if_they_are_alike(one: tuple, other: tuple) -> None:  # type: ignore[type-arg]
    told = [[(type(each), each) for each in row] for row in (one, other)]
    assert (fact_entry(*one) == fact_entry(*other)) == (told[0] == told[1])


@given(st.lists(_ROWS), st.none() | st.tuples(*[_ANYTHING | st.just(bytearray(b"x"))] * 5))
def test_of_many_rows_each_has_the_hash_of_its_entry_whatever_else_is_among_them(
    rows: list[tuple],
    strange: tuple | None,  # type: ignore[type-arg]
) -> None:
    rows = [*rows, *([strange] if strange else [])]
    for some in (rows, rows[::-1], [(row[0], UUID(STREAM), *row[2:]) for row in rows]):
        assert fact_leaves(some) == [leaf_hash(fact_entry(*row)) for row in some]


@pytest.mark.parametrize(
    ("column", "value"),
    [(1, STREAM[:-2]), (1, f"{STREAM}00"), (1, STREAM.upper()), (4, "{}"), (4, bytearray(b"{}"))],
)
def test_a_strange_row_shows_among_others(column: int, value: object) -> None:
    strange = (*ROW[:column], value, *ROW[column + 1 :])
    rows = [ROW, strange, (259, STREAM[2:] + "00", *ROW[2:])]
    assert fact_leaves(rows) == [leaf_hash(fact_entry(*row)) for row in rows]


def test_an_attempt_is_hashed_with_whose_it_is_and_when() -> None:
    row = 1, 2, STREAM, "counter-3", "2025-09-01T10:00:00+08:00", b"{}"
    entries = {attempt_entry(*row)}
    for column, value in enumerate((2, 3, "ff" * 16, "counter-4", "2025", b"[]")):
        entries.add(attempt_entry(*(*row[:column], value, *row[column + 1 :])))
    assert len(entries) == 7
    assert all(entry.startswith(b"yibao-attempt-v1") for entry in entries)
    assert not attempt_entry(*row[:5], "{}").startswith(b"yibao-attempt-v1")
