"""`yibao dossier`: everything on record about one student, nobody else's, in three forms alike.

The page is read as a browser would read it: whatever is in it must come from the facts, and
nothing that was typed may become part of the page itself.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import pytest

import yibao
from yibao.adapters.service.service import open_service
from yibao.adapters.views.dossier import HISTORIES, dossier_of
from yibao.domain.refusals import Refused

from ..cli.test_audit import MADE_UP
from ..cli.test_cli import SEVERAL, parsed, refused
from ..conftest import Run, Write
from ..helpers.autumn import ADA, EDITIONS, Clock, an_autumn, register
from ..helpers.stores import for_stories, lasting

ROOT = Path(__file__).parents[3]
SCENARIOS = ROOT / "scenarios"
HOSTILE = "<script>alert(1)</script>"
NOTE = "<b onclick=\"x()\">told</b> by phone & 'mail' </li></ol></main> {{ words }} &lt; 参保"

#: Two students; the second has nothing on record but what was refused, the third nothing at all.
THREE = f"""\
title: Three of them
policy: shanghai-2025
students:
  ada: {{ref: a1, school: "{HOSTILE}", category: undergraduate, document: resident_id_card}}
  bo: {{ref: b1, school: tongji, category: undergraduate, document: passport}}
  cy: {{ref: c1, school: sjtu, category: undergraduate, document: passport}}
story:
  - {{student: bo, at: 2025-09-01 08:00, confirm: {{channel: app}}, refused: not_registered}}
  - {{student: ada, at: 2025-09-01 08:30, note: at the desk, register: {{on: 2025-09-01}}}}
  - {{student: ada, at: 2025-09-02 17:00, by: school-1, declare_roster: {{}}}}
  - {{student: ada, at: 2025-09-03 10:00, confirm: {{channel: app}}, refused: window_not_open}}
  - {{student: ada, at: 2025-09-03 10:01, confirm: {{channel: wechat}}, refused: window_not_open}}
  - {{at: 2025-09-03 11:00, by: bureau, note: of the bureau, fix_window: {{closes_on: 2025-09-20}}}}
  - student: ada
    at: 2025-09-25 10:00
    by: counter-2
    confirm: {{channel: app}}
    refused: window_closed
  - student: ada
    at: 2025-09-26 14:20
    observed: yes
    note: {json.dumps(NOTE)}
    confirm: {{channel: app}}
  - student: ada
    at: 2025-09-26 14:50
    id: check
    verify_prior_coverage: {{lapsed_years: 1, waiting_ends_on: 2025-11-30}}
  - student: ada
    at: 2025-10-09 09:00
    reason: misread
    note: the other line
    correct: {{step: check, waiting_ends_on: 2025-10-05}}
"""
VOIDED = """\
- at: 2025-09-02 17:00
  declare_roster: {}
- at: 2025-09-06 14:20
  confirm: {channel: app}
- at: 2025-09-08 09:00
  reason: wrong-person
  note: it was her sister
  void: {step: registration}
- at: 2025-09-08 10:00
  confirm: {channel: app}
  refused: not_registered
