"""Under a clock that a test has frozen everything works for the first time, and after it again."""

import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from freezegun import freeze_time

import yibao
from yibao.adapters.store.connections.retrying import again
from yibao.adapters.store.errors import Interrupted, StoreError
from yibao.adapters.store.sqlite import layout

from ..helpers.stores import with_trail
from ..helpers.writers import registration

SCRIPT = """
import sys
from freezegun import freeze_time

{before}

url, folder, *tick = sys.argv[1:]
NOON = "2025-12-01 04:00:00"
SHEET = dict(policy="shanghai-2025", on="2025-09-01", at="2025-09-01 08:30", school="sjtu",
             category="undergraduate", document="resident_id_card")
STORY = '''
title: A story
policy: shanghai-2025
student: {{ref: s9, school: sjtu, category: undergraduate, document: passport}}
story:
  - at: 2025-09-01 08:30
    register: {{on: 2025-09-01}}
  - at: 2025-09-02 17:00
    declare_roster: {{}}
  - at: 2025-09-03 17:00
    expect: {{state: registered, coverage: pending}}
'''

def serve(ref):
    import yibao
    whom = yibao.EnrollmentId(ref, 2025)
    with yibao.open(url, by="officer") as service:
        fact = service.register(ref, **SHEET)
        service.declare_roster(whom, at="2025-09-02 17:00")
        service.confirm(whom, at="2025-09-06 14:20", channel="app")
        service.fix_window("shanghai-2025", at="2025-09-07 10:00", closes_on="2025-12-19")
        service.correct(whom, fact.event_id, at="2025-09-08 10:00", reason="misread",
                        changes={{"on": "2025-09-02"}})
        service.receive_care(whom, at="2025-10-02 10:00", on="2025-10-01", cost="60",
                             setting="campus_clinic")
        try:
            service.confirm(whom, at="2025-09-06 14:20", channel="app")
        except yibao.Refused as refused:
            assert refused.code == "already_confirmed"
        for ask in (service.at, service.trail_of, service.review, service.refused_attempts):
            ask(whom)
        service.compare(whom, 1)
        service.history(whom, "coverage")
        service.quote(whom, on="2025-10-01", setting="campus_clinic", cost="1")
        with service.audit_trail() as trail:
            trail.page(yibao.Question(ref=ref))
        assert list(service.everyone())

def tell(ref):
    from click.testing import CliRunner
    from pathlib import Path
    from yibao.adapters.cli import main
    story = Path(folder) / "story.yaml"
    story.write_text(STORY)
    for asked in (["replay", story], ["explain", story], ["timeline", story], ["dossier", story],
                  ["audit", story], ["policy", "show", "shanghai-2025"], ["schema", "story"]):
        ran = CliRunner().invoke(main, [str(word) for word in asked])
        assert ran.exit_code == 0, (asked, ran.output, ran.exception)

def schema(ref):
    from yibao.adapters.shapes import schemas
    from yibao.adapters.stories.published import SCHEMAS
    for written in SCHEMAS.values():
        written()

def names(ref):
    import copy, pickle, yibao
    for name in yibao.__all__:
        getattr(yibao, name)
    day = yibao.read_instant("2025-12-19 10:00").date()
    yibao.commands.Register(ref=ref, **SHEET)
    yibao.commands.FixWindow(at="2025-09-07 10:00", closes_on=day)
    yibao.StoreSettings(pool_max=4)
    with yibao.open("memory:", telemetry=yibao.open_telemetry()) as service:
        whom = yibao.testing.student(service, ref, state="opted_out")
        service.tell(whom, "declare_other_cover", {{"kind": "employee"}})
        answer = service.at(whom)
        service.possible(whom)
        service.judge(whom, {{"command": "confirm", "channel": "app"}})
    told = yibao.as_json(answer, lang="zh", explain=True)
    assert yibao.models.Answer.model_validate(told).state == "opted_out"
    assert copy.deepcopy(answer) == pickle.loads(pickle.dumps(answer)) == answer

with freeze_time(NOON, tick=bool(tick)):
    {frozen}("s1")
for use in (serve, tell, schema, names):
    use("s2")
print("done")
"""

