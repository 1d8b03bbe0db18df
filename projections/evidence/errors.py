"""Why evidence does not convince: it cannot be read, or it does not prove what it should."""

from yibao.domain.refusals import YibaoError


class UnreadableEvidence(YibaoError):
    """A note, a key or a proof is not of the form it must have."""

    failure = "unreadable_evidence"


class NotProven(YibaoError):
    """A proof does not prove, a signature does not fit, or two notes are not of one log."""

    failure = "not_proven"
