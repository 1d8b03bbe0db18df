"""The pages for whoever embeds yibao: what they show is run, or is a passage of what is."""

import ast
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from shown import blocks, printed

from yibao.adapters.editions import Editions
from yibao.adapters.stories import read_story, replay

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = sorted((ROOT / "docs" / "examples").glob("*.py"))
RUN: Final = [*EXAMPLES, Path(__file__).with_name("test_fastapi.py")]
PAGES: Final = [ROOT / "docs" / name for name in ("embedding.md", "testing.md")]

on_each_page = pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])


@on_each_page
def test_python_on_the_page_prints_what_is_shown_or_is_a_passage_of_what_is_run(page: Path) -> None:
    found = [*blocks(page.read_text(encoding="utf-8")), ("", "")]
    run = [file.read_text(encoding="utf-8") for file in RUN]
    for (language, code), (following, output) in pairwise(found):
        if language == "python" and following == "text":
            assert printed(code) == output
        elif language == "python":
            assert any(code in file for file in run), code


@on_each_page
def test_each_page_shows_something_that_is_run_as_it_stands(page: Path) -> None:
    kinds = [language for language, _ in blocks(page.read_text(encoding="utf-8"))]
    assert "text" in kinds
    assert set(kinds) - {"yaml"} == {"python", "text"}


@on_each_page
def test_a_story_on_the_page_holds(page: Path, tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    for language, code in blocks(page.read_text(encoding="utf-8")):
        if language == "yaml":
            file.write_text(f"title: As on the page\n{code}\n", encoding="utf-8")
            assert replay(read_story(file, Editions()), Editions()).failures == []


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.stem for file in EXAMPLES])
def test_an_application_imports_yibao_alone(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] != "yibao"
        elif isinstance(node, ast.Import):
            assert [each.name for each in node.names if each.name.startswith("yibao.")] == []


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.stem for file in EXAMPLES])
def test_an_application_starts_as_its_first_line_says(file: Path, tmp_path: Path) -> None:
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    assert re.search(rf"{file.stem}:(\w+)", told)
    (name,) = re.findall(rf"{file.stem}:(\w+)", told)
    subprocess.run(
        [sys.executable, "-c", f"import {file.stem}; assert callable({file.stem}.{name})"],
        cwd=file.parent,
        env=os.environ
        | {"PYTHONPATH": str(ROOT / "src"), "YIBAO_STORE": f"sqlite:///{tmp_path}/s"},
        check=True,
    )


#: One worker registers in a store of its own opening, after it was forked off the application.
WORKER: Final = {
    "with_django": """
from django.test import Client
import with_django as portal
def post(number):
    with portal.service() as service:
        service.register(f"s-{number}", **SHEET)
        told = Client().get(f"/enrollments/s-{number}/2025?at=2025-09-01T09:00")
        assert told.json()["state"] == "registered", told.content
""",
    "with_fastapi": """
from fastapi.testclient import TestClient
from with_fastapi import portal
app = portal()
def post(number):
    row = {"ref": f"s-{number}", **SHEET}
    with TestClient(app) as client:
        (told,) = client.post("/schools/sjtu/2025/roster", json=[row]).json()
        assert [receipt["version"] for receipt in told] == [1, 2], told
""",
}
FORKED: Final = """
import os
import yibao
SHEET = {"policy": "shanghai-2025", "on": "2025-09-01", "at": "2025-09-01 08:30",
         "school": "sjtu", "category": "undergraduate", "document": "resident_id_card"}
"""
WAITED: Final = """
for number in range(3):
    if not os.fork():
        post(number)
        os._exit(0)
assert [os.wait()[1] for number in range(3)] == [0, 0, 0]
with yibao.open(os.environ["YIBAO_STORE"]) as service:
    print(sorted(answer.enrollment.ref for answer in service.everyone()))
"""


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.stem for file in EXAMPLES])
def test_workers_that_are_forked_off_an_application_open_services_of_their_own(
    file: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED + WORKER[file.stem] + WAITED],
        cwd=file.parent,
        env=os.environ
        | {"PYTHONPATH": str(ROOT / "src"), "YIBAO_STORE": f"sqlite:///{tmp_path}/facts.db"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "['s-0', 's-1', 's-2']", done.stderr
