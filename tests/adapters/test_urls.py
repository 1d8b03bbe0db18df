"""What a URL of a store tells, and what of it is never told."""

import pytest

from yibao.adapters.policy_files import Editions
from yibao.adapters.service import open_service
from yibao.adapters.store import StoreError, shown
from yibao.adapters.upkeep import check, init

EDITIONS = Editions()
SECRET = "geh-eim"


@pytest.mark.parametrize(
    "password",
    [
        f"{SECRET}%zz",
        f"%zz{SECRET}",
        f'"{SECRET}%zz{SECRET}"',
        f"{SECRET} {SECRET}",
        f"{SECRET}/{SECRET}",
        f"{SECRET}@{SECRET}",
        f"{SECRET}@[::1/{SECRET}",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_its_password(password: str) -> None:
    url = f"postgresql://counter:{password}@db.invalid/yibao"
    uses = (
        lambda: open_service(url, policies=EDITIONS),
        lambda: init(url),
        lambda: check(url, EDITIONS),
    )
    for use in uses:
        with pytest.raises(StoreError, match="special characters of an account") as refused:
            use()
        assert SECRET not in str(refused.value)


def test_a_url_is_shown_without_its_passwords() -> None:
    url = f"postgresql://counter:{SECRET}@db/yibao?sslpassword={SECRET}&password={SECRET}"
    assert shown(f"{url}&sslmode=require") == "postgresql://counter@db/yibao?sslmode=require"
    assert shown("sqlite:///facts.db") == "sqlite:///facts.db"
