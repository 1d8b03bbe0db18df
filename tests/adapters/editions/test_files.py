"""Policy editions: what comes with yibao is complete, and one's own are checked to the column."""

import json
import os
from importlib.resources import files
from pathlib import Path
from uuid import UUID

import pytest
from given import sheet

import yibao
from yibao.adapters.editions import files as policy_files
from yibao.adapters.editions.files import YEARS, Editions, released
from yibao.adapters.editions.yaml_source import Source, SourceError, read
from yibao.adapters.service.recording import is_altered
from yibao.domain.calendar import read_instant
from yibao.domain.editions.policy import OPTIONAL_RULES, RULES, Parameters
from yibao.domain.facts import events
from yibao.domain.refusals import AlteredEdition, UnknownEdition

from ..conftest import Run, Write

RELEASED = ["shanghai-2024", "shanghai-2025", "shanghai-2026-continuing"]

#: Lines 1 to 4 of an edition that changes something; its entries begin on line 5, column 3.
MINE = """\
edition: mine
title: {en: Mine, zh: 我的}
extends: shanghai-2025
parameters:
"""
LATER = """\
  evoucher_hour:
    value: 10:00
    unit: time of day
    clause: circular 7
    basis: stated
"""


def hour(changed: str, to: str) -> str:
    """The edition that opens the e-voucher at ten, with one thing in it changed."""
    assert changed in LATER
    return MINE + LATER.replace(changed, to)


def closing(day: str) -> str:
    changed = LATER.replace("evoucher_hour", "window_closes_on").replace("10:00", day)
    return MINE + changed.replace("time of day", "day")


#: What is wrong, the edition, and the place.
WRONG = [
    ("an unknown key", f"{MINE}{LATER}author: me\n", "10:1: unknown key 'author'"),
    ("an unknown parameter", hour("evoucher_hour", "evoucher_huor"), "5:3: unknown key"),
    (
        "an unknown key of a parameter",
        hour("    basis: stated\n", "    basis: stated\n    hint: x\n"),
        "10:5: unknown key 'hint'",
    ),
    ("no clause", hour("    clause: circular 7\n", ""), "5:3: missing citation: 'clause'"),
    ("no basis", hour("    basis: stated\n", ""), "5:3: missing citation: 'basis'"),
    ("an empty clause", hour("circular 7", "''"), "8:13: string should have at least 1"),
    ("a basis nobody knows", hour("stated", "guessed"), "9:12: input should be 'stated' or"),
    ("an assumption without a reason", hour("stated", "assumed"), "6:5: an assumption needs"),
    (
        "a reason in one language",
        hour("stated", "assumed\n    reason: {en: so it is}"),
        "10:13: missing key 'zh'",
    ),
    ("an impossible hour", hour("10:00", "25:00"), "6:12: "),
    ("an impossible date", closing("2025-02-30"), "6:12: day is out of range for month"),
    ("a date that is none", closing("soon"), "6:12: a day is written YYYY-MM-DD"),
    ("a wrong unit", hour("time of day", "o'clock"), "6:5: the unit must be 'time of day'"),
    ("no value", hour("    value: 10:00\n", ""), "6:5: missing key 'value'"),
    ("a parameter that is a bare value", f"{MINE}  evoucher_hour: 10:00\n", "5:18: evoucher_hour"),
    ("parameters that are a list", MINE.replace("parameters:", "parameters: []"), "4:13: param"),
    (
        "an unknown rule",
        MINE.replace("parameters:", "rules:\n  R99: {clause: x, basis: stated}"),
        "5:3: unknown key 'R99'",
    ),
    (
        "a rule without its basis",
        MINE.replace("parameters:", "rules:\n  R16: {clause: x}"),
        "5:3: missing citation: 'basis'",
    ),
    ("no title", "edition: mine\nextends: shanghai-2025\n", "1:1: missing key 'title'"),
    (
        "a title in one language",
        "edition: mine\ntitle: {en: Mine}\nextends: shanghai-2025\n",
        "2:8",
    ),
    ("no name", "title: {en: a, zh: b}\n", "1:1: missing key 'edition'"),
    ("another file's name", f"{MINE}{LATER}".replace("mine", "yours"), "1:10: the file is named"),
    ("a duplicate parameter", f"{MINE}{LATER}{LATER}", "10:3: duplicate key 'evoucher_hour'"),
    ("itself as its base", MINE.replace("shanghai-2025", "mine"), "3:10: an edition cannot extend"),
    ("a base nobody has", MINE.replace("shanghai-2025", "shanghai-1999"), "3:10: no edition"),
    ("a list of bases", MINE.replace("shanghai-2025", "[shanghai-2025]"), "3:10: "),
    ("nothing but a list", "- edition: mine\n", "1:1: an edition must be a mapping"),
]


