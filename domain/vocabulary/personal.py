"""What of a person a free word must not hold: numbers of documents and phones, addresses."""

import re
from collections.abc import Iterator
from datetime import date
from unicodedata import decimal, normalize


def revealing(text: str) -> str | None:
    """What of a person a free word seems to hold, never repeating it; None if nothing.

    That is the number of a document or mobile phone, as dialed from abroad too, with separators
    or without, or an e-mail address. A digit with a letter beside it belongs to something else,
    such as a digest.
    """
    if not text.isascii():
        text = "".join(str(decimal(sign, sign)) for sign in normalize("NFKC", text))
    if "@" in text and _ADDRESS.search(text):
        return "looks like an e-mail address; use an opaque key"
    if not _LONG.search(text):  # nearly every word
        return None
    if any(_PHONE.fullmatch(number) or _is_of_a_document(number) for number in _numbers(text)):
        return "looks like an identity card or phone number; use an opaque key"
    return None


def _numbers(text: str) -> Iterator[str]:
    """Whole runs of digits, each by itself and with those behind a separator; one may end in X."""
    run = ""
    for word in _WORDS.findall(text):
        if word.isdecimal():
            yield word
            run += word
            continue
        yield run
        if _ENDS_IN_X.fullmatch(word):
            yield from (word, run + word)
        run = ""
    yield run


def _is_of_a_document(number: str) -> bool:
    """Whether it names a region of China, and then a day of birth or has a right check digit.

    Until 1999 identity cards had fifteen digits, two of them for the year of birth.
    """
    if not _DOCUMENT.fullmatch(number):
        return False
    born = number[6:14] if len(number) == 18 else f"19{number[6:12]}"
    return _is_a_birthday(born) or (len(number) == 18 and has_check_digit(number))


def _is_a_birthday(digits: str) -> bool:
    try:
        return 1800 <= date.fromisoformat(digits).year <= 2099
    except ValueError:
        return False


def has_check_digit(number: str) -> bool:
    """Whether the last of eighteen digits, where X is ten, follows from the others (MOD 11-2)."""
    digits = [10 if digit in "Xx" else int(digit) for digit in number]
    return sum(digit << (17 - place) for place, digit in enumerate(digits)) % 11 == 1


_LONG = re.compile(r"[0-9][0-9\W_]{10}")
_WORDS = re.compile(r"[0-9A-Za-z]+|[^\W_]")
_ENDS_IN_X = re.compile(r"[0-9]*[Xx]")
_PHONE = re.compile(r"((00)?86)?1[3-9][0-9]{9}")
_DOCUMENT = re.compile(
    r"(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[1-8])([0-9]{13}|[0-9]{15}[0-9Xx])"
)
_ADDRESS = re.compile(r"[^\s@]@([\w-]+\.)+[^\W\d_]{2,}(?![\w/-]|\.\w)")
