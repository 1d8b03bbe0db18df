"""Shapes others rely on: schemas, the public names, and stores written by earlier releases.

What is compared with a file under `golden/` was released. A difference is a defect, unless it
only adds something optional; then the file is written anew, knowingly, by `golden/write.py`.
"""

import inspect
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from click.testing import CliRunner
from golden.held import GOLDEN, held, releases, stores
from jsonschema_rs import Draft202012Validator, ValidationError
from pgserver import Server

import yibao
from yibao.adapters.cli import main
from yibao.adapters.editions.yaml_source import read
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.stories.published import SCHEMAS
from yibao.adapters.stories.reading import story_files
from yibao.adapters.upkeep.creating import migrate
from yibao.domain.calendar import read_instant
from yibao.domain.facts.events import EVENTS
from yibao.domain.vocabulary import EnrollmentId

ROOT = Path(__file__).parents[2]
RELEASES = stores()


class Golden(NamedTuple):
    """A store that a release has written, and all that it said of it."""

    release: str
    url: str
    told: dict[str, Any]


@pytest.fixture(
    params=sorted((*GOLDEN.glob("*.db"), *GOLDEN.glob("*.sql"))), ids=lambda path: str(path.name)
)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Golden]:
    """Each store of a release in turn: a file, or a database as its dump has it."""
    written: Path = request.param
    told = json.loads(written.with_suffix(".json").read_text(encoding="utf-8"))
    if written.suffix == ".db":
        shutil.copy(written, tmp_path / "store.db")
        yield Golden(written.stem, f"sqlite:///{tmp_path / 'store.db'}", told)
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.database()
    # As `nobody` may not read where the project is.
    shutil.copy(written, server.folder / "golden.sql")
    server.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", server.folder / "golden.sql")
    migrate(url)
    yield Golden(written.stem, url, told)
    server.drop(url)


def printed(*arguments: str) -> Any:
    done = CliRunner().invoke(main, [*arguments])
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_published_schema_is_the_released_one(name: str) -> None:
    released = json.loads(held(f"{name}.json").read_text(encoding="utf-8"))
    assert printed("schema", name) == released


def test_every_story_fits_the_schema_of_stories() -> None:
    validator = Draft202012Validator(SCHEMAS["story"]())
    for path in story_files(ROOT / "scenarios"):
        validator.validate(read(path).data)


@pytest.mark.parametrize(
    "change",
    [
        {"tittle": "x"},
        {"story": [{"at": "2025-09-01 08:00", "confirm": {"channel": "fax"}}]},
        {"story": [{"at": "2025-09-01 08:00", "confirm": {}}]},
        {"student": {"ref": "s1"}},
    ],
)
def test_what_is_wrong_in_a_story_does_not_fit(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMAS["story"]()).validate(_a_story() | change)


def _a_story() -> dict[str, Any]:
    (path, *_) = sorted((ROOT / "scenarios" / "worked-examples").glob("01-*.yaml"))
    data: dict[str, Any] = read(path).data
    return data


def test_the_released_editions_fit_the_schema_of_editions() -> None:
    validator = Draft202012Validator(SCHEMAS["edition"]())
    released = (ROOT / "domain" / "editions" / "policies").glob("*.yaml")
    examples = (ROOT / "scenarios").glob("*/policies/*.yaml")
    for path in sorted((*released, *examples)):
        validator.validate(read(path).data)


def test_what_a_replay_prints_fits_its_schema(tmp_path: Path) -> None:
    told = printed("replay", str(ROOT / "scenarios"), str(tmp_path / "missing.yaml"), "--json")
    Draft202012Validator(SCHEMAS["replay"]()).validate(told)


def test_the_public_names_and_their_signatures_are_the_released_ones() -> None:
    assert public_api() == held("api.txt").read_text(encoding="utf-8")


def public_api() -> str:
    """What an embedder may rely on, a line each: names, and parameters with their defaults."""
    lines = [f"yibao.{name}" for name in sorted(yibao.__all__)]
    lines.append(f"yibao.open{_parameters(open_service)}")
    lines.extend(
        f"Service.{name}{_parameters(member)}"
        for name, member in inspect.getmembers(Service, inspect.isfunction)
        if not name.startswith("_")
    )
    return "\n".join(lines) + "\n"


def test_what_the_audit_trail_prints_fits_its_schema() -> None:
    validator = Draft202012Validator(SCHEMAS["audit"]())
    kinds = set()
    for path in story_files(ROOT / "scenarios"):
        told = printed("audit", str(path), "--all", "--json")
        validator.validate(told)
        kinds |= {entry["kind"] for entry in told["entries"]}
    assert kinds == {"refused", *EVENTS}


def _parameters(function: Callable[..., object]) -> str:
    signature = inspect.signature(function)
    bare = [
        p.replace(
            annotation=p.empty,
            default="…" if callable(p.default) and p.default is not p.empty else p.default,
        )
        for p in signature.parameters.values()
    ]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def test_the_digests_of_released_editions_stand() -> None:
    released = json.loads((GOLDEN / "editions.json").read_text(encoding="utf-8"))
    with yibao.open("memory:") as service:
        found = {edition.edition: edition.digest for edition in service.editions}
        found |= {f"{each.edition} benefits": each.benefits_digest for each in service.editions}
    assert found == released


