"""Who asks is told by signed tokens or by a session begun at a provider; else it is nobody."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import yibao

from ..helpers.openid import AUDIENCE, CLIENT, SECRET, OpenId, curve, secret_of
from ..helpers.web import Web, on_a_socket, serving

MAPPING = """\
roles_claim: groups
roles: {office: officer, audit: auditor, students: student}
schools_claim: unit
schools: {"10248": sjtu, "10246": fdu}
ref_claim: yibao_ref
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenId]:
    found = OpenId()
    with on_a_socket(found.app) as base:
        found.issuer = base
        yield found


@pytest.fixture(scope="module")
def web(provider: OpenId, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("identities")
    (folder / "claims.yaml").write_text(MAPPING)
    settings = {
        "issuer": provider.issuer,
        "audience": AUDIENCE,
        "claims": folder / "claims.yaml",
        "actor_key": "of the tests",
        "client_id": CLIENT,
        "client_secret": SECRET,
    }
    with serving("memory:", folder, **settings) as found:
        yield found


@pytest.fixture(scope="module")
def path(web: Web) -> str:
    return f"/enrollments/{web.student()}/2025"


def test_a_token_of_the_provider_says_who_asks(web: Web, provider: OpenId, path: str) -> None:
    token = provider.signed({"aud": AUDIENCE})
    assert web.get(token, path).status_code == 200
    assert web.get(provider.signed({"aud": AUDIENCE, "unit": "10246"}), path).status_code == 404
    assert web.get(provider.signed({"aud": AUDIENCE, "groups": []}), path).status_code == 403
    assert web.get(provider.signed({"aud": [AUDIENCE, "others"]}), path).status_code == 200
    assert web.get("officer", path).status_code == 200  # a static token beside it


def test_the_actor_is_the_same_for_a_subject_and_says_nothing_of_it(
    web: Web, provider: OpenId, path: str
) -> None:
    for number in range(2):
        token = provider.signed({"aud": AUDIENCE})
        body = {"kind": "employee", "at": f"2025-09-05 10:0{number}"}
        assert web.post(token, f"{path}/declare-other-cover", body).status_code == 201
    other = provider.signed({"aud": AUDIENCE, "sub": "teacher-18"})
    web.post(other, f"{path}/declare-other-cover", {"kind": "employee"})
    ref = path.split("/")[2]
    facts = web.service.facts(yibao.EnrollmentId(ref, 2025))
    first, again, another = [each.by for each in facts[-3:]]
    assert first == again != another
    assert re.fullmatch("a-[0-9a-f]{32}", first)


def unsigned(provider: OpenId) -> str:
    def part(told: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")

    claims = {"iss": provider.issuer, "aud": AUDIENCE, "exp": 9_999_999_999, **provider.person}
    return f"{part({'alg': 'none'})}.{part(claims)}."


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"aud": None},
        {"aud": AUDIENCE, "iss": "https://elsewhere.example"},
        {"aud": AUDIENCE, "exp": 1},
        {"aud": AUDIENCE, "exp": None},
        {"aud": AUDIENCE, "sub": None},
    ],
)
def test_a_token_that_claims_too_little_is_nobodys(
    web: Web, provider: OpenId, path: str, claims: dict[str, Any]
) -> None:
    assert web.get(provider.signed(claims), path).status_code == 401


def test_a_token_that_the_provider_has_not_signed_is_nobodys(
    web: Web, provider: OpenId, path: str
) -> None:
    good = provider.signed({"aud": AUDIENCE})
    public = json.dumps(provider.keys[0].as_dict(private=False))
    forged = [
        unsigned(provider),
        good[:-8] + "AAAAAAAA",
        "a.b.c",
        "..",
        good + "." + good,
        provider.signed({"aud": AUDIENCE}, curve("first"), "ES256"),
        provider.signed({"aud": AUDIENCE}, secret_of(public), "HS256", kid="first"),
    ]
    for token in forged:
        assert web.get(token, path).status_code == 401, token


def test_new_keys_are_fetched_at_most_once_a_minute(
    web: Web, provider: OpenId, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yibao.adapters.http.identify import provider as module

    assert web.get(provider.signed({"aud": AUDIENCE}), path).status_code == 200
    provider.keys.append(curve("second"))  # type: ignore[arg-type]
    token = provider.signed({"aud": AUDIENCE}, alg="ES256")
    before = provider.fetched
    assert web.get(token, path).status_code == 401  # not yet known, and not asked for again
    assert provider.fetched == before
    now = module.monotonic()
    monkeypatch.setattr(module, "monotonic", lambda: now + 61)
    assert web.get(token, path).status_code == 200
    for _ in range(3):
        stranger = provider.signed({"aud": AUDIENCE}, curve("stranger"), "ES256")
        assert web.get(stranger, path).status_code == 401
    assert provider.fetched == before + 1
    provider.keys.pop()


def test_who_signs_in_at_the_provider_has_a_session_here(
    web: Web, provider: OpenId, path: str
) -> None:
    with httpx.Client(base_url=web.base, follow_redirects=True) as browser:
        found = browser.get("/console/sign-in")
        assert "/console/sign-in/provider" in found.text
        page = browser.get("/console/sign-in/provider", params={"to": "/console/"})
        assert (page.status_code, page.url.path) == (200, "/console/"), page.text
        assert browser.get("/console/").status_code == 200
        (cookie,) = [each for each in browser.cookies.jar if "session" in each.name]
        assert cookie.has_nonstandard_attr("HttpOnly")


def test_who_comes_back_without_having_gone_is_nobody(web: Web, provider: OpenId) -> None:
    with httpx.Client(base_url=web.base) as browser:
        there = browser.get("/console/sign-in/provider")
        back = httpx.get(there.headers["location"], follow_redirects=False).headers["location"]
        stranger = httpx.get(back, follow_redirects=False)
        assert "/sign-in" in stranger.headers.get("location", "/sign-in")
        assert not [each for each in stranger.cookies if "session" in each]
        wrong = back.replace("state=", "state=x")
        assert not [each for each in browser.get(wrong).cookies if "session" in each]
        assert browser.get(back).status_code == 303
        again = browser.get(back)  # a code opens once, and so does what was kept for it
        assert "sign-in" in again.headers["location"]


def test_a_provider_is_asked_by_https_alone_and_with_all_that_it_needs(tmp_path: Path) -> None:
    claims = tmp_path / "claims.yaml"
    claims.write_text(MAPPING)
    for settings, told in (
        ({"issuer": "http://idp.example"}, "https alone"),
        ({"issuer": "https://idp.example", "claims": None}, "CLAIMS is lacking"),
        ({"issuer": "https://idp.example", "actor_key": None}, "ACTOR_KEY is lacking"),
    ):
        whole = {"claims": claims, "actor_key": "x", **settings}
        with pytest.raises(yibao.YibaoError, match=told):
            yibao.http.app("memory:", yibao.http.HttpSettings(**whole))
    claims.write_text("roles: {office: king}\n")
    with pytest.raises(yibao.YibaoError, match=r"claims\.yaml.*office"):
        yibao.http.app(
            "memory:",
            yibao.http.HttpSettings(issuer="https://i.example", claims=claims, actor_key="x"),  # type: ignore[arg-type]
        )