def refusal(folder: Path, name: str = "mine") -> str:
    """What loading an edition of one's own says, without the folder's name."""
    with pytest.raises(SourceError) as caught:
        Editions(folder).get(name)
    return str(caught.value).removeprefix(f"{folder}/")


def released_text(name: str) -> str:
    return (files("yibao.domain.editions") / "policies" / f"{name}.yaml").read_text(
        encoding="utf-8"
    )


def complete(text: str) -> str:
    """The released edition of 2025 under a name of one's own."""
    return text.replace("edition: shanghai-2025", "edition: mine")


def test_three_editions_come_with_yibao() -> None:
    assert sorted(released()) == RELEASED
    assert Editions().names() == RELEASED


@pytest.mark.parametrize("name", RELEASED)
def test_every_parameter_and_rule_of_a_released_edition_is_cited(name: str) -> None:
    policy = Editions().get(name)
    assert set(RULES) <= set(policy.rules) <= {*RULES, *OPTIONAL_RULES}
    parameters = [getattr(policy.parameters, field) for field in Parameters.model_fields]
    cited = [*policy.rules.values(), *(found for found in parameters if found is not None)]
    assert len(cited) > 40
    for citation in cited:
        assert citation.clause.strip()
        assert citation.notice in (name, policy.extends)
        assert citation.basis in ("stated", "assumed")
        assert (citation.reason is not None) == (citation.basis == "assumed")


@pytest.mark.parametrize("name", RELEASED)
def test_the_file_of_a_released_edition_passes_its_own_check(name: str, write: Write) -> None:
    path = write(released_text(name), f"{name}.yaml")
    assert Editions().check(path).digest == Editions().get(name).digest


@pytest.mark.parametrize("name", RELEASED)
def test_every_unit_of_a_released_edition_is_named(name: str) -> None:
    parameters = Editions().get(name).parameters
    for field in Parameters.model_fields:
        if getattr(parameters, field) is not None:
            assert getattr(parameters, field).unit


def test_the_years_of_the_editions_are_their_own() -> None:
    assert [Editions().get(name).year for name in RELEASED] == [2024, 2025, 2026]
    assert Editions().years == (2024, 2025, 2026)


def test_the_years_of_the_released_ones_are_known_before_any_is_read() -> None:
    assert {name: Editions().get(name).year for name in released()} == YEARS


def test_what_the_issue_calls_parameters_are_parameters() -> None:
    p = Editions().get("shanghai-2025").parameters
    assert p.result_visible_after.value == 30
    assert str(p.evoucher_hour.value) == "09:00:00"
    assert p.waiting_counts_first_day.value is True
    assert "passport" in p.documents_without_evoucher.value
    assert str(p.benefit_from.value) == "2025-09-01"
    assert p.window_closes_on is not None
    assert str(p.window_closes_on.value) == "2025-12-31"
    assert str(p.autumn_from.value) == "2025-08-01"


@pytest.mark.parametrize(
    ("text", "said"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_an_edition_is_refused_at_its_line_and_column_for(
    text: str, said: str, write: Write
) -> None:
    folder = write(text, "mine.yaml").parent
    assert refusal(folder).startswith(f"mine.yaml:{said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            closing("2026-01-05"),
            "window_closes_on: the window may not close after the benefit year",
        ),
        (closing("2025-09-04"), "window_closes_on: the window may not close before it opens"),
    ],
    ids=["after the benefit year", "before it opens"],
)
def test_a_window_may_not_close(text: str, said: str, write: Write) -> None:
    told = refusal(write(text, "mine.yaml").parent)
    file, line, column, reason = told.split(":", 3)
    assert (file, line.isdigit(), column.isdigit()) == ("mine.yaml", True, True)
    assert said in reason


