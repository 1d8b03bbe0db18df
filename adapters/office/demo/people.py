"""People who are plainly not real: no county has their numbers, no parents gave their names."""

from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple

from yibao.domain.vocabulary import Category, Document, has_check_digit


class Pupil(NamedTuple):
    """Somebody who registers: what a registry has of her."""

    number: str
    name: str
    document: Document
    document_number: str
    category: Category
    registered_on: date


def pupil(index: int, random: Random, registered_on: date, *, foreign: bool = False) -> Pupil:
    """The person of an index, with numbers that nobody has and whose check digits are right."""
    name = f"样本{index:05}"
    category = Category.FOREIGN
    document = Document.PASSPORT
    if not foreign:
        (category,) = random.choices([*_CATEGORIES], [*_CATEGORIES.values()])
        (document,) = random.choices([*_DOCUMENTS], [*_DOCUMENTS.values()])
    age = 18 if category != Category.POSTGRADUATE else 22
    born = date(2025 - age, 1, 1) - timedelta(days=random.randrange(700))
    number = _number_of(document, index, born)
    return Pupil(f"25{index:06}", name, document, number, category, registered_on)


def _number_of(document: Document, index: int, born: date) -> str:
    """A number of that kind of document; no office gives the serial 000, nor counties of 99."""
    begins = {Document.RESIDENT_ID_CARD: f"99{index % 10000:04}"}
    begins[Document.HMT_RESIDENCE_PERMIT] = "830000"
    if document in begins:
        return with_check_digit(f"{begins[document]}{born:%Y%m%d}000")
    return f"{_LETTERS[document]}{index:08}"


def with_check_digit(seventeen: str) -> str:
    """Seventeen digits and the sign that follows from them (MOD 11-2)."""
    return next(told for sign in "0123456789X" if has_check_digit(told := seventeen + sign))


_CATEGORIES: Final = {
    Category.UNDERGRADUATE: 60,
    Category.HIGHER_VOCATIONAL: 20,
    Category.POSTGRADUATE: 20,
}
_DOCUMENTS: Final = {
    Document.RESIDENT_ID_CARD: 92,
    Document.HMT_RESIDENCE_PERMIT: 4,
    Document.PASSPORT: 2,
    Document.TAIWAN_TRAVEL_PERMIT: 1,
    Document.HK_MACAO_TRAVEL_PERMIT: 1,
}
_LETTERS: Final = {
    Document.PASSPORT: "XX",
    Document.TAIWAN_TRAVEL_PERMIT: "TT",
    Document.HK_MACAO_TRAVEL_PERMIT: "HH",
}
