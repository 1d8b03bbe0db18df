"""`yibao evidence`: from the key to the proof, as an administrator and an auditor run it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

import yibao

from ..conftest import Run
from ..helpers.stores import rows

ORIGIN = "insurance.example.edu.cn/yibao/main"


def record(url: str, *refs: str) -> None:
    with yibao.open(url, by="registrar") as service:
        for ref in refs:
            service.register(
                ref,
                policy="shanghai-2025",
                on="2025-09-01",
                at="2025-09-01 08:30",
                school="sjtu",
                category="undergraduate",
                document="resident_id_card",
            )


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> str:
    """A store with facts in it, and a key, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    record("sqlite:///facts.db", "s1", "s2", "s3")
    run("evidence", "init", "--origin", ORIGIN, "--key", "main.pem")
    return "sqlite:///facts.db"


def note(run: Run, name: str = "main.note") -> str:
    done = run("evidence", "checkpoint", "--store", "facts.db", "--key", "main.pem")
    assert done.exit_code == 0, done.output
    Path(name).write_text(done.stdout)
    return done.stdout


def write_public_key() -> None:
    key = load_pem_private_key(Path("main.pem").read_bytes(), None).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    Path("public.pem").write_bytes(pem)


def key() -> str:
    return Path("main.pem.pub").read_text().splitlines()[0]


def verified(run: Run, *more: str) -> tuple[int, dict[str, Any]]:
    store = ("--store", "facts.db", "--note", "main.note", "--vkey", key())
    done: Result = run("evidence", "verify", *store, "--json", *more)
    return done.exit_code, json.loads(done.stdout)


def test_a_key_is_made_for_its_owner_alone_and_used_again(url: str, run: Run) -> None:
    assert os.stat("main.pem").st_mode & 0o777 == 0o600
    assert Path("main.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")
    pem = Path("main.pem").read_bytes()
    again = run("evidence", "init", "--origin", ORIGIN, "--key", "main.pem")
    facts, attempts = again.stdout.splitlines()
    assert facts.startswith(f"{ORIGIN}/facts+")
    assert attempts.startswith(f"{ORIGIN}/attempts+")
    assert Path("main.pem").read_bytes() == pem
    assert run("evidence", "init", "--origin", "a/yibao/b", "--key", "main.pem").exit_code == 2
    assert run("evidence", "init", "--origin", "nowhere", "--key", "new.pem").exit_code == 2
    assert not Path("new.pem").exists()


def test_the_note_is_three_lines_and_a_signature_and_is_held(url: str, run: Run) -> None:
    told = note(run)
    origin, size, _, empty, signature, _ = told.split("\n")
    assert (origin, int(size), empty) == (f"{ORIGIN}/facts", 4, "")
    assert signature.startswith(f"— {ORIGIN}/facts ")
    assert verified(run) == (
        0,
        {
            "ok": True,
            "size": 4,
            "rows": 4,
            "kind": None,
            "leaf": None,
            "position": None,
            "warnings": [],
        },
    )
    assert note(run) == told


def test_what_was_altered_or_lost_is_told_in_json_in_words_and_by_the_exit_code(
    url: str, run: Run
) -> None:
    note(run)
    rows(url, "UPDATE stored_events SET topic='x' WHERE notification_id=3")
    code, told = verified(run)
    assert (code, told["kind"], told["leaf"], told["position"]) == (1, "altered", 2, 3)
    store = ("--store", "facts.db", "--note", "main.note", "--vkey", "main.pem.pub")
    assert "entry 2, found at position 3" in run("evidence", "verify", *store).stdout
    assert "位置 3" in run("evidence", "verify", *store, "--lang", "zh").stdout
    rows(url, "UPDATE stored_events SET topic='registered' WHERE notification_id=3")
    rows(url, "DELETE FROM stored_events WHERE notification_id=4")
    code, told = verified(run)
    assert (code, told["kind"], told["leaf"], told["position"]) == (1, "truncated", 3, None)


