"""`python -m tests.panel.engine.keeper ARGUMENT…`: a worker that is started anew when it is killed, as platforms do.

Forked from a process that has loaded everything: a worker dies often here.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

from lab.runtime.children import bound_to_parent
from tests.panel.engine.worker import app


def start(bind: Callable[[], None]) -> int:
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        bind()
        app.start(argv=sys.argv[1:])
        sys.exit()
    signal.signal(signal.SIGTERM, lambda signum, _: os.kill(pid, signum))
    return pid


def main() -> None:
    bind = bound_to_parent(signal.SIGTERM)
    while os.waitstatus_to_exitcode(os.waitpid(start(bind), 0)[1]) == -signal.SIGKILL:
        pass


main()
