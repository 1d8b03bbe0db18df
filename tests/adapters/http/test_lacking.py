"""Without `yibao[http]` the web says what is lacking, and nothing else is the worse for it."""

import subprocess
import sys
from importlib import import_module

import pytest
from click.testing import CliRunner

import yibao
from yibao.adapters import http
from yibao.adapters.cli import main


def test_what_is_lacking_is_named_with_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = http.find_spec
    monkeypatch.setattr(http, "find_spec", lambda name: None if name == "joserfc" else found(name))
    done = CliRunner().invoke(main, ["serve", "--demo", "--lang", "zh"])
    assert done.exit_code == 2
    assert done.stderr == "yibao: 网络服务须有 joserfc：pip install 'yibao[http]'\n"


def test_nothing_of_the_web_is_loaded_before_it_is_asked_for() -> None:
    code = (
        "import sys, yibao; yibao.open('memory:').close(); from yibao.adapters.cli import main\n"
        "print([name for name in ('fastapi', 'uvicorn', 'starlette') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_public_module_can_be_named_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("yibao.http")
    for name in module.__all__:
        monkeypatch.delitem(vars(module), name, raising=False)
    monkeypatch.setattr(http, "find_spec", lambda name: None)
    with pytest.raises(yibao.YibaoError, match=r"pip install 'yibao\[http\]'"):
        _ = yibao.http.Who
    with pytest.raises(AttributeError):
        _ = yibao.http.nothing  # type: ignore[attr-defined]
