"""The words others write, in their order."""

from yibao.domain.vocabulary import Category, Document, State


def test_the_states_are_those_of_the_reading() -> None:
    assert " ".join(State) == (
        "registered confirmed in_waiting_period account_built evoucher_eligible active expired "
        "opted_out lapsed withdrawn"
    )


def test_the_categories_are_the_agreed_ones() -> None:
    assert " ".join(Category) == (
        "undergraduate higher_vocational postgraduate employed_postgraduate foreign"
    )


def test_the_documents_are_the_agreed_ones() -> None:
    assert " ".join(Document) == (
        "resident_id_card hmt_residence_permit passport taiwan_travel_permit "
        "hk_macao_travel_permit exit_entry_permit overseas_chinese_permit"
    )
