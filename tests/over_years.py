"""The record of one student over several years, each made by steps of its own."""

from given import Given

from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.record import EditionRecord, Log, Record


def record_of(*years: Given, year: int | None = None) -> Record:
    """Everything recorded of her in these years, asked about the last of them or another."""
    editions = {made.policy.edition: EditionRecord(made.policy, Log(made.fixed)) for made in years}
    logs = {made.policy.year: (Log(made.recorded), Log(made.received)) for made in years}
    whose = EnrollmentId(years[-1].enrollment.ref, year or max(logs))
    return Record.of(whose, logs, editions.__getitem__)