def test_a_store_of_an_earlier_release_answers_as_it_did(golden: Golden) -> None:
    told = golden.told
    at = read_instant(told["at"])
    with yibao.open(golden.url) as service:
        for student, answers in _students(told):
            found = answer_json(service.at(student, at, known_at=at))
            assert _told_then(found, answers["latest"]) == answers["latest"]
            for version, states in enumerate(answers["states"]):
                then = service.at(student, at, known_at=version)
                assert [change.state.value for change in then.timeline] == states
        service.register(
            "one-more",
            at="2025-09-30 10:00",
            policy="shanghai-2025",
            on="2025-09-30",
            school="sjtu",
            category="undergraduate",
            document="passport",
        )


def _students(told: dict[str, Any]) -> Iterator[tuple[EnrollmentId, dict[str, Any]]]:
    """The enrollments of a golden store, with what was answered of each."""
    years = {str(told["year"]): told["students"], **told.get("later", {})}
    for year, students in years.items():
        for ref, answers in students.items():
            yield EnrollmentId(ref, int(year)), answers


def _told_then(found: dict[str, Any], released: dict[str, Any]) -> dict[str, Any]:
    """Of an answer what a release told: each piece of care tells more since (R37)."""
    then = {key: found[key] for key in released}
    if "care" in then:
        both = zip(found["care"], released["care"], strict=True)
        then["care"] = [{key: now[key] for key in told} for now, told in both]
    return then


def test_a_command_repeated_after_an_upgrade_is_recognized(golden: Golden) -> None:
    told = golden.told

    def enrollment(text: str) -> EnrollmentId:
        ref, _, year = text.partition("/")
        return EnrollmentId(ref, int(year or told["year"]))

    as_given: dict[str, Callable[[str], Any]] = {
        "EnrollmentId": enrollment,
        "UUID": UUID,
        "str": str,
    }
    with yibao.open(golden.url, by="officer-7") as service:
        for call in told["calls"]:
            given = [as_given[kind](text) for each in call["given"] for kind, text in each.items()]
            receipt = getattr(service, call["method"])(*given, **call["values"])
            assert receipt.repeated
            assert (str(receipt.event_id), receipt.version) == (call["event_id"], call["version"])


def test_a_golden_store_holds_every_event_shape_of_its_release(golden: Golden) -> None:
    told = golden.told
    with yibao.open(golden.url) as service:
        found = {
            fact.name
            for ref in told["students"]
            for fact in (
                *service.facts(EnrollmentId(ref, told["year"])),
                *service.care_facts(EnrollmentId(ref, told["year"])),
            )
        }
        found |= {event.name for event in service.window_facts("shanghai-2025")}
    assert found == set(told["events"])
    if golden.release == RELEASES[-1]:
        assert found == set(EVENTS)


def test_the_attempts_a_release_kept_are_read_as_they_were(golden: Golden) -> None:
    told = golden.told
    with yibao.open(golden.url) as service:
        for ref in told["students"]:
            found = service.refused_attempts(EnrollmentId(ref, told["year"]))
            then = told.get("refused", {}).get(ref, [])
            assert len(found) == len(then)
            for kept, attempt in zip(found, then, strict=True):
                now = kept.attempt.model_dump(mode="json", by_alias=True)
                assert {key: now[key] for key in attempt} == attempt
    if golden.release == RELEASES[-1]:
        assert {each["code"] for each in told["refused"]["ada"]} == {
            "already_confirmed",
            "already_registered",
        }


@pytest.mark.parametrize("released", releases("attempts.json"))
def test_what_a_release_kept_of_attempts_keeps_its_fields(released: Path) -> None:
    now, then = SCHEMAS["attempts"](), json.loads(released.read_text(encoding="utf-8"))
    assert then["required"] == now["required"]
    assert then["properties"].items() <= now["properties"].items()


@pytest.mark.parametrize("released", releases("events.json"))
def test_what_a_release_stored_keeps_its_names_and_fields(released: Path) -> None:
    now = SCHEMAS["events"]()["events"]
    for name, then in json.loads(released.read_text(encoding="utf-8"))["events"].items():
        assert then["required"] == now[name]["required"], name
        for field, shape in then["properties"].items():
            assert shape == now[name]["properties"][field], (name, field)


@pytest.mark.parametrize("released", releases("api.txt"))
def test_what_a_release_offered_is_still_there(released: Path) -> None:
    offered = {line.partition("(")[0] for line in released.read_text("utf-8").splitlines()}
    assert offered <= {line.partition("(")[0] for line in public_api().splitlines()}


def test_stored_names_are_kebab_case_words() -> None:
    assert all(name == name.lower() and " " not in name and "." not in name for name in EVENTS)