"""


class Told(NamedTuple):
    """A story, and whose dossier is asked for."""

    file: Path
    student: str | None = None

    @property
    def options(self) -> list[str]:
        return [str(self.file), *(["--student", self.student] if self.student else [])]


#: Stories as they come: with care, refused often, of the year before, of one stamp.
SEEN = {
    "care": "audit/what-was-paid-stands-when-the-check-is-corrected.yaml",
    "refused often": "audit/ten-refusals-leave-nothing-in-the-stream.yaml",
    "2024": "edition-2024/the-last-days-of-2024.yaml",
    "stamped together": "audit/facts-of-one-stamp-are-known-together-and-one-by-one.yaml",
}


@pytest.fixture(params=[*SEEN, "hostile", "only refused", "nothing", "voided"])
def story(request: pytest.FixtureRequest, write: Write, tell: Write) -> Told:
    """One story after the other, each with one student of it."""
    if request.param == "voided":
        return Told(tell(VOIDED))
    if request.param in SEEN:
        file = SCENARIOS / SEEN[request.param]
        found = re.search(r"^students:\n +(\w+):", file.read_text(encoding="utf-8"), re.M)
        return Told(file, found.group(1) if found else None)
    who = {"hostile": "ada", "only refused": "bo", "nothing": "cy"}
    return Told(write(THREE), who[request.param])


@pytest.fixture
def three(write: Write) -> Path:
    return write(THREE)


def as_json(run: Run, *options: object) -> dict[str, Any]:
    return dict(parsed(run("dossier", *options, "--format", "json")))


def as_page(run: Run, *options: object) -> str:
    result = run("dossier", *options, "--format", "html")
    assert (result.exit_code, result.stderr) == (0, "")
    return str(result.stdout)


_VOID = {"meta", "br", "hr", "img", "input", "link", "base", "source", "area", "col", "wbr"}


class Page(HTMLParser):
    """A page as it is read: its elements with their attributes, and the text within each."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.open: list[str] = []
        self.declared: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_decl(self, decl: str) -> None:
        self.declared.append(decl)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {attrs}"
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((tuple(self.open), data))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def count(self, *path: str) -> int:
        """How many texts stand in an element just there."""
        return sum(where[-len(path) :] == path for where, _ in self.texts)

    @property
    def text(self) -> str:
        return " ".join(data for where, data in self.texts if "style" not in where)


def spaceless(text: str) -> str:
    return re.sub(r"\s+", "", text)


