"""Supervises tiny parts: `little_stack.py LOG_DIR NAME=PROGRAM …`, each PROGRAM being Python, in that order."""

import asyncio
import sys
from pathlib import Path

from stack.part import Part
from stack.screen import Screen
from stack.supervisor import Supervisor, supervise


async def work(supervisor: Supervisor) -> int:
    for argument in sys.argv[2:]:
        name, program = argument.split("=", 1)
        await supervisor.start(Part(name, (sys.executable, "-c", program), grace_seconds=1))
    supervisor.screen.say("all started")
    await asyncio.Event().wait()
    return 0


sys.exit(asyncio.run(supervise(work, Path(sys.argv[1]), Screen(1, colour=False, verbose=True))))
