"""A sign of life for whatever runs a process: a file that a worker or beat touches as it works (PANEL_ALIVE_PATH).

Heartbeats in the database say that some process does the work; a platform that may end this one needs to know about
this one. Web and live answer over HTTP instead.
"""

from __future__ import annotations

import time
from pathlib import Path

LATE_SECONDS = 30.0  # a worker touches it every 5 s, beat every 3 s


def show(path: Path | None) -> None:
    """Touch the file, where there is to be one."""
    if path is not None:
        path.touch()


def problem(path: Path | None) -> str:
    """A sentence where the process does not seem to work, else ""."""
    if path is None:
        return "PANEL_ALIVE_PATH is not set: nothing tells whether this process works."
    try:
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return f"Nothing has shown itself in {path} yet."
    return "" if age <= LATE_SECONDS else f"Nothing has shown itself in {path} for {age:.0f} s."
