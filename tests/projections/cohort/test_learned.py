"""What was learned of somebody, fact after fact, is what was known at each of these instants."""

from datetime import timedelta

from given.cohort import LEARNED, anybody, editions, everybody
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.cohort.learned import fixes_of, learned
from yibao.projections.cohort.shapes import Words, instant_number, instant_of, numbered
from yibao.projections.record import EditionRecord, Log, Record


def check(record: Record, since: int | None) -> None:
    words = Words()
    found = {each.at: each for each in learned(record, since, words)}
    stamps = {instant_number(event.recorded_at) for event in record.everything()}
    for name in editions():
        stamps |= {instant_number(e.recorded_at) for e in record.edition_of(name).log.events}
    known = None if since is None else record.known_by(instant_of(since))
    before = known and (known.seen, known.following)
    for at in sorted(at for at in stamps if since is None or at > since):
        known = record.known_by(instant_of(at))
        seen = known.seen, known.following
        assert (at in found) == (known.version > 0 and seen != before), at
        if at in found:
            told = found[at]
            shaped = numbered(known, words)
            if shaped is None:
                assert (told.shape, told.knowledge) == (None, known)
            else:
                shape, numbers = shaped
                assert (told.shape, list(told.numbers)) == (shape, numbers)
                assert told.fixes == fixes_of(shape, known, record)
            before = seen


@forall(st.integers(0, 2**32), st.none() | st.integers(0, 60))
@settings(deadline=None, max_examples=150)
def test_it_is_what_is_known_at_each_instant(seed: int, minutes: int | None) -> None:
    since = None
    if minutes is not None:
        since = instant_number(LEARNED - timedelta(days=100) + timedelta(minutes=minutes))
    for record in anybody(seed):
        check(record, since)


def test_of_who_corrects_nothing_it_is_the_same() -> None:
    edition = EditionRecord(editions()["shanghai-2025"], Log(()))
    for number, recorded in enumerate(everybody(50)):
        whose = EnrollmentId(f"s{number}", 2025)
        check(Record(whose, Log(recorded), edition_of=lambda _: edition), None)