def strings(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        for key, value in told.items():
            yield key
            yield from strings(value)
    elif isinstance(told, list):
        for each in told:
            yield from strings(each)
    elif isinstance(told, str):
        yield told


# The data


@lasting
def test_the_data_hold_every_fact_and_every_refusal_of_the_student_and_nobody_elses(
    three: Path, run: Run, url: str
) -> None:
    assert run("replay", three, "--store", for_stories(url)).exit_code == 0
    with open_service(url, policies=EDITIONS) as service:
        whose = {ref: yibao.EnrollmentId(ref, 2025) for ref in ("a1", "b1", "c1")}
        facts = {ref: service.facts(who) for ref, who in whose.items()}
        windows = {str(e.event_id) for e in service.window_facts("shanghai-2025")}
        attempts = {ref: service.refused_attempts(who) for ref, who in whose.items()}
    assert [len(each) for each in attempts.values()] == [3, 1, 0]
    for ref in whose:
        told = as_json(run, "--store", url, "--ref", ref, "--year", 2025)
        assert (told["ref"], told["year"]) == (ref, 2025)
        ids = [e["event_id"] for e in told["trail"] if e["kind"] != "refused"]
        own = [str(event.event_id) for event in facts[ref]]
        assert [each for each in ids if each not in windows] == own
        assert Counter(ids).most_common(1)[0][1] == 1 if ids else not own
        assert [
            (e["recorded_at"], e["code"], e["by"]) for e in told["trail"] if e["kind"] == "refused"
        ] == [
            (each.attempt.tried_at.isoformat(), each.attempt.code, each.attempt.by)
            for each in attempts[ref]
        ]
        assert {entry["ref"] for entry in told["trail"]} <= {ref}
        others = {name for name in whose if name != ref}
        others |= {str(e.event_id) for each in others for e in facts[each]}
        assert not others & set(strings(told))
    refs = ("--ref", "a1", "--year", 2025)
    stamps = [e["recorded_at"] for e in as_json(run, "--store", url, *refs)["trail"]]
    assert stamps == sorted(stamps)


@lasting
def test_what_the_dossier_says_of_a_fact_is_what_the_audit_trail_says(
    three: Path, run: Run, url: str
) -> None:
    assert run("replay", three, "--store", for_stories(url)).exit_code == 0
    whom = ("--store", url, "--ref", "a1", "--year", 2025)
    trail = parsed(run("audit", *whom[:4], "--json", "--all"))["entries"]
    found = as_json(run, *whom)["trail"]
    assert [{k: v for k, v in e.items() if k != "note"} for e in found] == [
        {k: v for k, v in e.items() if k != "key"} for e in trail
    ]


@lasting
def test_care_has_its_facts_and_its_reviews_in_the_data(run: Run, url: str) -> None:
    file = SCENARIOS / SEEN["care"]
    (played,) = parsed(run("replay", file, "--store", for_stories(url), "--json"))
    who = yibao.EnrollmentId(played["students"][0]["ref"], 2025)
    with open_service(url, policies=EDITIONS) as service:
        recorded = [*service.facts(who), *service.care_facts(who)]
    told = as_json(run, "--store", url, "--ref", who.ref, "--year", who.year)
    ids = {entry.get("event_id") for entry in told["trail"]}
    assert ids >= {str(event.event_id) for event in recorded}
    assert {"care-received", "care-settled"} <= {entry["kind"] for entry in told["trail"]}
    between = as_json(run, file, "--at", "2025-12-20 09:00")
    assert between["answer"]["care"]
    (reviewed,) = parsed(run("review", file, "--at", "2025-12-20 09:00", "--json"))
    assert len(between["review"]) == len(reviewed["review"])


@lasting
def test_notes_are_in_every_form_until_they_are_erased(three: Path, run: Run, url: str) -> None:
    assert run("replay", three, "--store", for_stories(url)).exit_code == 0
    whom = ("--store", url, "--ref", "a1", "--year", 2025)
    told = as_json(run, *whom)
    notes = {entry["event_id"]: entry["note"] for entry in told["trail"] if "note" in entry}
    assert sorted(notes.values()) == sorted([NOTE, "at the desk", "the other line"])
    page, text = Page(as_page(run, *whom)).text, run("dossier", *whom).stdout
    for note in notes.values():
        assert note in page
        assert spaceless(note) in spaceless(text)
    with open_service(url, policies=EDITIONS) as service:
        for event in service.facts(yibao.EnrollmentId("a1", 2025)):
            service.erase_note(event.event_id)
    for form in ("text", "json", "html"):
        left = run("dossier", *whom, "--format", form).stdout
        for word in ("at the desk", "by phone", "the other line", "of the bureau"):
            assert word not in left
    assert len(as_json(run, *whom)["trail"]) == len(told["trail"])


def test_a_registration_taken_back_is_on_record_with_what_followed(tell: Write, run: Run) -> None:
    told = as_json(run, tell(VOIDED))
    assert [entry["kind"] for entry in told["trail"]] == [
        "registered",
        "roster-declared",
        "confirmed",
        "voided",
        "refused",
    ]
    assert told["answer"]["state"] is None
    assert told["answer"]["timeline"] == told["scheduled_by"] == []
    assert told["trail"][-2]["note"] == "it was her sister"
    assert told["trail"][-1]["code"] == "not_registered"
    (state,) = [each for each in told["histories"] if each["value"] == "state"]
    assert [held["value"] for held in state["held"]][-1] is None
    assert "confirmed" in [held["value"] for held in state["held"]]


def test_each_step_of_the_timeline_is_told_with_the_fact_that_brought_it(
    story: Told, run: Run
) -> None:
    told = as_json(run, *story.options)
    steps = told["scheduled_by"]
    assert [{"at": s["at"], "state": s["state"]} for s in steps] == told["answer"]["timeline"]
    by_id = {entry.get("event_id"): entry for entry in told["trail"]}
    for step in steps:
        entry = by_id[step["fact"]["event_id"]]
        assert entry["kind"] == step["fact"]["kind"]
        assert (step["at"], step["state"]) in [(s["at"], s["state"]) for s in entry["steps"]]
        assert step["scheduled"] == (step["at"] > entry["recorded_at"])
    text = run("dossier", *story.options).stdout
    page = Page(as_page(run, *story.options))
    for step in steps:
        at = f"{step['at'][:10]} {step['at'][11:16]}"
        recorded = by_id[step["fact"]["event_id"]]["recorded_at"]
        lines = [line for line in text.splitlines() if line.startswith(at) and "by " in line]
        assert any(f"recorded {recorded[:10]} {recorded[11:16]}" in line for line in lines)
        assert any(line in page.text for line in lines)


def test_the_histories_and_the_answer_are_those_of_the_other_commands(
    story: Told, run: Run
) -> None:
    told = as_json(run, *story.options)
    (explained,) = parsed(run("explain", *story.options, "--json"))
    # As of when it is known has a test of its own.
    own = {"student", "known_at", "assumes_no_further_facts"}
    assert _shape(_without(told["answer"], own)) == _shape(_without(explained, own))
    assert [each["value"] for each in told["histories"]] == list(HISTORIES)
    for history in told["histories"]:
        (other,) = parsed(run("history", *story.options, "--value", history["value"], "--json"))
        other.pop("student")
        assert _shape(history) == _shape(other)


def test_a_story_is_known_as_of_its_latest_stamp(tell: Write, run: Run) -> None:
    story = tell(VOIDED)  # its last stamp is of 09:00; what was refused at 10:00 does not count
    told = as_json(run, story)["answer"]
    (explained,) = parsed(run("explain", story, "--json"))
    for key in ("at", "version", "known_at", "assumes_no_further_facts"):
        assert told[key] == explained[key], key


def _without(told: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key not in keys}


def _shape(told: Any) -> Any:
    """The same without the ids that each replay makes up."""
    return json.loads(MADE_UP.sub("ID", json.dumps(told, ensure_ascii=False)))


def test_known_then_stands_beside_known_now(three: Path, run: Run) -> None:
    whom = (three, "--student", "ada")
    then = ("--known-at", "2025-09-30 09:00")
    told = as_json(run, *whom, *then)
    assert as_json(run, *whom)["then"] is None
    assert told["answer"]["coverage"]["from"] == "2025-10-07"
    assert told["then"]["coverage"]["from"] == "2025-12-02"
    assert told["then"]["known_at"] < told["answer"]["known_at"]
    assert "2025-12-02" in Page(as_page(run, *whom, *then)).text
    assert "as known at 2025-09-30 09:00" in run("dossier", *whom, *then).stdout
    refused(run("dossier", *whom, "--known-at", "99"))


# The page


def test_the_page_needs_nothing_else_and_runs_nothing(story: Told, run: Run) -> None:
    html = as_page(run, *story.options, "--known-at", "0")
    page = Page(html)
    assert page.declared == ["DOCTYPE html"]
    tags = Counter(tag for tag, _ in page.elements)
    forbidden = "script link img iframe object embed base form video audio source applet frame"
    assert not set(forbidden.split()) & set(tags)
    assert tags["html"] == tags["body"] == tags["head"] == tags["main"] == 1
    assert page.count("head", "title") == 1
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), f"{name} of {tag}"
            assert name not in ("src", "srcset", "action", "data", "poster", "ping", "formaction")
            if name.endswith("href"):
                assert str(value).startswith("#")
            if not name.startswith("xmlns"):
                assert "//" not in str(value), f"{name} of {tag}"
                assert all(
                    each.startswith("#") for each in re.findall(r"url\((.*?)\)", value or "")
                )
    styles = [data for where, data in page.texts if "style" in where]
    for style in styles:
        assert "@import" not in style
        assert "//" not in style
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", html))
    named |= {
        each
        for _, attributes in page.elements
        for key in ("aria-labelledby", "aria-describedby")
        for each in (attributes.get(key) or "").split()
    }
    assert named <= set(ids)


