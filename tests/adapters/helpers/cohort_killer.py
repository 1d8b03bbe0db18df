"""Follows a cohort of PostgreSQL in processes killed at their n-th statement, for every EVERY-th n.

Run as a script, so that nothing else runs in the process that forks: URL EVERY. It prints a line
for each kill: the digest of what whoever came after it made whole, whatever numbers its rows have.
"""

import sys
from functools import partial
from hashlib import sha256
from itertools import count

from tests.adapters.following.test_cohort import held
from tests.adapters.helpers.outbox import _in_a_child, killed_at
from yibao.adapters.editions.files import Editions
from yibao.adapters.following.cohort import open_cohort
from yibao.adapters.following.derived import Batch, FactsFollowed
from yibao.adapters.store.facts import open_store


def follow(url: str, *, dies_at: int | None = None, anew: bool = False, tell: bool = False) -> None:
    with open_cohort(open_store(url), Editions()) as cohort:
        if anew:
            tables = cohort.projection.tables
            with tables.writing() as sql:
                tables.empty(sql, tables.layout.sides[0])
            return
        if dies_at is not None:
            killed_at(dies_at)
        cohort.catch_up()
        if tell:
            print(sha256(repr(held(cohort)).encode()).hexdigest(), flush=True)


def main(url: str, every: str) -> None:
    FactsFollowed.size, Batch.fan = 3, 2
    list(Editions())
    for number in count(0, int(every)):
        _in_a_child(partial(follow, url, anew=True))
        was_killed = _in_a_child(partial(follow, url, dies_at=number))
        _in_a_child(partial(follow, url, tell=True))
        if not was_killed:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