TOP = "import yibao\nADA = yibao.EnrollmentId('s1', 2025)"


def ran(url: str, folder: Path, before: str, frozen: str, *more: str) -> tuple[str, str]:
    """What a fresh process says in which something was first used under a frozen clock."""
    script = SCRIPT.format(before=before, frozen=frozen)
    done = subprocess.run(
        [sys.executable, "-c", script, url, str(folder), *more],
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout, done.stderr


def test_a_store_is_first_opened_under_a_frozen_clock_and_again_after_it(
    url: str, tmp_path: Path
) -> None:
    said, told = ran(with_trail(url), tmp_path, TOP, "serve")
    assert said == "done\n", told  # a pool of connections tells that it was closed with a delay
    assert "size changed" not in told  # nor did a driver bind the classes of the frozen clock


@pytest.mark.parametrize(
    ("before", "frozen"),
    [
        ("", "serve"),
        ("import yibao", "serve"),
        ("from yibao.adapters.cli import main", "tell"),
        (TOP, "tell"),
        (TOP, "schema"),
        (TOP, "names"),
        ("import yibao.commands", "serve"),
        ("import yibao.testing", "names"),
        ("import yibao.models", "names"),
        ("import yibao; yibao.as_json", "names"),
        ("import yibao; yibao.StoreSettings", "serve"),
        ("from yibao import *", "serve"),
        ("import pydantic", "schema"),
    ],
)
def test_whatever_is_first_used_under_a_frozen_clock_all_else_works_after_it(
    before: str, frozen: str, tmp_path: Path
) -> None:
    assert ran("memory:", tmp_path, before, frozen) == ("done\n", "")


def test_the_same_under_a_clock_that_was_moved_and_goes_on(tmp_path: Path) -> None:
    assert ran("memory:", tmp_path, TOP, "serve", "tick") == ("done\n", "")


def ends(ask: threading.Thread) -> bool:
    """Whether something ends at all, where it waited for a clock that stands still."""
    ask.daemon = True
    ask.start()
    ask.join(60)
    return not ask.is_alive()


@freeze_time("2025-12-01 04:00:00")
def test_what_is_interrupted_is_not_tried_for_ever_under_a_frozen_clock() -> None:
    tries: list[int] = []

    def interrupted() -> None:
        tries.append(1)
        raise Interrupted("was interrupted")

    def ask() -> None:
        with pytest.raises(Interrupted):
            again(interrupted, 0.1)

    assert ends(threading.Thread(target=ask))
    assert len(tries) > 1


def test_the_trail_does_not_wait_for_ever_for_a_writer_under_a_frozen_clock(
    postgres_url: str,
) -> None:
    with (
        yibao.open(with_trail(postgres_url)) as service,
        service.audit_trail() as trail,
        psycopg.connect(postgres_url, options="-c search_path=yibao") as writer,
    ):
        method, sheet = registration("s1", "register-1")
        getattr(service, method)(**sheet)
        writer.execute("LOCK TABLE stored_events IN ROW EXCLUSIVE MODE")
        with freeze_time("2025-12-01 04:00:00"):
            assert ends(threading.Thread(target=trail.catch_up))
        writer.rollback()
        assert trail.count(yibao.Question(ref="s1")) == 1


def test_a_file_that_somebody_has_locked_is_not_waited_for_for_ever_under_a_frozen_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    monkeypatch.setattr(layout, "LOCK_TIMEOUT", 0.1)
    path = tmp_path / "facts.db"
    held = sqlite3.connect(path, isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")

    def ask() -> None:
        with pytest.raises(StoreError, match="locked"):
            yibao.open(f"sqlite:///{path}")

    with freeze_time("2025-12-01 04:00:00"):
        assert ends(threading.Thread(target=ask))
    held.close()


def test_who_freezes_the_clock_loads_nothing_of_yibao() -> None:
    loaded = "print(sum(name.startswith('yibao.') for name in sys.modules))"
    script = f"import sys, yibao; from freezegun import freeze_time\nwith freeze_time(): {loaded}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
