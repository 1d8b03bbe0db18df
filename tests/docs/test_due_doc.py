"""What the page on what falls due shows is what yibao answers."""

from pathlib import Path

from yibao.adapters.cli import main
from yibao.projections.cohort.due import DAYS_BEFORE, KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "due.md").read_text(encoding="utf-8")


def test_every_kind_and_every_option_is_named() -> None:
    assert [kind for kind in KINDS if f"| `{kind}` |" not in PAGE] == []
    assert f"until\nthen it is {DAYS_BEFORE}." in PAGE
    for option in ("--until", "--acknowledge", "--days-before", "--size", "--after", "--json"):
        assert option in PAGE
    assert {each.name for each in main.commands["due"].params} >= {"until", "days_before"}