@pytest.mark.parametrize("why", ["another key", "no key of the log", "no note", "no store"])
def test_a_program_is_told_why_nothing_could_be_held_against_a_note(
    url: str, run: Run, why: str
) -> None:
    note(run)
    origin = f"{ORIGIN}2" if why == "no key of the log" else ORIGIN
    run("evidence", "init", "--origin", origin, "--key", "other.pem")
    asked = {"--store": "facts.db", "--note": "main.note", "--vkey": "main.pem.pub"}
    match why:
        case "no note":
            asked["--note"] = "main.pem"
        case "no store":
            asked["--store"] = "nothing.db"
        case _:
            asked["--vkey"] = "other.pem.pub"
    done = run("evidence", "verify", *(part for pair in asked.items() for part in pair), "--json")
    assert done.exit_code == (1 if why == "another key" else 2)
    told = json.loads(done.stdout)
    (warning,) = told.pop("warnings")
    assert warning in done.stderr
    assert told == {"ok": False} | dict.fromkeys(("size", "rows", "kind", "leaf", "position"))


def test_a_program_is_told_why_a_proof_cannot_be_read(url: str, run: Run) -> None:
    told = note(run)
    for file, vkey in (("main.pem", "main.pem.pub"), ("main.note", "a+b+c"), ("no", "a+b+c")):
        done = run("evidence", "check", file, "--vkey", vkey, "--json")
        found = json.loads(done.stdout)
        assert (done.exit_code, found["ok"], found["kind"]) == (2, False, None)
        assert found["why"] in done.stderr
    Path("main.note").write_text(told.replace("\n4\n", "\n5\n"))
    done = run("evidence", "check", "main.note", "--vkey", key(), "--json")
    assert (done.exit_code, json.loads(done.stdout)["kind"]) == (1, "note")


