"""How signals end the lab: in order, or by force where that takes too long."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_SECONDS = 5.0
WORDS = b"Ended by force: every process was killed.\n"


def end_on_signals(in_order: Callable[[], object], by_force: Callable[[], object]) -> None:
    """The first signal calls ``in_order``; a second one, or PATIENCE_SECONDS, ``by_force`` and ends with status 1.

    These are Python's own handlers and not the event loop's, which has no turn for them while it is busy or stuck.
    """

    def first(_number: int, _frame: Any) -> None:
        for each in ENDING:
            signal.signal(each, give_up)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
        in_order()

    def give_up(_number: int, _frame: Any) -> None:
        try:
            by_force()
            os.write(sys.stderr.fileno(), WORDS)
        finally:
            os._exit(1)

    signal.signal(signal.SIGALRM, give_up)
    for each in ENDING:
        signal.signal(each, first)
