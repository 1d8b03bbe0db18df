"""Properties that are worked out once."""

import os
import signal
from threading import Event, Thread

import pytest

from yibao.domain.kept import kept


class Answer:
    def __init__(self) -> None:
        self.begun, self.may_end, self.times = Event(), Event(), 0

    @kept
    def value(self) -> int:
        """Six times seven."""
        self.times += 1
        self.begun.set()
        assert self.may_end.wait(10)
        return 42


def test_it_is_worked_out_once() -> None:
    answer = Answer()
    answer.may_end.set()
    assert (answer.value, answer.value, answer.times) == (42, 42, 1)
    assert Answer.value.__doc__ == "Six times seven."


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_that_is_forked_while_a_thread_works_one_out_can_have_its_own() -> None:
    answer = Answer()
    thread = Thread(target=lambda: answer.value)
    thread.start()
    assert answer.begun.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # on Python 3.11 `cached_property` would wait for ever
        own = Answer()
        own.may_end.set()
        os._exit(own.value)
    answer.may_end.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
