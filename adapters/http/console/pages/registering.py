"""The form of somebody new: what the directory has of her is asked for as a roster tells it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from yibao.adapters.editions import Editions
from yibao.adapters.http.console.pages.forms import Choice, Field, fields_of
from yibao.adapters.office.imports import RowVerdict, own_words, row_told
from yibao.adapters.office.judging import RowRefused, Student, columns_with, judged
from yibao.adapters.office.reading import Row, Table
from yibao.adapters.views.words import Words
from yibao.domain.facts.commands import Register

#: What the directory has of somebody beside the fact, and where each stands in the form.
_OF_HER: Final = ("number", "name", "document_number")
#: The columns of a roster by the fields of the form.
_COLUMNS: Final = {
    **{name: name for name in (*_OF_HER, "document", "category")},
    "on": "registered_on",
}


def student_in(given: Mapping[str, str], editions: Editions) -> Student | RowRefused:
    """Who she is, read as a row of a roster is; or why that cannot be right."""
    cells = [given.get(name, "") for name in _COLUMNS]
    places = {column: place for place, column in enumerate(_COLUMNS.values())}
    row, columns = Row(1, cells), columns_with(own_words(editions))
    found = judged(Table(places, (), [row], ()), row, columns).found
    assert isinstance(found, Student | RowRefused)
    return found


def registration(
    words: Words,
    given: Mapping[str, str],
    errors: Iterable[tuple[str, str]],
    choices: Mapping[str, Sequence[Choice]],
    *,
    with_her: bool,
) -> list[Field]:
    """The fields of a registration, `with_her` with what the directory has of somebody."""
    fields = fields_of(Register, words, given, errors, choices)
    if not with_her:
        return fields
    hers = [
        Field(name, words("roster", name), "text", True, given.get(name, "")) for name in _OF_HER
    ]
    after = 1 + [each.name for each in fields].index("document")
    return [*hers[:2], *fields[:after], hers[2], *fields[after:]]


def with_refusal(fields: Sequence[Field], refused: RowRefused, words: Words) -> list[Field]:
    """The same fields; why one cannot be right is told beside it."""
    why = row_told(RowVerdict(1, "refused", refused.code), words)
    at = next(name for name in _COLUMNS if _COLUMNS[name] == refused.column)
    told = words.joined(filter(None, why), "apart")
    return [each._replace(error=told) if each.name == at else each for each in fields]
