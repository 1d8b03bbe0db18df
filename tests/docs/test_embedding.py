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
    assert set(kinds) == {"python", "text"}


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
