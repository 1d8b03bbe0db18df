"""What the releases offered, stored and kept: each text once, under the release that was first.

What a later release has as it was is not written again. What differs from the latest release, and
is not released yet, is held as `next`.
"""

from pathlib import Path

from packaging.version import Version

GOLDEN = Path(__file__).parent
RELEASED = GOLDEN / "released"
#: What stood beside the stores of releases, and cannot be made anew of them.
BESIDE = GOLDEN / "beside"
#: What is compared with every release; of other schemas only the text that holds now is kept.
KINDS = ("api.txt", "attempts.json", "events.json", "surface.txt")
NEXT = "next"


def releases(kind: str) -> list[Path]:
    """The texts of a kind that were released, the oldest first."""
    found = RELEASED.glob(f"v*.{kind}")
    return sorted(found, key=lambda path: Version(path.name.removesuffix(f".{kind}")))


def stores() -> list[str]:
    """The releases whose stores are kept, the oldest first."""
    return sorted((path.stem for path in GOLDEN.glob("*.db")), key=Version)


def held(kind: str) -> Path:
    """The text that holds now."""
    if kind not in KINDS:
        return GOLDEN / "schemas" / kind
    unreleased = RELEASED / f"{NEXT}.{kind}"
    return unreleased if unreleased.exists() else releases(kind)[-1]


def hold(kind: str, text: str) -> None:
    """Holds a text from now on; what is compared with every release, only where it differs."""
    unreleased = RELEASED / f"{NEXT}.{kind}"
    if kind not in KINDS:
        held(kind).write_text(text, encoding="utf-8")
    elif text == releases(kind)[-1].read_text(encoding="utf-8"):
        unreleased.unlink(missing_ok=True)
    else:
        unreleased.write_text(text, encoding="utf-8")


def release(name: str) -> None:
    """What was not released yet is released under this name."""
    for unreleased in RELEASED.glob(f"{NEXT}.*"):
        unreleased.rename(unreleased.with_name(unreleased.name.replace(NEXT, name, 1)))
