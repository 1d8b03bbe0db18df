"""How whoever does something long tells how far it is."""

from collections.abc import Callable

#: Told now and then: how much is done, and how much there is.
Watch = Callable[[int, int], None]