def test_a_proof_is_checked_where_there_is_no_store(url: str, run: Run) -> None:
    note(run)
    out = ("--store", "facts.db", "--ref", "s2", "--year", "2025", "--out", "proofs")
    assert run("evidence", "prove", *out).exit_code == 0
    (proof,) = Path("proofs").iterdir()
    assert proof.name == "s2-2025-1.tlog-proof"
    code = (
        "import sys; from yibao.adapters.cli.running.evidence_files import checked; "
        "from pathlib import Path; print(checked(Path(sys.argv[1]), sys.argv[2]).ok); "
        "print([m for m in ('sqlite3', 'psycopg', 'eventsourcing') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(proof), key()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[0] == "True"
    checked = run("evidence", "check", proof, "--vkey", key(), "--json")
    told = json.loads(checked.stdout)
    assert (checked.exit_code, told["ok"], told["name"], told["version"]) == (
        0,
        True,
        "registered",
        1,
    )
    text = proof.read_text()
    spoilt = Path("spoilt.tlog-proof")
    spoilt.write_text(text.replace("index 2", "index 1"))
    assert run("evidence", "check", spoilt, "--vkey", key()).exit_code == 1
    spoilt.write_text(text[:40])
    assert run("evidence", "check", spoilt, "--vkey", key()).exit_code == 2
    assert run("evidence", "check", "nothing", "--vkey", key()).exit_code == 2
    assert run("evidence", "check", proof, "--vkey", "a+b+c").exit_code == 2


def test_what_is_newer_than_the_note_is_no_proof_and_says_so(url: str, run: Run) -> None:
    note(run)
    record(url, "s4")
    out = ("--store", "facts.db", "--ref", "s4", "--year", "2025", "--out", "proofs")
    done = run("evidence", "prove", *out)
    assert done.exit_code == 1
    assert "newer than the last note" in done.stdout
    nobody = run("evidence", "prove", *out[:3], "nobody", *out[4:])
    assert nobody.exit_code == 2


def test_a_log_goes_on_or_it_is_refused(url: str, run: Run) -> None:
    note(run, "old.note")
    record(url, "s4")
    note(run, "new.note")
    named = ("--store", "facts.db", "--vkey", key(), "--out", "went-on")
    forward = run("evidence", "consistency", *named, "--from", "old.note", "--to", "new.note")
    assert forward.exit_code == 0
    assert Path("went-on").read_text().startswith("yibao-consistency-v1\nfrom 4\nto 5\n")
    assert run("evidence", "check", "went-on", "--vkey", key()).exit_code == 0
    back = run("evidence", "consistency", *named, "--from", "new.note", "--to", "old.note")
    assert back.exit_code == 1


def test_status_tells_how_much_is_not_proven_and_publishing_proves_it(url: str, run: Run) -> None:
    note(run)
    before = json.loads(run("evidence", "status", "--store", "facts.db", "--json").stdout)
    facts = before["logs"][0]
    assert (facts["log"], facts["size"], facts["published"], facts["unproven"]) == (
        "facts",
        4,
        None,
        4,
    )
    followed = ("--store", "facts.db", "--key", "main.pem", "--once", "--publish", "notes/")
    assert run("evidence", "follow", *followed).exit_code == 0
    told = json.loads(run("evidence", "status", "--store", "facts.db", "--json").stdout)
    assert (told["logs"][0]["published"], told["logs"][0]["unproven"]) == (4, 0)
    assert Path("notes", "facts", "4.note").read_text() == note(run)


def test_a_path_to_nothing_yet_is_a_folder_to_publish_in(url: str, run: Run) -> None:
    signing = ("--store", "facts.db", "--key", "main.pem", "--publish", str(Path("kept").resolve()))
    told = run("evidence", "checkpoint", *signing).stdout
    assert Path("kept", "facts", "checkpoint").read_text() == told


def test_where_publishing_fails_the_note_is_signed_and_the_failure_told(url: str, run: Run) -> None:
    signing = ("--store", "facts.db", "--key", "main.pem", "--publish", "false")
    done = run("evidence", "checkpoint", *signing)
    assert done.exit_code == 1
    assert done.stdout.startswith(f"{ORIGIN}/facts\n4\n")
    assert "exit 1" in done.stderr
    more = ("--publish", "no-such-command", "--once")
    for lang, told in (("en", "publishes has failed: exit 1"), ("zh", "公布凭据的命令失败")):
        followed = run("evidence", "follow", *signing, *more, "--lang", lang)
        assert followed.exit_code == 1
        lines = [each for each in followed.stderr.splitlines() if each.startswith("yibao: ")]
        assert len(lines) == 4  # two places, of two logs
        assert any(told in each for each in lines)


def test_a_folder_that_lacks_the_last_note_gets_it_and_a_command_no_note_twice(
    url: str, run: Run
) -> None:
    command = f"{sys.executable} -c \"import sys; open('sent', 'a').write(sys.stdin.read())\""
    signing = ("--store", "facts.db", "--key", "main.pem", "--publish", command, "--publish")
    Path("full").write_text("no folder can be made here")
    assert run("evidence", "checkpoint", *signing, "full/facts/").exit_code == 1
    sent = Path("sent").read_text()
    for again in range(2):
        failed = run("evidence", "follow", *signing, "full/facts/", "--once")
        assert failed.exit_code == 1, again
    Path("full").unlink()
    told = run("evidence", "checkpoint", *signing, "full/facts/", "--publish", "more/")
    assert told.exit_code == 0, told.output
    for folder in ("full/facts", "more"):
        assert Path(folder, "facts", "4.note").read_text() == told.stdout
        assert Path(folder, "facts", "checkpoint").read_text() == told.stdout
    assert Path("sent").read_text() == sent


def test_a_command_signs_in_the_place_of_a_key(url: str, run: Run) -> None:
    sign = Path("sign.py")
    sign.write_text(
        "import sys\n"
        "from cryptography.hazmat.primitives.serialization import load_pem_private_key\n"
        "key = load_pem_private_key(open('main.pem', 'rb').read(), None)\n"
        "sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read()))\n"
    )
    write_public_key()
    told = note(run)
    record(url, "s4")
    by = ("--key", "public.pem", "--sign-with", f"{sys.executable} sign.py")
    done = run("evidence", "checkpoint", "--store", "facts.db", *by)
    assert done.exit_code == 0, done.output
    assert done.stdout.split("\n")[0] == told.split("\n")[0]
    Path("main.note").write_text(done.stdout)
    assert verified(run)[0] == 0
    other = ("--key", "public.pem", "--sign-with", "false")
    record(url, "s5")
    assert run("evidence", "checkpoint", "--store", "facts.db", *other).exit_code == 2
    handed = (
        "evidence",
        "rotate",
        "--store",
        "facts.db",
        "--key",
        "next.pem",
        "--old",
        "public.pem",
    )
    assert run(*handed).exit_code == 2
    assert run(*handed, "--old-sign-with", f"{sys.executable} sign.py").exit_code == 0


def test_a_key_is_handed_over_and_what_it_signed_stays_proven(url: str, run: Run) -> None:
    note(run)
    old = key()
    done = run("evidence", "rotate", "--store", "facts.db", "--key", "next.pem")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"yibao-handover-v1\n{old}\n{ORIGIN}/facts+")
    assert verified(run)[0] == 0
    record(url, "s4")
    signing = ("--store", "facts.db", "--key")
    assert run("evidence", "checkpoint", *signing, "main.pem").exit_code == 2
    assert run("evidence", "checkpoint", *signing, "next.pem").exit_code == 0


