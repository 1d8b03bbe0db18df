"""How a student of several years is told: the year before by its number, and what joining costs."""

import re
from collections.abc import Iterator
from io import StringIO
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from given import SIGNED, Given, Years, checked, continuing, given, paid, registered, withdraw
from jsonschema_rs import Draft202012Validator
from rich.cells import cell_len
from rich.console import Console

from yibao.adapters.shapes import models
from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.shapes.explanation import explained
from yibao.adapters.views.console.answers import short_report
from yibao.adapters.views.console.explanations import explanation
from yibao.adapters.views.console.timelines import timeline_report
from yibao.adapters.views.objects import as_json
from yibao.adapters.views.pages.timelines import timeline_svg, timeline_table
from yibao.adapters.views.parts import lines_of
from yibao.adapters.views.words import LANGUAGES, Language, Words
from yibao.domain.calendar import read_instant
from yibao.projections.answer import Answer, answered
from yibao.projections.record import Knowledge

#: Two lapsed years, worked example 6: waiting until 28 February 2026, and paid for 2026.
LONG = (*SIGNED, checked("2025-09-06 10:30", 2))
PAID = paid("2025-11-20 10:00", 2026)
AGAIN = registered("2025-09-01", at="2025-11-15 09:00")


def over(before: Given, *steps: Any) -> Years:
    return Years(before, given(AGAIN, *steps, policy=continuing()))


def answer(years: Years, at: str, year: int = 2026) -> Answer:
    case, instant = years.cases[year], read_instant(at)
    whose = given(policy=case.policy).enrollment
    return answered(Knowledge(whose, len(case.known), instant, 0, case), instant)


def printed(report: Any) -> str:
    out = Console(file=StringIO(), width=300)
    with out.capture() as captured:
        out.print(report)
    return captured.get()


def fits(told: Any) -> Any:
    assert models.Answer.model_validate(told).model_dump(mode="json") == told
    Draft202012Validator(models.Answer.model_json_schema()).validate(told)
    return told


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for part in tree.get("inputs", []):
        yield from nodes(part)


CARRIED = answer(over(given(*LONG), PAID), "2026-04-01 00:00")


def test_the_year_before_is_an_input_with_its_own_tree_and_edition() -> None:
    waiting = explained(CARRIED)["explanations"]["waiting"]
    assert (waiting["rule"], "year" in waiting) == ("R33", False)
    (earlier,) = waiting["inputs"]
    assert (earlier["year"], earlier["rule"], earlier["notice"]) == (2025, "R13", "shanghai-2025")
    assert earlier["value"] == waiting["value"]


def test_a_fact_is_told_with_its_year_where_that_is_another_one() -> None:
    account = explained(CARRIED)["explanations"]["account_built_on"]
    facts = [node for node in nodes(account) if "fact" in node]
    assert {node.get("year") for node in facts} == {2025}
    paid_for = explained(CARRIED)["explanations"]["state"]
    own = [node for node in nodes(paid_for) if node.get("fact") == "premium-paid"]
    assert own
    assert not any("year" in node for node in own)


def test_a_payment_in_the_stream_of_the_year_before_is_told_with_that_year() -> None:
    early = answer(over(given(*LONG, PAID)), "2025-12-01 00:00")
    told = explained(early)["explanations"]["state"]
    assert {node["year"] for node in nodes(told) if node.get("fact") == "premium-paid"} == {2025}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_explanation_is_told_as_its_model_has_it(lang: Language) -> None:
    told = fits(as_json(CARRIED, lang=lang, explain=True))
    assert told["explanation"]["waiting"]["inputs"][0]["year"] == 2025


@pytest.mark.parametrize(
    ("lang", "before", "fact"),
    [
        ("en", "2025 waiting period: 2025-09-01 to 2026-02-28", "2025 check recorded"),
        ("zh", "2025 年度 待遇等待期: 2025-09-01 至 2026-02-28", "2025 年度 待遇等待期核验结果"),
    ],
)
def test_the_terminal_tells_the_year_before_what_is_of_it(
    lang: Language, before: str, fact: str
) -> None:
    told = printed(explanation(CARRIED, Words(lang)))
    assert before in told
    assert fact in told


def test_on_paper_a_fact_of_another_year_has_its_year_before_its_number() -> None:
    told = printed(explanation(CARRIED, Words("en"), numbered=True))
    assert "check recorded 2025 #4  see §" in told


MISSED = over(given(registered("2025-09-01")))


@pytest.mark.parametrize(("at", "months"), [("2025-12-01 00:00", 0), ("2026-02-01 00:00", 3)])
def test_the_step_of_paying_tells_how_much_and_what_joining_then_costs(
    at: str, months: int
) -> None:
    told = fits(as_json(answer(MISSED, at)))
    (step,) = [each for each in told["next_steps"] if each["code"] == "pay_premium"]
    assert (step["amount"], step["fixed_waiting_months"]) == ("400.00", months)
    assert answer_json(answer(MISSED, at))["next_steps"] == told["next_steps"]


def test_no_other_step_has_an_amount() -> None:
    told = as_json(answer(over(given(*LONG), PAID), "2026-02-01 00:00"))
    assert told["next_steps"]
    assert not any("amount" in each for each in told["next_steps"])