def test_a_window_that_closes_too_late_is_told_at_its_own_line(write: Write) -> None:
    assert refusal(write(closing("2026-01-05"), "mine.yaml").parent).startswith("mine.yaml:6:12:")


@pytest.mark.parametrize("key", ["name", "notice"])
def test_a_key_that_yibao_fills_in_is_not_to_be_written(key: str, write: Write) -> None:
    text = hour("    basis: stated\n", f"    basis: stated\n    {key}: something\n")
    assert refusal(write(text, "mine.yaml").parent).startswith("mine.yaml:10:5: unknown key")


def test_a_complete_edition_must_cite_every_rule(write: Write) -> None:
    text = complete(released_text("shanghai-2025"))
    cut = text.replace("  R16:\n    clause: Q5\n    basis: stated\n", "")
    assert cut != text
    line = 1 + cut[: cut.index("\nrules:\n") + 1].count("\n")
    told = refusal(write(cut, "mine.yaml").parent)
    assert told.startswith(f"mine.yaml:{line}:1: missing citation of R16")


def test_a_complete_edition_must_have_every_parameter(write: Write) -> None:
    text = complete(released_text("shanghai-2025"))
    start = text.index("  evoucher_hour:\n")
    end = text.index("  activation_places:\n")
    told = refusal(write(text[:start] + text[end:], "mine.yaml").parent)
    assert "missing key 'evoucher_hour'" in told


def test_editions_that_extend_each_other_are_refused(write: Write) -> None:
    write("edition: a\ntitle: {en: A, zh: 甲}\nextends: b\n", "a.yaml")
    folder = write("edition: b\ntitle: {en: B, zh: 乙}\nextends: a\n", "b.yaml").parent
    assert refusal(folder, "a") == "b.yaml:3:10: an edition cannot extend itself"


def test_a_mistake_in_the_base_is_told_in_the_bases_file(write: Write) -> None:
    write(hour("evoucher_hour", "evoucher_huor"), "mine.yaml")
    folder = write("edition: heir\ntitle: {en: A, zh: 甲}\nextends: mine\n", "heir.yaml").parent
    assert refusal(folder, "heir") == "mine.yaml:5:3: unknown key 'evoucher_huor'"


def test_an_edition_takes_over_what_it_does_not_change(write: Write) -> None:
    folder = write(MINE + LATER, "mine.yaml").parent
    mine, base = Editions(folder).get("mine"), Editions().get("shanghai-2025")
    assert str(mine.parameters.evoucher_hour.value) == "10:00:00"
    assert mine.parameters.evoucher_hour.notice == "mine"
    assert mine.parameters.window_opens == base.parameters.window_opens
    assert mine.rules == base.rules
    assert (mine.extends, mine.year) == ("shanghai-2025", 2025)
    assert mine.digest != base.digest


def test_an_heir_of_an_heir_takes_over_from_both(write: Write) -> None:
    write(MINE + LATER, "mine.yaml")
    heir = MINE.replace("mine", "heir").replace("shanghai-2025", "mine")
    folder = write(heir + closing("2025-12-19").removeprefix(MINE), "heir.yaml").parent
    parameters = Editions(folder).get("heir").parameters
    assert str(parameters.evoucher_hour.value) == "10:00:00"
    assert parameters.window_closes_on is not None
    assert str(parameters.window_closes_on.value) == "2025-12-19"


def test_ones_own_editions_are_listed_with_the_released_ones(write: Write) -> None:
    folder = write(MINE + LATER, "mine.yaml").parent
    write("not an edition", "notes.txt")
    assert [policy.edition for policy in Editions(folder)] == ["mine", *RELEASED]


def test_the_name_of_a_released_edition_cannot_be_taken(write: Write) -> None:
    path = write(released_text("shanghai-2025"), "shanghai-2025.yaml")
    with pytest.raises(SourceError, match=r"'shanghai-2025' is a released edition") as caught:
        Editions(path.parent)
    assert str(caught.value).startswith(f"{path}:1:1: ")


def test_a_directory_of_editions_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r":1:1: no such directory of editions"):
        Editions(tmp_path / "nowhere")


def test_an_unknown_edition_is_told_with_those_at_hand() -> None:
    with pytest.raises(UnknownEdition, match="no edition 'nope'; there are shanghai-2024, shang"):
        Editions().get("nope")


