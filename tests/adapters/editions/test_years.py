"""What an edition may say of its year, its periods, its city and its own codes."""

import pytest

from yibao.adapters.editions.files import OF_A_CITY, Editions
from yibao.adapters.editions.yaml_source import SourceError
from yibao.domain.calendar import read_instant
from yibao.domain.editions import OPTIONAL_RULES
from yibao.domain.vocabulary import Place

from ..conftest import Run, Write

HEAD = """\
edition: mine
title: {en: Mine, zh: 我的}
extends: shanghai-2025
"""
#: Its parameters begin on line 5, column 3.
PARAMETERS = HEAD + "parameters:\n"
CONCENTRATED = """\
  concentrated_period:
    value:
      opens: 2025-11-14
      closes: 2025-12-05 15:00
      cover_from: benefit_from
      fixed_waiting_months: 0
    unit: period
    clause: "2"
    basis: stated
"""


def entry(name: str, value: str, unit: str) -> str:
    return f"  {name}: {{value: {value}, unit: {unit}, clause: x, basis: stated}}\n"


def period(value: str, name: str = "concentrated_period", unit: str = "period") -> str:
    return entry(name, value, unit)


#: What is wrong, the parameters, and where and why; the value of a parameter stands in its line.
WRONG = [
    (
        "a benefit year in words",
        entry("benefit_year", "soon", "year"),
        "5:25: must be a whole number",
    ),
    (
        "a benefit year of days",
        entry("benefit_year", "2025", "day"),
        "5:17: the unit must be 'year'",
    ),
    (
        "another benefit year",
        entry("benefit_year", "2027", "year"),
        "5:25: benefit_year: lies outside",
    ),
    (
        "nobody's edition",
        entry("for_students", "[guests]", "students"),
        "5:26: input should be 'entr",
    ),
    (
        "two New Years",
        entry("benefit_to", "2027-01-01", "day"),
        "5:23: benefit_to: the benefit year",
    ),
    (
        "enrolled by wish",
        entry("enrolled_by", "wish", "event"),
        "5:24: input should be 'confirmation'",
    ),
    ("a period that is a day", period("2025-11-14"), "5:32: input should be a valid dictionary"),
    (
        "a period of days",
        period("{opens: 2025-11-14, closes: 2025-12-01}", unit="day"),
        "5:24: the un",
    ),
    ("a period that never closes", period("{opens: 2025-11-14}"), "5:32: missing key 'closes'"),
    (
        "a period with a key nobody knows",
        period("{opens: 2025-11-14, closes: 2025-12-01, ends: 2025-12-02}"),
        "5:72: unknown key 'ends'",
    ),
    (
        "a period that closes before it opens",
        period("{opens: 2025-11-14, closes: 2025-11-13}"),
        "5:32: the period may not close before it opens",
    ),
    (
        "a period that closes as it opens",
        period("{opens: 2025-11-14 15:00, closes: 2025-11-14 15:00}"),
        "5:32: the period may not close before it opens",
    ),
    (
        "a day there is not",
        period("{opens: 2025-11-31, closes: 2025-12-13}"),
        "5:40: day is out of range for month",
    ),
    (
        "an hour there is not",
        period("{opens: 2025-11-14, closes: 2025-12-13 25:00}"),
        "5:60: ",
    ),
    (
        "cover from nobody knows when",
        period("{opens: 2025-11-14, closes: 2025-12-01, cover_from: tomorrow}"),
        "5:84: input should be 'registration'",
    ),
    (
        "a wait of less than nothing",
        period("{opens: 2025-11-14, closes: 2025-12-01, fixed_waiting_months: -1}"),
        "5:94: input should be greater than or equal to 0",
    ),
    (
        "a period after the benefit year",
        period("{opens: 2025-11-14, closes: 2026-01-01}"),
        "5:60: concentrated_period: the period may not close after the benefit year",
    ),
    (
        "an extended period alone",
        period("{opens: 2025-11-14, closes: 2025-12-01}", "extended_period"),
        "5:20: extended_period: needs a concentrated period as well",
    ),
    (
        "a late period alone",
        period("{opens: 2025-11-14, closes: 2025-12-01}", "late_period"),
        "5:16: late_period: needs a concentrated period as well",
    ),
    (
        "periods and a window",
        CONCENTRATED + entry("window_closes_on", "2025-12-05", "day"),
        "14:21: window_closes_on: follows from the concentrated period",
    ),
    (
        "waiting from when the moon is full",
        entry("waiting_counts_from", "full_moon", "day"),
        "5:32: a day is written YYYY-MM-DD",
    ),
    (
        "a repair in years",
        entry("waiting_repaired_per_year", "1", "years"),
        "5:30: the unit must be",
    ),
    (
        "a floor without months",
        entry("waiting_floor", "{lapsed_years: 2}", "months"),
        "5:26: missing",
    ),
    (
        "a floor of its own",
        entry("waiting_floor", "3", "months"),
        "5:26: input should be a valid dict",
    ),
    (
        "an expelled student",
        entry("cover_after_leaving", "{expelled: ends}", "kinds of leaving"),
        "5:43: input should be 'withdrawn', 'graduated' or 'suspended'",
    ),
    (
        "cover for ever",
        entry("cover_after_leaving", "{graduated: for_ever}", "kinds of leaving"),
        "5:44: input should be 'ends' or 'until_benefit_to'",
    ),
    (
        "amounts of a school year",
        entry("yearly_amounts_restart", "school_year", "period"),
        "5:35: input should be 'calendar_year' or 'benefit_period'",
    ),
    ("a premium in fen", entry("premium", "40000", "fen"), "5:12: the unit must be 'yuan'"),
    (
        "a place without words",
        entry("confirmation_places", "[school, bank]", "places"),
        "5:41: confirmation_places: an unknown code, which the edition's words do not name",
    ),
    (
        "a category without words",
        entry("new_student_categories", "[nurse]", "categories"),
        "5:36: new_student_categories: an unknown code",
    ),
    (
        "a document without words",
        entry("documents_without_evoucher", "[green_card]", "documents"),
        "5:40: documents_without_evoucher: an unknown code",
    ),
    (
        "somebody to call without words",
        entry("insurance_hotline", "office", "phone number"),
        "5:30: insurance_hotline: an unknown code",
    ),
]
#: The same of what stands elsewhere.
WRONG_ELSEWHERE = [
    ("a city that is no word", HEAD + "city: Guang Zhou\n", "4:7: string should match pattern"),
    ("a list of cities", HEAD + "city: [shanghai]\n", "4:7: input should be a valid string"),
    ("words in one language", HEAD + "words:\n  bank: {en: bank}\n", "5:9: missing key 'zh'"),
    ("words that are a list", HEAD + "words: [bank]\n", "4:8: words must be a mapping"),
    ("a word that is text", HEAD + "words: {bank: bank}\n", "4:15: input should be a valid dict"),
    (
        "a code that is none",
        HEAD + "words: {A Bank: {en: b, zh: b}}\n",
        "4:17: string should match",
    ),
    (
        "a rule nobody knows",
        HEAD + "rules:\n  R39: {clause: x, basis: stated}\n",
        "5:3: unknown key",
    ),
    (
        "a rule of benefits among the others",
        HEAD + "rules:\n  R37: {clause: x, basis: stated}\n",
        "5:3: unknown key 'R37'",
    ),
    (
        "another rule among those of benefits",
        HEAD + "benefit_rules:\n  R33: {clause: x, basis: stated}\n",
        "5:3: unknown key 'R33'",
    ),
    (
        "an assumed rule without a reason",
        HEAD + "rules:\n  R35: {clause: x, basis: assumed}\n",
        "5:8: an assumption needs a reason",
    ),
    (
        "a cap a visit",
        HEAD + "benefits:\n" + entry("outpatient_cap", "1000.00", "yuan a visit"),
        "5:19: the unit must be 'yuan a year'",
    ),
    (
        "a cap that counts perhaps",
        HEAD + "benefits:\n" + entry("outpatient_cap_counts_campus", "perhaps", "yes or no"),
        "5:41: input should be a valid boolean",
    ),
]


