"""What a write that AWS did not take means for an operation: try again, go back, or end."""

from __future__ import annotations

from dataclasses import replace

from failover.model import Action, Decision, Kind, SetSplit
from failover.ports import AwsError

FINAL_ERRORS = frozenset({"denied", "missing", "invalid"})  # trying again changes nothing


def after_failed_write(decision: Decision, action: Action, error: AwsError, now: float) -> Decision:
    """The decision instead of the one whose write failed.

    A route that can never be written must not leave the others moved: what was written goes back. Anything else is
    tried again until the deadline that `decide` keeps.
    """
    progress = replace(decision.progress, write_problem=str(error))
    failed = replace(
        decision, headline=f"AWS: {error.kind}", detail=str(error), remedy=error.remedy, actions=(), progress=progress
    )
    if error.kind not in FINAL_ERRORS:
        return replace(failed, kind=Kind.WAIT, wait=2.0)
    if isinstance(action, SetSplit) and progress.phase == "shift":
        reason = f"{error} {error.remedy}".strip()
        back = progress.turned_back(reason, now)
        return replace(failed, kind=Kind.WAIT, wait=0.5, progress=back)
    return replace(failed, kind=Kind.STOP, progress=progress.marked("ended", now))
