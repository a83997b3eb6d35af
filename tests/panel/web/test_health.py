from __future__ import annotations

from panel.fleet.heartbeats import Beat
from panel.fleet.pulse import Pulse
from panel.web.health import Health, health

FINE, SILENT, NEVER = Beat(1.0, ok=True), Beat(75.0, ok=False), Beat(None, ok=False)


def judged(applications: int = 1, **parts: object) -> Health:
    all_fine = {"worker": FINE, "beat": FINE, "observer": FINE, "broker_ok": True}
    idle = {"last_event_at": None, "active_operations": 0, "alarms": 0}
    return health(Pulse(**(all_fine | idle | parts)), now=1000.0, hold=None, applications=applications)


def test_when_all_is_well_there_is_nothing_to_say() -> None:
    assert judged().problems == ()
    assert judged().read_at == 999.0


def test_each_silent_part_is_named_with_what_follows() -> None:
    found = judged(worker=SILENT, beat=NEVER, observer=SILENT, broker_ok=False)

    assert [problem.split(":")[0] for problem in found.problems] == [
        "The worker has been silent for 1 min",
        "Beat has not shown itself yet",
        "AWS was last read 1 min ago",
        "The broker (Redis) does not answer",
    ]
    assert [part.ok for part in found.parts] == [False, False, False]


def test_without_applications_nothing_needs_to_be_read() -> None:
    assert judged(applications=0, observer=NEVER).problems == ()
