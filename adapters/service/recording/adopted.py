"""Whether the editions at hand are those that a store has used."""

from yibao.adapters.editions import Editions
from yibao.adapters.store import FactStore
from yibao.domain.facts import events
from yibao.domain.refusals import AlteredEdition, UnreadableEvent
from yibao.domain.vocabulary import edition_stream


def check_unaltered(store: FactStore, editions: Editions) -> None:
    """Raises AlteredEdition where an edition is not what the store has used under its name.

    Raises UnreadableEvent where its stream is not an edition's.
    """
    for name in editions.names():
        recorded = store.read(edition_stream(name))
        if recorded and not isinstance(recorded[0], events.EditionAdopted):
            raise UnreadableEvent(f"the stream of the edition {name!r} does not begin as one does")
        for used in recorded:
            if not isinstance(used, events.EditionAdopted | events.BenefitsAdopted):
                continue
            if is_altered(used, editions):
                raise AlteredEdition(
                    f"edition {name!r} has been altered since the store has used it as "
                    f"{used.digest[:12]}; a revised notice is a new edition"
                )


def is_altered(used: events.EditionAdopted | events.BenefitsAdopted, editions: Editions) -> bool:
    """Whether an edition says something else than what a store has used; words do not count.

    What 0.4.0 and before remembered is recognized as well. Raises UnknownEdition.
    """
    policy = editions.get(used.policy)
    which = 0 if isinstance(used, events.EditionAdopted) else 1
    if used.digest == (policy.digest, policy.benefits_digest)[which]:
        return False
    return used.digest != editions.digests_until_0_4_0(used.policy)[which]
