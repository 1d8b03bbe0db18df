"""The page of the web: every command on it is run, by a shell, against the server it starts."""

import configparser
import hashlib
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from shown import Shown, blocks, shown

from yibao.adapters.cli import main
from yibao.adapters.http.app import HttpSettings, app
from yibao.adapters.http.identify.claims import Claims
from yibao.adapters.http.settings import PREFIX

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
SHOWN = list(shown(PAGE))
TOKEN = "only-for-this-page"
BLOCKS = blocks(PAGE)


def of(language: str) -> list[str]:
    return [body for kind, body in BLOCKS if kind == language]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What each command writes, run in order beside the server of the page."""
    folder = tmp_path_factory.mktemp("http")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    tokens, _ = of("yaml")
    given = hashlib.sha256(TOKEN.encode()).hexdigest()
    (folder / "tokens.yaml").write_text(re.sub("[0-9a-f]{64}", given, tokens))
    (serve,) = [line for line in of("sh") if "--tokens" in line]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "YIBAO_LANG": "en", "http_proxy": "", "no_proxy": "*"}
    server = subprocess.Popen(
        shlex.split(serve.replace("8000", port)), cwd=folder, env=env, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/readyz")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield [run(each, port, folder, env) for each in SHOWN]
    finally:
        server.terminate()
        server.wait(20)


def run(each: Shown, port: str, folder: Path, env: dict[str, str]) -> str:
    if each.language == "python":
        return each.run()
    command = each.code.replace("localhost:8000", f"127.0.0.1:{port}")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder, env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("number", range(len(SHOWN)), ids=str)
def test_what_the_page_shows_is_what_comes_out(number: int, answered: list[str]) -> None:
    assert SHOWN[number].drifted(answered[number]) == []


def test_every_operation_is_on_the_page() -> None:
    document = app("memory:", HttpSettings()).openapi()
    for path, operations in document["paths"].items():
        told = path.removeprefix("/v1")
        for method, operation in operations.items():
            has_page = f"{method.upper()} `{told}`" in PAGE
            is_command = "Receipt" in str(operation["responses"].get("201")) and "facts" not in path
            assert has_page or is_command, (method, path)


def test_every_setting_is_on_the_page() -> None:
    for name in HttpSettings.model_fields:
        assert f"`{name.upper()}`" in PAGE or f"{PREFIX}{name.upper()}" in PAGE, name


def test_the_files_of_the_page_are_what_they_should_be(tmp_path: Path) -> None:
    _, claims = of("yaml")
    (tmp_path / "claims.yaml").write_text(claims)
    Claims.read(tmp_path / "claims.yaml", "key")
    for unit in of("ini"):
        told = configparser.ConfigParser(interpolation=None)
        told.optionxform = str  # type: ignore[assignment,method-assign]
        told.read_string(unit)
        program, *arguments = shlex.split(told["Service"]["ExecStart"])
        assert program.endswith("/yibao")
        assert CliRunner().invoke(main, [*arguments, "--help"]).exit_code == 0
    assert CliRunner().invoke(main, [*shlex.split(of("sh")[0])[1:], "--help"]).exit_code == 0


def test_every_block_on_the_page_is_run_or_read() -> None:
    known = {"console", "sh", "yaml", "ini", "nginx", "python", "text"}
    assert {language for language, _ in BLOCKS} == known
    assert PAGE.count("```") == 2 * len(BLOCKS)
