"""CloudWatch composite alarms: a rule over other alarms, and the suppression of their actions.

Source: CloudWatch User Guide, "Create a composite alarm" and "Composite alarm action suppression"; CloudWatch API
Reference, CompositeAlarm. A change of the suppression alone is an event too, as AWS's sample of an event shows.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lab.alarm_rules import AlarmRule
from lab.alarms import ALARM, INSUFFICIENT_DATA, OK, State, Transition, checked_state
from lab.moments import offset

BY_ALARM, BY_WAIT, BY_EXTENSION = "Alarm", "WaitPeriod", "ExtensionPeriod"


@dataclass(frozen=True)
class CompositeSettings:
    """``suppressor`` is an alarm's name or empty; the periods are in seconds."""

    name: str
    rule: AlarmRule
    description: str = ""
    suppressor: str = ""
    wait: float = 0.0
    extension: float = 0.0


@dataclass(frozen=True)
class Child:
    """Another alarm as the rule sees it."""

    arn: str
    state: State


Children = Callable[[str], Child]


class CompositeAlarm:
    """ALARM while its rule holds, else OK; INSUFFICIENT_DATA until it is evaluated for the first time.

    It is evaluated when one of its alarms has changed: a state set by hand holds until then (SetAlarmState).
    """

    def __init__(self, settings: CompositeSettings, arn: str, now: float, *, actions_enabled: bool = True) -> None:
        self.settings = settings
        self.arn = arn
        self.created = now
        self.actions_enabled = actions_enabled
        self.state = State(INSUFFICIENT_DATA, "Unchecked: Initial alarm creation", None, now, now)
        self.history: list[Transition] = []
        self._suppressed_since = now
        self._seen: tuple[tuple[str, float], ...] | None = None

    @property
    def is_timed(self) -> bool:
        """Whether it changes by the passing of time, and not only by other alarms."""
        return self.state.suppressed_by in {BY_WAIT, BY_EXTENSION}

    def advance(self, now: float, children: Children) -> Transition | None:
        """Follows the other alarms and its suppressor."""
        value = self._evaluate(children)
        if value != self.state.value:
            return self._enter(self._turned(value, now, children), now)
        by = self._suppressed_by(now, children, entered=False)
        if by == self.state.suppressed_by:
            return None
        return self._enter(replace(self.state, updated=now, suppressed_by=by), now)

    def set_state(self, value: str, reason: str, reason_data: str | None, now: float) -> Transition | None:
        """SetAlarmState."""
        changed = checked_state(value) != self.state.value
        state = State(value, reason, reason_data, now, now if changed else self.state.transitioned)
        if changed:
            return self._enter(state, now)
        self.state = state
        return None

    def _evaluate(self, children: Children) -> str:
        """The state that the rule asks for, or the present one while none of its alarms has changed."""
        states = [children(name).state for name in self.settings.rule.names]
        seen = tuple((state.value, state.transitioned) for state in states)
        if seen == self._seen:
            return self.state.value
        self._seen = seen
        return ALARM if self.settings.rule.holds(lambda name: children(name).state.value) else OK

    def _turned(self, value: str, now: float, children: Children) -> State:
        newest = max(map(children, self.settings.rule.names), key=lambda c: c.state.transitioned, default=None)
        reason, data = _reason(newest) if newest else ("The alarm rule is constant.", None)
        by = self._suppressed_by(now, children, entered=True)
        return State(value, reason, json.dumps(data) if data else None, now, now, by)

    def _enter(self, state: State, now: float) -> Transition:
        if state.suppressed_by != self.state.suppressed_by:
            self._suppressed_since = now
        transition = Transition(self, self.state, state)
        self.state = state
        self.history.append(transition)
        return transition

    def _suppressed_by(self, now: float, children: Children, *, entered: bool) -> str:
        """Actions wait for the suppressor, are held while it is in ALARM, and for a while afterwards."""
        settings, by = self.settings, self.state.suppressed_by
        if not settings.suppressor:
            return ""
        if children(settings.suppressor).state.value == ALARM:
            return BY_ALARM if entered or by else ""
        if entered:
            return BY_WAIT if settings.wait else ""
        lasted = now - self._suppressed_since
        if by == BY_ALARM:
            return BY_EXTENSION if settings.extension else ""
        over = lasted >= {BY_WAIT: settings.wait, BY_EXTENSION: settings.extension}.get(by, 0.0)
        return "" if over else by


def _reason(child: Child) -> tuple[str, dict[str, Any]]:
    at = datetime.fromtimestamp(child.state.transitioned, UTC)
    reason = f"{child.arn} transitioned to {child.state.value} at {at:%A %d %B, %Y %H:%M:%S} UTC"
    shown = {"value": child.state.value, "timestamp": offset(child.state.transitioned)}
    return reason, {"triggeringAlarms": [{"arn": child.arn, "state": shown}]}
