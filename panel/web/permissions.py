"""Which line of the role table each of the pages' actions stands under, and what the audit trail calls it."""

from __future__ import annotations

from panel.audit import Action
from panel.operations.models import Hold

NEEDS = {
    "failover": "operation.start",
    "failback": "operation.start",
    "set_weights": "operation.start",
    "cancel": "operation.cancel",
    "retry": "operation.retry",
    "hold": "hold.place",
    "release": "hold.release",
    "mode": "mode.set",
    "acknowledge": "acknowledge",
    "drill": "drill.start",
    "rehearsal": "drill.start",
    "abort": "drill.start",
    "on": "kill_switch.set",
    "off": "kill_switch.set",
    "hold_all": "hold.all",
    "release_all": "hold.all",
}


TOLD = {
    "failover": Action.OPERATION_START,
    "failback": Action.OPERATION_START,
    "set_weights": Action.OPERATION_START,
    "cancel": Action.OPERATION_CANCEL,
    "retry": Action.OPERATION_RETRY,
    "hold": Action.HOLD_PLACE,
    "release": Action.HOLD_RELEASE,
    "mode": Action.MODE_SET,
    "acknowledge": Action.ACKNOWLEDGE,
    "drill": Action.DRILL_START,
    "rehearsal": Action.DRILL_START,
    "abort": Action.DRILL_ABORT,
    "on": Action.KILL_SWITCH_SET,
    "off": Action.KILL_SWITCH_SET,
    "hold_all": Action.HOLD_PLACE,
    "release_all": Action.HOLD_RELEASE,
}


def needed(action: str, hold: Hold | None = None, *, overrides: bool = False) -> str:
    """What whoever does `action` must be allowed: a hold for all applications is released for all of them, and who
    `overrides` a rule may do that.
    """
    if overrides and action in ("failover", "failback", "set_weights"):
        return "operation.override"
    for_all = action == "release" and hold is not None and hold.application_id is None
    return "hold.all" if for_all else NEEDS[action]