def test_what_was_typed_stays_text(three: Path, run: Run) -> None:
    whom = (three, "--student", "ada")
    html = as_page(run, *whom)
    assert HOSTILE not in html
    assert "<b onclick" not in html
    page = Page(html)
    assert {"script", "b"}.isdisjoint({tag for tag, _ in page.elements})
    assert HOSTILE in page.text
    assert NOTE in page.text
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)


@lasting
def test_a_hostile_reference_or_actor_never_reaches_a_page(url: str, run: Run) -> None:
    with open_service(url, policies=EDITIONS) as service, pytest.raises(Refused):
        service.confirm(ADA, at="2025-09-01 09:00", channel="app", by=HOSTILE)
    for ref in (HOSTILE, '"><img src=x>', "ada"):
        html = as_page(run, "--store", url, "--ref", ref, "--year", 2025)
        page = Page(html)
        assert {"script", "img"}.isdisjoint({tag for tag, _ in page.elements})
        assert f"{ref}/2025" in page.text
    assert "script" not in html


def test_the_page_tells_what_the_data_hold(story: Told, run: Run) -> None:
    told = as_json(run, *story.options)
    html = as_page(run, *story.options)
    page, answer = Page(html), told["answer"]
    assert f"{told['ref']}/{told['year']}" in page.text
    heads = [data for where, data in page.texts if where[-2:] == ("li", "strong")]
    assert len(heads) == len(told["trail"])
    for head, entry in zip(heads, told["trail"], strict=True):
        assert head.startswith(f"{entry['recorded_at'][:10]} {entry['recorded_at'][11:16]}")
        assert f"{entry['by']} ({entry['via']})" in head
        if entry["school"]:
            assert entry["school"] in head
        if entry["kind"] == "refused":
            assert entry["command"] in head
    lines = [data for where, data in page.texts if where[-2:] == ("li", "div")]
    changes = [c for e in told["trail"] for c in e.get("changes", ()) if c["value"] != "timeline"]
    arrows = [line for line in lines if " → " in line]
    assert len(arrows) == len(changes)
    for line, changed in zip(arrows, changes, strict=True):
        if changed.get("clause"):
            assert f"({changed['rule']}, {changed['notice']} {changed['clause']})" in line
    assert sum("note: " in line for line in lines) == sum("note" in e for e in told["trail"])
    held = sum(len(history["held"]) for history in told["histories"])
    assert html.count("<caption>") >= len(told["histories"])
    assert html.count("<tr><td>") >= held + len(told["review"])
    if answer["edition"] and answer["edition"]["digest"]:
        assert answer["edition"]["digest"] in page.text
    for step in answer["timeline"]:
        assert f"{step['at'][:10]} {step['at'][11:16]}" in page.text
    if isinstance(answer["coverage"], dict):
        assert f"{answer['coverage']['from']} to {answer['coverage']['to']}" in page.text
    for care in answer["care"]:
        assert care["on"] in page.text
        if not care["pending"] and not care["refused"]:
            assert care["fund_pays"] in page.text
    for clause in _clauses(answer.get("explanations", {})):
        assert clause in page.text


