"""Which line of the role table each of the pages' actions stands under."""

from __future__ import annotations

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
    "on": "kill_switch.set",
    "off": "kill_switch.set",
}


def needed(action: str, hold: Hold | None = None) -> str:
    """What whoever does `action` must be allowed; a hold for all applications is released for all of them."""
    for_all = action == "release" and hold is not None and hold.application_id is None
    return "hold.all" if for_all else NEEDS[action]
