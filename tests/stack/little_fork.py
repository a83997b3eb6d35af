"""Forks one part from a process that has loaded `this`: `little_fork.py LOG MODULE ARGUMENT…`; exits as it does."""

import asyncio
import sys
from pathlib import Path

from stack.forking import fork


async def main() -> int:
    part = fork(
        "little", "this", (sys.executable, "-m", *sys.argv[2:]), {"SAID": "by its environment"}, Path(sys.argv[1])
    )
    return await part.wait()


if __name__ == "__main__":
    Path(sys.argv[1]).touch()
    sys.exit(asyncio.run(main()))