def _clauses(told: Any) -> Iterator[str]:
    if isinstance(told, list):
        for each in told:
            yield from _clauses(each)
    elif isinstance(told, dict):
        if told.get("clause") and told.get("notice"):
            yield f"{told['notice']} {told['clause']}"
        yield from _clauses(list(told.values()))


def _nodes(told: Any) -> Iterator[str]:
    """Every node of every tree, as often as it stands there."""
    for each in told.values() if isinstance(told, dict) else told:
        yield json.dumps(each, sort_keys=True)
        yield from _nodes(each.get("inputs", []))


def test_a_tree_is_told_once_and_referred_to_from_then_on(story: Told, run: Run) -> None:
    answer = as_json(run, *story.options)["answer"]
    nodes = list(_nodes(answer["explanations"]))
    nodes += [node for care in answer["care"] for node in _nodes(care["explanations"])]
    html, text = as_page(run, *story.options), run("dossier", *story.options).stdout
    if not nodes:
        assert "told-" not in html
        return
    why = html[html.rindex("<h2>") :]
    told = why.count("<li") - why.count('<a href="#told-')
    assert told == len(set(nodes))
    numbers = re.findall(r'id="told-(\d+)"', html)
    assert numbers == [str(number + 1) for number in range(len(numbers))]
    assert set(re.findall(r'href="#told-(\d+)">see §(\d+)<', html)) == {(n, n) for n in numbers}
    assert text.count("  see §") == why.count('<a href="#told-')
    assert re.findall(r"(?m)^[│├└─ ]*§(\d+) ", text) == numbers


