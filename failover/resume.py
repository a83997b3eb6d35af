"""Progress as another process stored it, perhaps of another version: read, or known to be unreadable."""

from __future__ import annotations

from typing import Any

from failover.codec import decode
from failover.model import PROGRESS_VERSION, Progress

UNREADABLE = 0  # no version of ours: `decide` stops such an operation safely and says so


def stored_progress(data: Any) -> Progress:
    """Never raises: what can't be read has a version that `decide` does not go on with."""
    version = data.get("version", PROGRESS_VERSION) if isinstance(data, dict) else UNREADABLE
    if not isinstance(version, int) or not 1 <= version <= PROGRESS_VERSION:
        return Progress(version=version if isinstance(version, int) else UNREADABLE, phase=_phase(data))
    try:
        return decode(Progress, data)
    except (TypeError, ValueError, KeyError, AttributeError):
        return Progress(version=UNREADABLE, phase=_phase(data))


def _phase(data: Any) -> str:
    phase = data.get("phase", "") if isinstance(data, dict) else ""
    return phase if isinstance(phase, str) else ""