def test_where_one_log_cannot_be_handed_over_neither_is(url: str, run: Run) -> None:
    note(run)
    write_public_key()
    sign = Path("sign.py")
    sign.write_text(
        "import sys\n"
        "from cryptography.hazmat.primitives.serialization import load_pem_private_key\n"
        "told = sys.stdin.buffer.read()\n"
        "assert b'/attempts' not in told\n"
        "key = load_pem_private_key(open('main.pem', 'rb').read(), None)\n"
        "sys.stdout.buffer.write(key.sign(told))\n"
    )
    handing = ("evidence", "rotate", "--store", "facts.db", "--key", "next.pem")
    by = ("--old", "public.pem", "--old-sign-with", f"{sys.executable} sign.py")
    assert run(*handing, *by).exit_code == 2
    again = run(*handing)
    assert again.exit_code == 0, again.output
    assert again.stdout.count("yibao-handover-v1") == 2


def test_that_a_log_went_on_is_proven_over_a_hand_over_with_both_keys(url: str, run: Run) -> None:
    note(run, "old.note")
    assert run("evidence", "rotate", "--store", "facts.db", "--key", "next.pem").exit_code == 0
    record(url, "s4")
    done = run("evidence", "checkpoint", "--store", "facts.db", "--key", "next.pem")
    Path("new.note").write_text(done.stdout)
    keys = "".join(Path(f"{each}.pem.pub").read_text() for each in ("main", "next"))
    Path("keys").write_text(keys)
    asked = ("--store", "facts.db", "--from", "old.note", "--to", "new.note", "--out", "went-on")
    for one in ("main.pem.pub", "next.pem.pub"):
        assert run("evidence", "consistency", *asked, "--vkey", one).exit_code == 1
    assert run("evidence", "consistency", *asked, "--vkey", "keys").exit_code == 0
    assert run("evidence", "check", "went-on", "--vkey", "keys").exit_code == 0
    assert run("evidence", "check", "went-on", "--vkey", "next.pem.pub").exit_code == 1
    for each in ("old.note", "new.note"):
        held = ("--store", "facts.db", "--note", each, "--vkey", "keys")
        assert run("evidence", "verify", *held).exit_code == 0


def test_a_key_that_others_may_read_is_warned_of_in_the_readers_language(
    url: str, run: Run
) -> None:
    Path("main.pem").chmod(0o640)
    asked = ("evidence", "checkpoint", "--store", "facts.db", "--key", "main.pem")
    assert "open to others" in run(*asked).stderr
    assert "属主" in run(*asked, "--lang", "zh").stderr
    Path("main.pem").chmod(0o600)
    assert run(*asked).stderr == ""


def test_looking_at_a_store_makes_nothing(run: Run, tmp_path: Path) -> None:
    record(f"sqlite:///{tmp_path}/facts.db", "s1")
    before = sorted(tmp_path.iterdir())
    assert run("evidence", "status", "--store", tmp_path / "facts.db").exit_code == 2
    out = ("--ref", "s1", "--year", "2025", "--out", tmp_path / "proofs")
    assert run("evidence", "prove", "--store", tmp_path / "facts.db", *out).exit_code == 2
    assert sorted(tmp_path.iterdir()) == before


