"""The reference that `make docs` writes holds every public name, and no warning is given."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import yibao

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    done = subprocess.run(
        [sys.executable, "tools/reference.py", str(folder)],
        cwd=ROOT / "tests",
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_every_public_name_is_in_the_reference(reference: Path) -> None:
    page = (reference / "yibao.html").read_text(encoding="utf-8")
    told = set(re.findall(r'id="(\w+)"', page))
    modules = {path.stem for path in (reference / "yibao").glob("*.html")}
    assert modules == {"commands", "http", "models", "office", "testing"}
    assert set(yibao.__all__) - modules - told == set()
    for module in (yibao.http, yibao.office):
        of_module = reference / "yibao" / f"{module.__name__.rpartition('.')[2]}.html"
        in_it = set(re.findall(r'id="(\w+)"', of_module.read_text(encoding="utf-8")))
        assert set(module.__all__) - in_it == set()
    for name, _ in inspect.getmembers(yibao.Service, inspect.isfunction):
        assert name.startswith("_") or f'id="Service.{name}"' in page, name


def test_every_link_of_the_reference_leads_to_something_on_its_pages(reference: Path) -> None:
    pages = {page: page.read_text(encoding="utf-8") for page in reference.rglob("*.html")}
    ids = {page: set(re.findall(r'id="([^"]+)"', text)) for page, text in pages.items()}
    lost = []
    for page, text in pages.items():
        for target in set(re.findall(r'href="([^":$]+)"', text)):
            file, _, anchor = target.partition("#")
            leads_to = (page.parent / file).resolve() if file else page
            if leads_to not in pages or (anchor and anchor not in ids[leads_to]):
                lost.append((page.name, target))
    assert lost == []


def test_it_names_no_folder_of_a_machine(reference: Path) -> None:
    for page in reference.rglob("*.html"):
        assert str(ROOT) not in page.read_text(encoding="utf-8")


def test_git_ignores_where_it_is_written() -> None:
    done = subprocess.run(["git", "check-ignore", "-q", "docs/reference/yibao.html"], cwd=ROOT)
    assert done.returncode == 0
