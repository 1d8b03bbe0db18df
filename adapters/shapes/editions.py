"""What one edition says otherwise than another, and what came of checking one, as plain JSON."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from yibao.adapters.shapes.values import plain
from yibao.domain.editions import Citation, Parameter, Policy


def edition_differences(a: Policy, b: Policy) -> dict[str, Any]:
    """What differs between two editions, as plain JSON.

    `values` and `shares` are those of another value or unit, or that one notice states and the
    other leaves to be assumed; `rules` those of which the latter holds; `clauses` whatever is
    cited from another clause. What only one of them has is null in the other.
    """
    cited = {
        "values": _both(dict(a.parameters), dict(b.parameters)),
        "shares": _both(dict(a.benefits or ()), dict(b.benefits or ())),
        "rules": _both(a.rules | a.benefit_rules, b.rules | b.benefit_rules),
    }
    return {
        "format": 1,
        "a": _edition(a),
        "b": _edition(b),
        **{
            section: [
                {"name": name, "a": _told(one), "b": _told(other)}
                for name, one, other in each
                if _said(one) != _said(other)
            ]
            for section, each in cited.items()
        },
        "clauses": [
            {"of": section, "name": name, "a": _place(one, a), "b": _place(other, b)}
            for section, each in cited.items()
            for name, one, other in each
            if _place(one, a) != _place(other, b)
        ],
    }


def edition_checked(
    file: Path, found: Policy, warned: Iterable[tuple[str, Mapping[str, object]]]
) -> dict[str, Any]:
    """An edition that is right, and what should be looked at again, by code."""
    warnings = [{"code": code, **plain(dict(about))} for code, about in warned]
    return {"format": 1, "file": str(file), "ok": True, **_edition(found), "warnings": warnings}


def edition_mistaken(file: Path, errors: Iterable[str]) -> dict[str, Any]:
    """What is wrong in the file of an edition, each with its place."""
    return {"format": 1, "file": str(file), "ok": False, "errors": list(errors)}


def _both(
    a: Mapping[str, Any], b: Mapping[str, Any]
) -> list[tuple[str, Citation | None, Citation | None]]:
    return [(name, a.get(name), b.get(name)) for name in dict.fromkeys((*a, *b))]


def _edition(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.edition,
        "year": policy.year,
        "digest": policy.digest,
        "benefits_digest": policy.benefits_digest,
    }


def _told(cited: Citation | None) -> dict[str, Any] | None:
    """A value or a rule with where it stands; the reason is that of an assumption."""
    return None if cited is None else dict(_parts(cited))


def _parts(cited: Citation) -> Iterator[tuple[str, Any]]:
    if isinstance(cited, Parameter):
        yield from (("value", plain(cited.value)), ("unit", cited.unit))
    yield from (("notice", cited.notice), ("clause", cited.clause), ("basis", cited.basis))
    yield "reason", cited.reason.model_dump() if cited.reason else None


def _said(cited: Citation | None) -> tuple[Any, ...] | None:
    """What is compared: not the words of a reason, and not the place."""
    if cited is None:
        return None
    value = (plain(cited.value), cited.unit) if isinstance(cited, Parameter) else ()
    return (cited.basis, *value)


def _place(cited: Citation | None, policy: Policy) -> str | None:
    """The clause, with the notice where it is not the edition's own."""
    if cited is None:
        return None
    return cited.clause if cited.notice == policy.edition else f"{cited.notice} {cited.clause}"
