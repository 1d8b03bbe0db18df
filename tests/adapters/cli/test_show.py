"""`yibao show`: the short answer, of a story and of a store, and who is not known."""

from pathlib import Path

import pytest
from given import sheet

import yibao

from ..conftest import TWO, Run, Write
from ..helpers.autumn import Clock
from .test_cli import SEVERAL, STEPS, refused

S1 = yibao.EnrollmentId("s1", 2025)


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store in which s1 is known in two years, and confirmed in the later one."""
    path = str(tmp_path / "facts.db")
    clock = Clock("2024-09-02 09:00")
    with yibao.open(f"sqlite:///{path}", by="counter-1", clock=clock) as service:
        service.register("s1", **sheet(at=clock.now, policy="shanghai-2024", on="2024-09-01"))
        clock.at("2025-09-02 17:00")
        service.register("s1", **sheet(at=clock.now, on="2025-09-01"))
        service.declare_roster(S1, at=clock.now)
        service.confirm(S1, at=clock.at("2025-09-06 14:20"), channel="app")
    return path


def test_a_story_is_told_in_short(tell: Write, run: Run) -> None:
    result = run("show", tell(STEPS))
    first, state, *_ = result.stdout.splitlines()
    assert first == "s1/2025 · shanghai-2025"
    assert state.split()[:3] == ["state", "in", "waiting"]
    for word in ("waiting period", "account built on", "benefit window", "next steps"):
        assert f"\n{word}" in result.stdout
    assert "●" not in result.stdout  # the timeline has a command of its own


def test_it_is_told_in_either_language(tell: Write, run: Run) -> None:
    assert "待遇享受期" in run("show", tell(STEPS), "--lang", "zh").stdout


def test_everybody_in_a_story_is_told_of_or_the_one_named(write: Write, run: Run) -> None:
    story = write(SEVERAL)
    both = run("show", story).stdout
    assert [line for line in both.splitlines() if "/2025" in line] == [
        "a1/2025 · shanghai-2025",
        "b1/2025 · shanghai-2025",
    ]
    assert "a1/" not in run("show", story, "--student", "bo").stdout


def test_of_one_in_a_store_the_latest_year_is_told_and_of_the_others_a_line_each(
    store: str, run: Run
) -> None:
    latest = run("show", "--store", store, "--ref", "s1").stdout
    assert latest.startswith("s1/2025 · shanghai-2025\n")
    assert latest.endswith("s1/2024 · shanghai-2024: lapsed, benefit window none\n")
    chinese = run("show", "--store", store, "--ref", "s1", "--lang", "zh").stdout
    assert chinese.endswith("s1/2024 · shanghai-2024：逾期未参保，待遇享受期 无\n")


def test_of_a_year_that_is_named_only_the_others_are_named(store: str, run: Run) -> None:
    earlier = run("show", "--store", store, "--ref", "s1", "--year", 2024).stdout
    assert earlier.startswith("s1/2024 · shanghai-2024\n")
    assert earlier.endswith("other benefit years known: 2025\n")
    later = run("show", "--store", store, "--ref", "s1", "--year", 2025, "--lang", "zh").stdout
    assert later.endswith("另有已知的参保年度：2024\n")


def test_of_a_year_that_has_ended_it_is_told_how_the_next_one_goes_on(run: Run) -> None:
    folder = Path(__file__).parents[3] / "scenarios/several-years"
    story = folder / "a-graduates-cover-ends-with-the-degree.yaml"
    ada, bo = run("show", story, "--year", 2025).stdout.split("\n\n")
    assert "expired" in ada.splitlines()[1]
    assert "goes on in 2026: withdrawn (graduation), benefit window 2026-01-01 to" in ada
    assert "goes on in 2026: withdrawn (withdrawal), benefit window 2026-01-01 to" in bo
    asked = ("show", story, "--student", "ada", "--year", 2025)
    by_then = run(*asked, "--at", "2026-02-01", "--known-at", "2025-11-14 09:00").stdout
    assert "goes on in 2026: lapsed, benefit window pending" in by_then
    nothing_yet = run(*asked, "--known-at", "2025-11-13").stdout
    assert "2026: " not in nothing_yet
    assert "other benefit years known" not in nothing_yet


def test_it_is_asked_about_an_instant_as_known_by_another(store: str, run: Run) -> None:
    asked = ("show", "--store", store, "--ref", "s1", "--at", "2025-12-02")
    assert "confirmed" in run(*asked).stdout.splitlines()[1]
    assert "lapsed" not in run(*asked, "--known-at", "2025-09-05").stdout.splitlines()[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--ref", "a b"), "a b; benefit years known: none"),
        (("--ref", "s2"), "s2; benefit years known: none"),
        (("--ref", "s1", "--year", 2026), "s1/2026; benefit years known: 2024, 2025"),
        (("--ref", "s2", "--year", 2025), "s2/2025; benefit years known: none"),
    ],
)
def test_who_is_unknown_is_told_with_the_years_that_are_known(
    options: tuple[object, ...], said: str, store: str, run: Run
) -> None:
    done = run("show", "--store", store, *options)
    assert (done.exit_code, done.stdout, done.stderr) == (
        1,
        "",
        f"yibao: nothing is recorded of {said}\n",
    )
    assert run("show", "--store", store, *options, "--lang", "zh").exit_code == 1


def test_a_story_or_a_store_is_shown_and_not_both(store: str, write: Write, run: Run) -> None:
    story = write(TWO)
    assert "give a story's FILE or a --store" in refused(run("show"))
    refused(run("show", story, "--store", store))
    assert "--store needs --ref" in refused(run("show", "--store", store))
    assert "no such student" in refused(run("show", story, "--student", "cy"))


def test_showing_changes_nothing(store: str, run: Run) -> None:
    before = Path(store).read_bytes()
    run("show", "--store", store, "--ref", "s1")
    assert Path(store).read_bytes() == before
    assert run("show", "--store", f"{store}.not", "--ref", "s1").exit_code == 2
    assert not Path(f"{store}.not").exists()
