"""Under which edition somebody is registered: the one whose autumn holds the day."""

from datetime import date

from yibao.adapters.editions import Editions, released
from yibao.adapters.office.reading import plain
from yibao.adapters.store import StoreError
from yibao.domain.editions import Policy


def edition_of(editions: Editions, day: date) -> Policy | None:
    """The edition of new students whose autumn holds a day; None where there is none.

    Of several one of the user's own counts before those that come with yibao. Raises StoreError
    where there are several of his own.
    """
    found = [policy for policy in editions if _is_of(policy, day)]
    comes_with_yibao = released()
    found = [each for each in found if each.edition not in comes_with_yibao] or found
    if len(found) > 1:
        names = ", ".join(sorted(each.edition for each in found))
        raise StoreError(f"the autumn of several editions holds {day}: {names}")
    return found[0] if found else None


def own_words(editions: Editions) -> dict[str, str]:
    """The words that editions have for codes of their own, as `plain` writes them, and the code."""
    return {
        plain(told): code
        for policy in editions
        for code, text in policy.words.items()
        for told in (code, text.en, text.zh)
    }


def _is_of(policy: Policy, day: date) -> bool:
    autumn = policy.parameters.autumn_from.value, policy.parameters.autumn_to.value
    return policy.is_for("entrants") and autumn[0] <= day <= autumn[1]