@pytest.mark.parametrize(
    ("lang", "now", "late"),
    [
        ("en", "400.00 yuan", "400.00 yuan; 3 months of waiting first, and those of lapsed years"),
        ("zh", "400.00 元", "400.00 元；设 3 个月固定待遇等待期，断保的另行增加"),
    ],
)
def test_a_person_is_told_what_paying_costs(lang: Language, now: str, late: str) -> None:
    words = Words(lang)
    in_time, after = (answer(MISSED, at) for at in ("2025-12-01 00:00", "2026-02-01 00:00"))
    assert now in printed(short_report(in_time, words))
    assert late.removeprefix(now) not in printed(short_report(in_time, words))
    assert late in printed(short_report(after, words))
    assert any(now in line for line in lines_of("next_steps", after, words))


LEFT = over(given(*SIGNED), PAID, withdraw("2026-05-01 09:00", "2026-07-01", kind="graduated"))


def test_the_state_withdrawn_tells_how_the_student_left() -> None:
    told = fits(as_json(answer(LEFT, "2026-08-01 00:00"), lang="en"))
    assert (told["state"], told["leaving"], told["leaving_text"]) == (
        "withdrawn",
        "graduated",
        "graduation",
    )
    assert answer_json(answer(LEFT, "2026-08-01 00:00"))["leaving"] == "graduated"


def test_nobody_who_has_not_left_yet_or_did_not_say_how_is_told_so() -> None:
    assert "leaving" not in as_json(answer(LEFT, "2026-06-30 00:00"))
    silent = over(given(*SIGNED), PAID, withdraw("2026-05-01 09:00", "2026-07-01"))
    assert "leaving" not in as_json(answer(silent, "2026-08-01 00:00"))


@pytest.mark.parametrize(
    ("lang", "state"),
    [("en", "withdrawn (graduation)"), ("zh", "已离校或退保（毕业）")],
)
def test_a_person_is_told_how_the_student_left(lang: Language, state: str) -> None:
    left = answer(LEFT, "2026-08-01 00:00")
    assert state in printed(short_report(left, Words(lang)))
    assert lines_of("state", left, Words(lang)) == [state]
    assert f": {state}  [R24" in printed(explanation(left, Words(lang)))


FIVE = Years(
    given(*SIGNED, checked("2025-09-06 10:30")),
    *(
        given(
            registered("2025-09-01", at=f"{year - 1}-11-15 09:00"),
            paid(f"{year - 1}-11-20 10:00", year),
            policy=continuing(year),
        )
        for year in range(2026, 2030)
    ),
)


def five(at: str) -> list[Answer]:
    return [answer(FIVE, at, year) for year in sorted(FIVE.cases)]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_five_years_are_drawn_on_one_calendar(lang: Language, width: int) -> None:
    told = printed(timeline_report(five("2028-03-10 12:00"), Words(lang), width)).splitlines()
    heads = [n for n, line in enumerate(told) if re.match("20[0-9]{2}[,，]", line)]
    assert [told[n][:4] for n in heads] == ["2025", "2026", "2027", "2028", "2029"]
    assert len({told[n + 2].rstrip() for n in heads}) == 1
    assert max(map(cell_len, (line.rstrip() for line in told))) <= width
    active = [line for line in told if line.startswith(Words(lang)("state", "active"))]
    begun = [re.search("█|▏", line) for line in active]
    drawn = [found.start() for found in begun if found]
    assert drawn == sorted(set(drawn))
    assert len(drawn) == 5


def test_five_years_are_one_picture_in_a_page_and_a_table_each() -> None:
    answers, words = five("2028-03-10 12:00"), Words("en")
    root = ElementTree.fromstring(timeline_svg(answers, words))
    (title,) = [each for each in root if each.tag.endswith("title")]
    assert title.text == "Timeline of s1, benefit years 2025, 2026, 2027, 2028, 2029"
    active = [each.attrib for each in root.iter() if each.get("class") == "active"]
    ends = [(float(bar["x"]), float(bar["x"]) + float(bar["width"])) for bar in active]
    assert len(ends) == 5
    assert all(ended <= begins + 0.2 for (_, ended), (begins, _) in pairwise(ends))
    table = timeline_table(answers, words)
    assert table.count("<caption>") == 5
    assert table.count("goes on in 2029: ") == 1


def test_the_ids_of_a_picture_are_those_of_all_its_years() -> None:
    answers, words = five("2028-03-10 12:00"), Words("en")
    ids = [
        re.findall('id="([^"]+)-title"', timeline_svg(some, words))
        for some in (answers, answers[:1], answers[:2])
    ]
    assert len({one for (one,) in ids}) == 3


@pytest.mark.parametrize(
    ("lang", "paid_on", "after", "signed"),
    [
        ("en", "day of payment: 2026-02-01", "day after the payment: 2026-02-02", "sign"),
        ("zh", "缴费日: 2026-02-01", "缴费次日: 2026-02-02", "签署"),
    ],
)
def test_who_joins_by_paying_is_told_of_the_payment_and_never_of_a_signature(
    lang: Language, paid_on: str, after: str, signed: str
) -> None:
    late = Years(
        given(
            AGAIN,
            paid("2026-02-01 10:00", 2026),
            checked("2026-02-02 10:00", 0),
            policy=continuing(),
        )
    )
    told = printed(explanation(answer(late, "2026-06-01 00:00"), Words(lang)))
    assert paid_on in told
    assert after in told
    assert signed not in told