def test_a_printed_page_has_its_number(three: Path, run: Run) -> None:
    whom = (three, "--student", "ada")
    style = re.search(r"<style>(.*?)</style>", as_page(run, *whom), re.S)
    assert style is not None
    assert 'content: "page " counter(page) " of " counter(pages) "";' in style[1]
    assert '"第 " counter(page) " 页，共 "' in as_page(run, *whom, "--lang", "zh")


def test_facts_are_told_in_words(three: Path, run: Run) -> None:
    whom = (three, "--student", "ada")
    for told in (Page(as_page(run, *whom)).text, run("dossier", *whom).stdout):
        told = " ".join(told.split())
        assert "(lapsed years: 1, last waiting day: 2025-10-05)" in told
        assert "(channel: city-services app)" in told
        assert not re.search(r"\b[a-z_]+=\w", told)


def test_the_page_is_in_the_language_asked_for(story: Told, run: Run) -> None:
    chinese = as_page(run, *story.options, "--lang", "zh")
    page = Page(chinese)
    assert dict(page.elements)["html"] == {"lang": "zh"}
    for word in ("known from", "benefit window", "What holds", "next steps", "recorded"):
        assert word not in page.text
    assert any("\u4e00" <= char <= "\u9fff" for char in page.text)
    assert len(Page(as_page(run, *story.options)).elements) == len(page.elements)


def test_the_text_has_every_entry_and_no_markup_of_its_own(story: Told, run: Run) -> None:
    told = as_json(run, *story.options)
    text = run("dossier", *story.options).stdout
    assert "\x1b" not in text
    squeezed = spaceless(text)
    for entry in told["trail"]:
        assert spaceless(f"{entry['by']} ({entry['via']})") in squeezed
        assert spaceless(f"{entry['recorded_at'][:10]} {entry['recorded_at'][11:16]}") in squeezed
    refusals = Counter(e["command"] for e in told["trail"] if e["kind"] == "refused")
    for command, often in refusals.items():
        assert len(re.findall(rf"  refused {command}\b", text)) == often
    assert f"{told['ref']}/{told['year']}" in text.splitlines()[0]
    assert all(len(line) == len(line.rstrip()) for line in text.splitlines())
    if told["trail"] == []:
        assert "the trail has no such entry" in text


# The command


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_what_is_written_to_a_file_is_utf_8_wherever_it_runs(
    form: str, three: Path, run: Run, tmp_path: Path
) -> None:
    options = ["dossier", str(three), "--student", "ada", "--lang", "zh", "--format", form]
    file = tmp_path / "案卷" / f"dossier.{form}"
    file.parent.mkdir()
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-m", "yibao", *options, "--output", str(file)],
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        | {"PYTHONIOENCODING": "ascii:backslashreplace"},
        capture_output=True,
    )
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert b"Traceback" not in done.stderr
    shown = str(run(*options).stdout)
    assert MADE_UP.sub("ID", file.read_text(encoding="utf-8")) == MADE_UP.sub("ID", shown)
    assert "参保" in shown


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_dossier_can_be_read_where_the_console_speaks_gbk(language: str, three: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "yibao", "dossier", str(three), "--student", "ada"],
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"]}
        | {"PYTHONIOENCODING": "gbk", "YIBAO_LANG": language},
        capture_output=True,
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode == 0
    assert "a1/2025" in done.stdout.decode("gbk")


