"""The queues between web, beat and workers, and how many threads serve each.

Nothing here needs Django or Celery: whoever starts the workers reads the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

STEPS, EVENTS, OBSERVE, NOTIFY, PROBES = "steps", "events", "observe", "notify", "probes"
# Sweeps and other short work that reads rows only, and whatever a release before this one has left there.
DEFAULT = "panel"
ALL = (STEPS, EVENTS, OBSERVE, NOTIFY, PROBES, DEFAULT)

OUTBOUND = "outbound"  # a worker, not a queue

HEARTBEAT_TASK = "fleet.heartbeat"
_ROUTES = {
    "operations.step": STEPS,
    "ingest.process": EVENTS,
    "fleet.sweep": OBSERVE,
    "drills.advance": OBSERVE,
    "drills.sweep": OBSERVE,
    "notify.deliver": NOTIFY,
    "notify.forget_old": NOTIFY,
    "ingest.forget_old": EVENTS,
    "probing.round": PROBES,
    "probing.forget_old": PROBES,
}

# A worker each, so that reading which takes long holds up no step: queues and threads.
WORKERS: Mapping[str, tuple[tuple[str, ...], int]] = {
    STEPS: ((STEPS, DEFAULT), 12),
    EVENTS: ((EVENTS,), 4),
    OBSERVE: ((OBSERVE,), 6),
    # Whom it asks, people named: a round of probes lasts as long as beat's next one is away, a delivery some seconds.
    OUTBOUND: ((PROBES, NOTIFY), 6),
}

# A quarter of the places: three accounts that do not answer leave one to all the others.
STEPS_AT_ONCE_OF_AN_ACCOUNT = WORKERS[STEPS][1] // 4
CROWDED_SECONDS = 0.5  # until a step that found its account's places taken asks again


def queue_of(task: str, arguments: Sequence[object] = ()) -> str:
    """Where a task waits for its worker. A heartbeat goes the way that it is to show: its argument is the queue."""
    if task == HEARTBEAT_TASK and arguments and arguments[0] in ALL:
        return str(arguments[0])
    return _ROUTES.get(task, DEFAULT)