def test_editions_are_found_by_the_environment_variable_and_by_the_option_before_it(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = write(MINE + LATER, "variable/mine.yaml").parent
    option = write(MINE.replace("mine", "other"), "option/other.yaml").parent
    monkeypatch.setenv("YIBAO_POLICIES", str(variable))
    assert "mine" in Editions().names()
    assert Editions(option).names() == ["other", *RELEASED]


@pytest.mark.parametrize("how", ["named by the story", "by --policy"])
def test_an_edition_of_ones_own_is_used_in_a_replay(
    how: str, write: Write, tell: Write, run: Run
) -> None:
    folder = write(MINE + LATER, "policies/mine.yaml").parent
    story = tell("""
        - at: 2025-09-02 17:00
          declare_roster: {}
        - at: 2025-09-06 14:20
          confirm: {channel: app}
        - at: 2025-09-06 14:50
          verify_prior_coverage: {lapsed_years: 0}
    """)
    arguments = ["--policy", "mine"]
    if how == "named by the story":
        text = story.read_text(encoding="utf-8")
        story = write(text.replace("shanghai-2025", "mine"))
        arguments = []
    result = run("replay", story, "--policies", folder, "--json", *arguments)
    (told,) = json.loads(result.stdout)
    assert told["policy"] == "mine"
    assert told["students"][0]["evoucher_available_at"] == "2025-09-07T10:00:00+08:00"


def use(folder: Path, url: str) -> None:
    with yibao.open(url, policies=folder) as service:
        service.register("s1", **sheet(policy="mine"))


def test_a_store_refuses_an_edition_that_was_altered_since_it_was_used(write: Write) -> None:
    path = write(MINE + LATER, "policies/mine.yaml")
    url = f"sqlite:///{path.parent.parent / 'facts.db'}"
    use(path.parent, url)
    write(hour("10:00", "11:00"), "policies/mine.yaml")
    with pytest.raises(AlteredEdition, match="'mine' has been altered"):
        yibao.open(url, policies=path.parent)


def test_a_store_refuses_a_citation_that_was_altered_as_well(write: Write, run: Run) -> None:
    path = write(MINE + LATER, "policies/mine.yaml")
    url = f"sqlite:///{path.parent.parent / 'facts.db'}"
    use(path.parent, url)
    write(hour("circular 7", "circular 8"), "policies/mine.yaml")
    story = write("title: x", "story.yaml")
    with pytest.raises(AlteredEdition, match="'mine'"):
        yibao.open(url, policies=path.parent)
    assert run("replay", story, "--policies", path.parent, "--store", url).exit_code == 2


def test_a_comment_alters_nothing_and_what_was_never_used_may_change(write: Write) -> None:
    path = write(MINE + LATER, "policies/mine.yaml")
    write(MINE.replace("mine", "unused") + LATER, "policies/unused.yaml")
    url = f"sqlite:///{path.parent.parent / 'facts.db'}"
    use(path.parent, url)
    write("# looked at again\n" + MINE + LATER, "policies/mine.yaml")
    write(hour("10:00", "11:00").replace("mine", "unused"), "policies/unused.yaml")
    with yibao.open(url, policies=path.parent) as service:
        assert service.at(yibao.EnrollmentId("s1", 2025)).edition == "mine"


#: Lines of which the first is a secret, as in the files that a link may lead to.
SECRETS = {
    "shadow": "root:$6$secret$secret:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n",
    "ending in a colon": "secret of mine:\n  secret: secret of mine\n",
    "a key": "secret=secret\n-----BEGIN SECRET KEY-----\nsecret/secret+secret==\n",
    "a mapping": "{secret secret: 1, secret secret: 2}\n",
    "twice": "secret secret: 1\nsecret secret: 2\n",
    "a tag": "!secret secret\n",
    "an alias": "a: *secret\n",
    "an escape": 'a: "\\secret"\n',
    "an indicator": "@secret: 1\n",
    "a directive": "%SECRET secret\n---\na: b\n",
    "no citation": f"{MINE}  secret secret: secret\n",
    "a value": hour("10:00", "secret"),
    "a unit": hour("time of day", "secret"),
    "a basis": hour("stated", "secret"),
    "a list": "- secret\n",
    "not UTF-8": "secret: é\n",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS.keys())
def test_what_is_wrong_is_told_without_what_stands_there(text: str, write: Write, run: Run) -> None:
    path = write("", "elsewhere/mine.yaml")
    path.write_text(text, encoding="latin-1" if "é" in text else "utf-8")
    for command in (["policy", "check", path], ["replay", path], ["explain", path]):
        done = run(*command)
        assert done.exit_code == 2
        assert f"{path}:" in done.output.replace("\n", "").replace(" ", "")
        assert "secret" not in done.output.lower()


@pytest.mark.parametrize("leads", ["to a file", "over another link", "relatively", "by a folder"])
def test_a_link_that_leads_out_of_the_directory_is_not_followed(
    leads: str, write: Write, run: Run
) -> None:
    outside = write("root:$6$secret:19000:0:99999:7:::\n", "elsewhere/mine.yaml")
    folder = write(MINE.replace("mine", "good") + LATER, "policies/good.yaml").parent
    link = folder / "mine.yaml"
    if leads == "over another link":
        (folder / "between").symlink_to(outside)
    if leads == "by a folder":
        (folder / "between").symlink_to(outside.parent)
    link.symlink_to(
        {
            "to a file": outside,
            "over another link": folder / "between",
            "relatively": Path("../elsewhere/mine.yaml"),
            "by a folder": folder / "between" / "mine.yaml",
        }[leads]
    )
    done = run("policy", "show", "mine", "--policies", folder)
    why = "a link that leads out of the directory of editions"
    assert (done.exit_code, done.stderr) == (2, f"yibao: {link}:1:1: {why}\n")
    assert run("policy", "show", "good", "--policies", folder).exit_code == 0
    outside.write_text(MINE + LATER, encoding="utf-8")
    assert run("policy", "show", "mine", "--policies", folder).exit_code == 2


def test_links_that_stay_in_the_directory_are_followed(write: Write) -> None:
    """As Kubernetes mounts what it is given."""
    folder = write(MINE + LATER, "policies/..2025/mine.yaml").parents[1]
    (folder / "..data").symlink_to("..2025")
    (folder / "mine.yaml").symlink_to("..data/mine.yaml")
    (folder.parent / "mounted").symlink_to(folder)
    assert Editions(folder.parent / "mounted").get("mine").edition == "mine"


@pytest.mark.parametrize("what", ["fifo", "loop", "nowhere", "folder"])
def test_what_is_no_file_of_an_edition_is_told_and_not_waited_for(
    what: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    match what:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case _:
            path.symlink_to("mine.yaml" if what == "loop" else "nowhere.yaml")
    with pytest.raises(SourceError, match=r"mine\.yaml:1:1: "):
        Editions(tmp_path).get("mine")


def chain(write: Write, length: int, base: str = "shanghai-2025") -> Path:
    """Editions 1 to `length`, each extending the one before it."""
    for number in range(1, length + 1):
        extends = f"e{number - 1:03}" if number > 1 else base
        write(
            f"edition: e{number:03}\ntitle: {{en: E, zh: 版}}\nextends: {extends}\n",
            f"policies/e{number:03}.yaml",
        )
    return write("", "policies/notes.txt").parent


def test_an_edition_goes_back_to_a_released_one_in_twenty_steps_at_most(write: Write) -> None:
    folder = chain(write, 400)
    assert Editions(folder).get("e020").year == 2025
    for editions in (Editions(folder), Editions(folder)):
        with pytest.raises(SourceError) as caught:
            editions.get("e400")
        told = f"{folder}/e380.yaml:3:10: 'e400' extends more than 20 editions"
        assert str(caught.value) == told
    editions = Editions(folder)
    for number in range(1, 21):  # whatever is known already
        editions.get(f"e{number:03}")
    with pytest.raises(SourceError, match=r"e001\.yaml:3:10: 'e021' extends more than 20"):
        editions.get("e021")


def test_each_of_many_editions_is_read_once(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, opened = chain(write, 19), list[str]()
    for number in range(20, 60):
        heir = f"edition: e{number:03}\ntitle: {{en: E, zh: 版}}\nextends: e019\n"
        write(heir, f"policies/e{number:03}.yaml")

    def counted(path: Path, name: str) -> Source:
        opened.append(path.name)
        return read(path, name)

    monkeypatch.setattr(policy_files, "read", counted)
    assert len(list(Editions(folder))) == 59 + len(RELEASED)
    assert sorted(opened) == [f"e{number:03}.yaml" for number in range(1, 60)]


def test_editions_that_extend_each_other_in_a_long_circle_are_refused(write: Write) -> None:
    folder = chain(write, 15, base="e015")
    with pytest.raises(SourceError, match=r"e001\.yaml:3:10: an edition cannot extend itself"):
        Editions(folder).get("e015")
    folder = chain(write, 400, base="e400")
    with pytest.raises(SourceError, match=r"'e400' extends more than 20 editions"):
        Editions(folder).get("e400")


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "? " * 100_000,
        "".join(f"{' ' * depth}a:\n" for depth in range(1000)),
        "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(1000)),
        "a: *a\n",
        f"edition: {'x' * 4_000_000}\ntitle: x\n",
        "".join(f"k{number}: v\n" for number in range(50_000)),
        "parameters: {" + ", ".join(f"k{number}: v" for number in range(50_000)) + "}",
        MINE + LATER.replace("10:00", "1" * 1_000_000),
        MINE + LATER.replace("10:00", "[" * 15 + "]" * 15),
    ],
    ids=lambda text: f"{text[:12]!r} of {len(text)}",
)
@pytest.mark.parametrize("command", ["policy check", "explain"])
def test_an_edition_or_a_story_made_to_hurt_is_one_line(
    command: str, text: str, write: Write, run: Run
) -> None:
    done = run(*command.split(), write(text))
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 500


#: An edition that extends a released one, and both its digests as 0.4.0 took them.
OWN_READING = """\
edition: own-reading
extends: shanghai-2025
title: {en: A reading of one's own, zh: 自有理解}
parameters:
  evoucher_hour:
    value: 08:00
    unit: time of day
    clause: step 2
    basis: assumed
    reason: {en: seen at eight, zh: 实见八点}
"""
THEN = {
    "shanghai-2024": (
        "33536cc87c3e0005ffd6972c72b7f121bbcf5aa24051d0c9ecd882a2b6a89f57",
        "87c8e1361fba87c53cca1a36f84f177f30c6a56d09913720afb10128855b0e64",
    ),
    "shanghai-2025": (
        "a525279e2366176e3ff50cd63964be7e04bdec90a6ca134ad7fe76fa4f605dbd",
        "f148f8a16995edc013e1189f2d73d42e95f38e3af8e3ad4a8f9b97cd62434321",
    ),
    "own-reading": (
        "05e8175cd249aa204d4ca2346ee2115b06ee3cc9411c037f77cd1eab520cbddd",
        "a6235e6ac89ddaca3821fbb272b97ad57b37b71427e5e90bb8eba0dce2592ed6",
    ),
}


@pytest.mark.parametrize("name", THEN)
def test_what_0_4_0_remembered_of_an_edition_is_recognized(name: str, tmp_path: Path) -> None:
    (tmp_path / "own-reading.yaml").write_text(OWN_READING, encoding="utf-8")
    editions = Editions(tmp_path)
    assert editions.digests_until_0_4_0(name) == THEN[name]
    stamp = read_instant("2025-09-01 09:00")
    kinds = (events.EditionAdopted, events.BenefitsAdopted)
    for kind, digest in zip(kinds, THEN[name], strict=True):
        used = kind(
            event_id=UUID(int=1),
            occurred_at=stamp,
            recorded_at=stamp,
            by="tester",
            via="test",
            command_id="c1",
            command_digest="",
            policy=name,
            digest=digest,
        )
        assert not is_altered(used, editions)
        assert is_altered(used.model_copy(update={"digest": digest[::-1]}), editions)


def test_another_wording_of_a_reason_is_the_same_edition(tmp_path: Path) -> None:
    file = tmp_path / "own-reading.yaml"
    file.write_text(OWN_READING, encoding="utf-8")
    before = Editions(tmp_path).get("own-reading").digest
    file.write_text(OWN_READING.replace("实见八点", "实际八点"), encoding="utf-8")
    assert Editions(tmp_path).get("own-reading").digest == before