def test_a_file_that_cannot_be_written_is_a_clear_line(
    three: Path, run: Run, tmp_path: Path
) -> None:
    for output in (tmp_path / "no" / "such" / "folder.html", tmp_path):
        refused(run("dossier", three, "--student", "ada", "--output", output))


def test_of_several_students_one_must_be_named(three: Path, run: Run, tmp_path: Path) -> None:
    output = tmp_path / "dossier.html"
    for file in (three, tmp_path / "several.yaml"):
        if file != three:
            file.write_text(SEVERAL, encoding="utf-8")
        assert "--student" in refused(run("dossier", file, "--output", output))
        assert not output.exists()
    refused(run("dossier", three, "--student", "dan"))
    refused(run("dossier", three, "--student", "ada", "--format", "pdf"))
    assert as_json(run, three, "--student", "bo")["ref"] == "b1"


def test_the_same_story_gives_the_same_dossier_but_for_its_ids(three: Path, run: Run) -> None:
    for options in ([three, "--student", "ada"], [SCENARIOS / SEEN["care"]]):
        for form in ("text", "json", "html"):
            told = [run("dossier", *options, "--format", form).stdout for _ in range(2)]
            assert MADE_UP.sub("ID", told[0]) == MADE_UP.sub("ID", told[1])


@lasting
def test_somebody_nobody_knows_has_an_empty_dossier(url: str, run: Run) -> None:
    open_service(url, policies=EDITIONS).close()
    whom = ("--store", url, "--ref", "nobody", "--year", 2025)
    told = as_json(run, *whom)
    assert told["trail"] == told["review"] == told["scheduled_by"] == []
    assert told["answer"]["state"] is None
    assert [len(history["held"]) for history in told["histories"]] == [1] * len(HISTORIES)
    Page(as_page(run, *whom))
    with open_service(url, policies=EDITIONS) as service:
        assert service._store.reached() == (0, 0, 0)


@lasting
def test_a_window_others_were_moved_by_is_in_no_other_dossier(url: str, run: Run) -> None:
    clock = Clock()
    with open_service(url, policies=EDITIONS, clock=clock) as service:
        an_autumn(service, clock)
    kinds: dict[str, Callable[[], list[str]]] = {
        ref: lambda ref=ref: [
            entry["kind"]
            for entry in as_json(run, "--store", url, "--ref", ref, "--year", 2025)["trail"]
        ]
        for ref in ("ada", "bo", "cy")
    }
    assert kinds["ada"]().count("window-fixed") == 1
    assert kinds["bo"]().count("window-fixed") == 1
    assert "refused" not in kinds["bo"]() + kinds["cy"]()
    assert kinds["ada"]().count("refused") == 3


@lasting
def test_a_dossier_is_of_one_moment_while_somebody_records(url: str) -> None:
    stop = Event()
    with yibao.open(url) as service, yibao.open(url) as other, ThreadPoolExecutor(1) as writer:
        register(service, ADA, "2025-09-01 08:30")
        service.declare_roster(ADA, at="2025-09-02 17:00")
        service.confirm(ADA, at="2025-09-06 14:20", channel="app")
        service.verify_prior_coverage(ADA, at="2025-09-06 14:50", lapsed_years=0)

        def leave_and_stay() -> None:
            while not stop.is_set():
                left = other.withdraw(ADA, at="2025-12-01 09:00", on="2025-12-01")
                other.void(ADA, left.event_id, at="2025-12-02 09:00", reason="mistake")

        written = writer.submit(leave_and_stay)
        seen = set()
        try:
            while len(seen) < 5 and not written.done():
                told = dossier_of(service, ADA)
                assert told.entries[-1].event.originator_version == told.answer.version
                assert told.answer.values is not None
                assert told.histories["coverage"][-1].value == told.answer.values.coverage.value
                seen.add(told.answer.version)
        finally:
            stop.set()
        written.result()
    assert len(seen) == 5
