"""States as a shape, a word and a colour, never a colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from failover.model import Alarm, AlarmState
from panel.operations.models import Operation
from panel.web.standing import Standing
from panel.words import gettext_lazy


@dataclass(frozen=True)
class Badge:
    """`kind` is the colour's class: ok, alarm, warn, now or none. `since` (epoch seconds) ticks beside the word."""

    kind: str
    shape: str
    word: str
    since: float | None = None


STATES = {
    AlarmState.ALARM: ("alarm", "▲", gettext_lazy("ALARM")),
    AlarmState.INSUFFICIENT_DATA: ("none", "○", gettext_lazy("NO DATA")),
    AlarmState.OK: ("ok", "●", gettext_lazy("OK")),
}
STATUSES = {
    Operation.Status.QUEUED: ("now", "◔", gettext_lazy("queued")),
    Operation.Status.RUNNING: ("now", "◐", gettext_lazy("running")),
    Operation.Status.WAITING: ("now", "◐", gettext_lazy("waiting")),
    Operation.Status.SUCCEEDED: ("ok", "✓", gettext_lazy("succeeded")),
    Operation.Status.FAILED: ("alarm", "✕", gettext_lazy("failed")),
    Operation.Status.CANCELLED: ("warn", "■", gettext_lazy("cancelled")),
    Operation.Status.SUPERSEDED: ("none", "↷", gettext_lazy("superseded")),
}


def of_alarm(alarm: Alarm) -> Badge:
    return Badge(*STATES[alarm.state], since=alarm.since or None)


def of_status(status: str) -> Badge:
    return Badge(*STATUSES[Operation.Status(status)])


def of_alarms(standing: Standing) -> Badge:
    """All alarms as one: the worst state, since when. Old data is never OK."""
    if standing.stale:
        return Badge("none", "?", _("NOT READ"), standing.read_at)
    if not standing.alarms:
        return Badge("none", "?", "UNKNOWN")
    for state, (kind, shape, word) in STATES.items():
        since = [alarm.since for alarm in standing.alarms if alarm.state is state]
        if since:
            return Badge(kind, shape, word, (max(since) if state is AlarmState.OK else min(since)) or None)
    raise AssertionError("an alarm has one of the three states")