def refusal(text: str, write: Write, name: str = "mine") -> str:
    folder = write(text, f"{name}.yaml").parent
    with pytest.raises(SourceError) as caught:
        Editions(folder).get(name)
    return str(caught.value).removeprefix(f"{folder}/{name}.yaml:")


@pytest.mark.parametrize(
    ("parameters", "said"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_a_parameter_is_refused_at_its_line_and_column_for(
    parameters: str, said: str, write: Write
) -> None:
    assert refusal(PARAMETERS + parameters, write).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [case[1:] for case in WRONG_ELSEWHERE],
    ids=[case[0] for case in WRONG_ELSEWHERE],
)
def test_an_edition_is_refused_at_its_line_and_column_for(
    text: str, said: str, write: Write
) -> None:
    assert refusal(text, write).startswith(said)


def test_a_concentrated_period_takes_the_place_of_the_window(write: Write) -> None:
    folder = write(PARAMETERS + CONCENTRATED, "mine.yaml").parent
    mine = Editions(folder).get("mine")
    assert mine.parameters.window_opens is None
    assert mine.parameters.window_closes_on is None
    (found,) = mine.periods
    assert found.value.opens_at == read_instant("2025-11-14 00:00")
    assert found.value.closed_from == read_instant("2025-12-05 15:00")


def test_a_window_may_not_be_named_where_a_concentrated_period_is_inherited(write: Write) -> None:
    write(PARAMETERS + CONCENTRATED, "mine.yaml")
    heir = PARAMETERS.replace("mine", "heir").replace("shanghai-2025", "mine")
    told = refusal(heir + entry("window_opens", "2025-11-20 08:00", "instant"), write, "heir")
    assert told.startswith("5:17: window_opens: follows from the concentrated period")


def test_an_heir_takes_over_periods_words_and_city(write: Write) -> None:
    city = "".join("city: ningbo\nwords: {bank: {en: the bank, zh: 银行}}\n")
    places = "".join(
        entry(name, "[bank]", "places")
        if name.endswith("places")
        else entry(name, "12393", "phone number")
        for name in sorted(OF_A_CITY - {"remote_filing_places", "claim_places"})
    )
    of_care = "benefits:\n" + "".join(
        entry(name, "[bank]", "places") for name in ("remote_filing_places", "claim_places")
    )
    write(HEAD + city + "parameters:\n" + CONCENTRATED + places + of_care, "mine.yaml")
    heir = HEAD.replace("mine", "heir").replace("shanghai-2025", "mine")
    folder = write(heir + "words: {shop: {en: shop, zh: 店}}\n", "heir.yaml").parent
    found = Editions(folder).get("heir")
    assert found.city == "ningbo"
    assert list(found.words) == ["bank", "shop"]
    assert found.parameters.activation_places.value == (Place.own("bank"),)
    assert found.periods == Editions(folder).get("mine").periods


@pytest.mark.parametrize("name", sorted(OF_A_CITY))
def test_hotlines_and_places_are_not_taken_over_from_another_city(name: str, write: Write) -> None:
    of_care = ("remote_filing_places", "claim_places")
    sections = {
        "parameters": sorted(OF_A_CITY - {name, *of_care}),
        "benefits": sorted({*of_care} - {name}),
    }
    text = HEAD + "city: ningbo\n"
    for section, names in sections.items():
        text += f"{section}:\n"
        for each in names:
            of_places = each.endswith("places")
            text += entry(
                each, *(("[school]", "places") if of_places else ("12393", "phone number"))
            )
    told = refusal(text, write)
    line = 1 + text[: text.index("benefits:" if name in of_care else "parameters:")].count("\n")
    assert told == f"{line}:1: missing key {name!r}: it is not taken over from another city"


def test_a_rule_taken_over_from_another_city_is_told_with_the_notice_it_stands_in(
    write: Write, run: Run
) -> None:
    text = HEAD + "city: ningbo\nparameters:\n"
    for name in sorted(OF_A_CITY - {"remote_filing_places", "claim_places"}):
        of_places = name.endswith("places")
        text += entry(name, *(("[school]", "places") if of_places else ("1", "phone number")))
    text += "benefits:\n"
    for name in ("remote_filing_places", "claim_places"):
        text += entry(name, "[school]", "places")
    folder = write(text, "mine.yaml").parent
    told = run("policy", "show", "mine", "--policies", folder).stdout
    assert "shanghai-2025 table, note" in told
    assert Editions(folder).get("mine").cited("R20").notice == "shanghai-2025"


@pytest.mark.parametrize("rule", OPTIONAL_RULES)
def test_rules_of_the_years_may_be_cited(rule: str, write: Write) -> None:
    section = "benefit_rules" if rule == "R37" else "rules"
    text = HEAD + f"{section}:\n  {rule}: {{clause: Q9, basis: stated}}\n"
    folder = write(text, "mine.yaml").parent
    cited = Editions(folder).get("mine").cited(rule)
    assert (cited.notice, cited.clause, cited.basis) == ("mine", "Q9", "stated")
    uncited = Editions().get("shanghai-2025").cited(rule)
    assert (uncited.basis, uncited.reason) == ("assumed", OPTIONAL_RULES[rule])


def test_neither_words_nor_city_belong_to_the_digest(write: Write) -> None:
    folder = write(HEAD, "mine.yaml").parent
    before = Editions(folder).get("mine").digest
    write(HEAD + "city: shanghai\nwords: {bank: {en: the bank, zh: 银行}}\n", "mine.yaml")
    assert Editions(folder).get("mine").digest == before


def test_every_period_and_what_else_the_years_need_can_be_said(write: Write) -> None:
    text = PARAMETERS + CONCENTRATED.replace("2025-11-14", "2024-11-14")
    for name, value, unit in (
        ("benefit_year", "2026", "year"),
        ("benefit_from", "2025-09-01", "day"),
        ("benefit_to", "2026-12-31", "day"),
        ("for_students", "[entrants, continuing]", "students"),
        ("enrolled_by", "payment", "event"),
        ("extended_period", "{opens: 2025-12-06, closes: 2026-02-28}", "period"),
        ("late_period", "{opens: 2026-03-01, closes: 2026-12-31 12:00}", "period"),
        ("waiting_counts_from", "enrollment", "day"),
        ("waiting_repaired_per_year", "1", "months"),
        ("waiting_floor", "{lapsed_years: 4, months: 6}", "months"),
        ("cover_after_leaving", "{graduated: until_benefit_to}", "kinds of leaving"),
        ("yearly_amounts_restart", "calendar_year", "period"),
        ("premium", "400", "yuan"),
    ):
        text += entry(name, value, unit)
    text += "benefits:\n" + entry("outpatient_cap", "1000.00", "yuan a year")
    text += entry("outpatient_cap_counts_campus", "no", "yes or no")
    mine = Editions(write(text, "mine.yaml").parent).get("mine")
    assert (mine.year, mine.enrolled_by_payment, len(mine.periods)) == (2026, True, 3)
    assert mine.benefits is not None
    assert mine.benefits.outpatient_cap is not None
    assert str(mine.benefits.outpatient_cap.value) == "1000.00"
