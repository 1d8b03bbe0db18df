"""Which numbers may be those of documents of a kind, and why another may not."""

from datetime import date

import pytest

from yibao.adapters.office.judging import document_refused, is_county_unknown, knows_county
from yibao.domain.vocabulary import Document

DAY = date(2025, 9, 1)


def with_check_digit(seventeen: str) -> str:
    """Eighteen signs, the last as MOD 11-2 has it, reckoned as the standard writes it."""
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    total = sum(w * int(d) for w, d in zip(weights, seventeen, strict=True))
    return seventeen + "10X98765432"[total % 11]


@pytest.mark.parametrize(
    ("kind", "number", "why"),
    [
        ("resident_id_card", "11010519491231002X", None),
        ("resident_id_card", with_check_digit("31010420070215123"), None),
        ("resident_id_card", with_check_digit("99999920070215123"), None),  # a warning alone
        ("resident_id_card", "110105194912310021", "check_digit"),
        ("resident_id_card", "11010519491231002", "not_18_signs"),
        ("resident_id_card", "110105491231002", "not_18_signs"),
        ("resident_id_card", "11010519491231002x", "not_18_signs"),  # capitals by then
        ("resident_id_card", "110105-19491231-002X", "not_18_signs"),
        ("resident_id_card", with_check_digit("11010520070230002"), "birth_date"),
        ("resident_id_card", with_check_digit("11010518991231002"), "birth_date"),
        ("resident_id_card", with_check_digit("11010500010101002"), "birth_date"),
        ("resident_id_card", with_check_digit("11010520250831002"), None),
        ("resident_id_card", with_check_digit("11010520250901002"), "born_too_late"),
        ("resident_id_card", with_check_digit("81000020070215123"), "residence_permit"),
        ("resident_id_card", with_check_digit("83000020070215123"), "residence_permit"),
        ("hmt_residence_permit", with_check_digit("81000020070215123"), None),
        ("hmt_residence_permit", with_check_digit("82000020070215123"), None),
        ("hmt_residence_permit", with_check_digit("83000020070215123"), None),
        ("hmt_residence_permit", with_check_digit("84000020070215123"), "no_residence_permit"),
        ("hmt_residence_permit", "11010519491231002X", "no_residence_permit"),
        ("hmt_residence_permit", "810000199408230022", "check_digit"),
        ("hmt_residence_permit", "H12345678", "not_18_signs"),
        ("passport", "E12345678", None),
        ("passport", "11010519491231002X", "identity_card"),
        ("passport", "E1234 5678", "document_form"),
        ("passport", "E123", "document_form"),
        ("passport", "某某某某某", "document_form"),
        ("taiwan_travel_permit", "12345678", None),
        ("taiwan_travel_permit", "1234567801(B)", None),
        ("hk_macao_travel_permit", "H1234567801", None),
    ],
)
def test_each_kind_has_its_numbers(kind: str, number: str, why: str | None) -> None:
    assert document_refused(Document(kind), number, DAY) == why


def test_one_wrong_digit_is_always_seen() -> None:
    right = with_check_digit("31010420070215123")
    for place in range(17):
        for digit in "0123456789":
            other = right[:place] + digit + right[place + 1 :]
            assert document_refused(Document.RESIDENT_ID_CARD, other, DAY) != (
                None if digit != right[place] else "check_digit"
            )


def test_a_county_that_was_once_is_known_and_one_that_never_was_is_not() -> None:
    assert knows_county("310104")  # Xuhui
    assert knows_county("310103")  # Luwan, until 2011
    assert knows_county("110104")  # Xuanwu, until 2010
    for none in ("310199", "999999", "000000", "310100", "810000"):
        assert not knows_county(none)
    assert is_county_unknown("resident_id_card", "999999200702151234")
    assert not is_county_unknown("hmt_residence_permit", "810000200702151234")
    assert not is_county_unknown("passport", "E12345678")
