"""Numbers of documents, by their kinds: form, check digit, day of birth."""

import re
from datetime import date
from typing import Final

from yibao.adapters.office.judging.counties import knows_county
from yibao.adapters.office.judging.refusals import Reason
from yibao.domain.vocabulary import Document, has_check_digit

_WITH_CHECK_DIGIT: Final = (Document.RESIDENT_ID_CARD, Document.HMT_RESIDENCE_PERMIT)


def document_refused(kind: str, number: str, registered_on: date) -> Reason | None:
    """Why a number cannot be that of a document of its kind; None where it may be.

    Eighteen signs have a check digit (MOD 11-2) and tell a day of birth, which is before the
    registration; residence permits of Hong Kong, Macao and Taiwan, and they alone, begin with 81,
    82 or 83. Of any other document the form is only looked at.
    """
    if kind not in _WITH_CHECK_DIGIT:
        if _EIGHTEEN.fullmatch(number) and has_check_digit(number):
            return "identity_card"
        return None if _OTHER.fullmatch(number) else "document_form"
    if not _EIGHTEEN.fullmatch(number):
        return "not_18_signs"
    is_permit = number[:2] in ("81", "82", "83")
    if is_permit and kind == Document.RESIDENT_ID_CARD:
        return "residence_permit"
    if not is_permit and kind == Document.HMT_RESIDENCE_PERMIT:
        return "no_residence_permit"
    if not has_check_digit(number):
        return "check_digit"
    try:
        born = date.fromisoformat(number[6:14])
    except ValueError:
        return "birth_date"
    if born.year < 1900:
        return "birth_date"
    return None if born < registered_on else "born_too_late"


def is_county_unknown(kind: str, number: str) -> bool:
    """Whether nobody knows the county that the number of an identity card begins with."""
    return kind == Document.RESIDENT_ID_CARD and not knows_county(number[:6])


_EIGHTEEN: Final = re.compile(r"[0-9]{17}[0-9X]")
#: Letters and digits, as on passports; old travel permits have a letter in brackets at the end.
_OTHER: Final = re.compile(r"[A-Z0-9]{5,20}(\([A-Z0-9]\))?")