def test_a_dossier_and_an_export_carry_the_proofs_and_are_checked_without_the_store(
    url: str, run: Run
) -> None:
    note(run)
    her = ("dossier", "--store", "facts.db", "--ref", "s2", "--proofs")
    for form in ("json", "html", "text"):
        assert run(*her, "--format", form, "--output", f"s2.{form}").exit_code == 0
    for form in ("json", "csv"):
        exported = run("audit", "--store", "facts.db", "--all", "--proofs", f"--{form}")
        assert exported.exit_code == 0, exported.output
        Path(f"all.{form}").write_text(exported.stdout, newline="")
    Path("facts.db").unlink()
    carried = {"s2.json": 1, "s2.html": 1, "s2.text": 1, "all.json": 4, "all.csv": 4}
    for name, proofs in carried.items():
        done = run("evidence", "check", name, "--vkey", "main.pem.pub", "--json")
        told = json.loads(done.stdout)
        assert (done.exit_code, told["kind"], told["proofs"]) == (0, "document", proofs), name
    assert "1 fact of" in run("evidence", "check", "s2.html", "--vkey", "main.pem.pub").stdout


@pytest.mark.parametrize(
    ("told", "instead", "why"),
    [
        (
            '"happened_at": "2025-09-01T08:30',
            '"happened_at": "2025-09-02T08:30',
            "signed: happened_at",
        ),
        ('"on": "2025-09-01"', '"on": "2025-09-02"', "signed: values"),
        ('"by": "registrar"', '"by": "somebody"', "signed: by"),
        ('"ref": "s2", "year"', '"ref": "s3", "year"', "signed: stream"),
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v1\\nextra AAAA", "does not begin with"),
        ("extra eWliYW8tZmFjdC12M", "extra eWliYW8tZmFjdC12N", "does not lead"),
    ],
)
def test_a_document_that_tells_of_a_fact_otherwise_than_it_was_signed_is_not_proven(
    url: str, run: Run, told: str, instead: str, why: str
) -> None:
    note(run)
    exported = run("audit", "--store", "facts.db", "--ref", "s2", "--proofs", "--json").stdout
    assert told in exported
    Path("forged.json").write_text(exported.replace(told, instead))
    done = run("evidence", "check", "forged.json", "--vkey", "main.pem.pub")
    assert done.exit_code == (2 if why == "does not begin with" else 1)
    assert why in done.output


def test_a_fact_that_is_newer_than_the_note_stands_without_a_proof_and_is_told(
    url: str, run: Run
) -> None:
    note(run)
    record(url, "s4")
    exported = run("audit", "--store", "facts.db", "--ref", "s4", "--proofs", "--json").stdout
    assert [each["proof"] for each in json.loads(exported)["entries"]] == [None]
    Path("new.json").write_text(exported)
    done = run("evidence", "check", "new.json", "--vkey", "main.pem.pub", "--lang", "zh")
    assert done.exit_code == 1
    assert "没有证明" in done.stdout


def test_a_fact_that_is_told_without_any_proof_among_proven_ones_is_not_proven(
    url: str, run: Run
) -> None:
    note(run)
    her = ("dossier", "--store", "facts.db", "--ref", "s2", "--year", "2025", "--format", "json")
    document = json.loads(run(*her, "--proofs").stdout)
    made_up = {**document["trail"][0], "event_id": "0" * 32}
    del made_up["proof"]
    document["trail"].append(made_up)
    Path("forged.json").write_text(json.dumps(document))
    done = run("evidence", "check", "forged.json", "--vkey", "main.pem.pub")
    assert (done.exit_code, "has no proof" in done.stdout) == (1, True)


def test_proofs_are_of_a_store_and_stand_in_what_programs_read(url: str, run: Run) -> None:
    assert run("audit", "--store", "facts.db", "--proofs").exit_code == 2
    assert run("audit", "--store", "facts.db", "--proofs", "--json").exit_code == 2  # no note yet
    story = next(Path(yibao.__file__).parents[2].glob("scenarios/audit/*.yaml"))
    for command in (["dossier", str(story)], ["audit", str(story), "--json"]):
        assert run(*command, "--proofs").exit_code == 2
