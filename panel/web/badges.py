"""States as a shape, a word and a colour, never a colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from failover.model import Alarm, AlarmState
from panel.operations.models import Operation
from panel.web.standing import Standing


@dataclass(frozen=True)
class Badge:
    """`kind` is the colour's class: ok, alarm, warn, now or none. `since` (epoch seconds) ticks beside the word."""

    kind: str
    shape: str
    word: str
    since: float | None = None


STATES = {
    AlarmState.ALARM: ("alarm", "▲", "ALARM"),
    AlarmState.INSUFFICIENT_DATA: ("none", "○", "NO DATA"),
    AlarmState.OK: ("ok", "●", "OK"),
}
STATUSES = {
    Operation.Status.QUEUED: ("now", "◔", "queued"),
    Operation.Status.RUNNING: ("now", "◐", "running"),
    Operation.Status.WAITING: ("now", "◐", "waiting"),
    Operation.Status.SUCCEEDED: ("ok", "✓", "succeeded"),
    Operation.Status.FAILED: ("alarm", "✕", "failed"),
    Operation.Status.CANCELLED: ("warn", "■", "cancelled"),
    Operation.Status.SUPERSEDED: ("none", "↷", "superseded"),
}


def of_alarm(alarm: Alarm) -> Badge:
    return Badge(*STATES[alarm.state], since=alarm.since or None)


def of_status(status: str) -> Badge:
    return Badge(*STATUSES[Operation.Status(status)])


def of_alarms(standing: Standing) -> Badge:
    """All alarms as one: the worst state, since when. Old data is never OK."""
    if standing.stale:
        return Badge("none", "?", "NOT READ", standing.read_at)
    if not standing.alarms:
        return Badge("none", "?", "UNKNOWN")
    for state, (kind, shape, word) in STATES.items():
        since = [alarm.since for alarm in standing.alarms if alarm.state is state]
        if since:
            return Badge(kind, shape, word, (max(since) if state is AlarmState.OK else min(since)) or None)
    raise AssertionError("an alarm has one of the three states")
