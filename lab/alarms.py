"""CloudWatch metric alarms: M-of-N evaluation, missing data, states and their history.

Source: Amazon CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data".
"""

import json
import operator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from lab.cloudwatch import Metric, Metrics
from lab.errors import AwsError
from lab.moments import offset

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
STATES = (OK, ALARM, INSUFFICIENT_DATA)
MISSING_DATA = ("missing", "notBreaching", "breaching", "ignore")
# Comparison by AWS's name: the operator, and how a state's reason words it.
COMPARISONS = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
# Metrics arrive a moment after their period ends; an alarm that looks sooner would see holes.
INGESTION_SECONDS = 1.0
# CloudWatch looks further back than the evaluation periods when data points are missing.
EXTRA_PERIODS = 2


@dataclass(frozen=True)
class AlarmSettings:
    """What an operator configures; ``period`` in seconds, ``datapoints_to_alarm`` is M of ``evaluation_periods``."""

    name: str
    metric: Metric
    statistic: str
    threshold: float
    comparison: str
    period: int
    evaluation_periods: int
    datapoints_to_alarm: int
    missing_data: str
    description: str


@dataclass(frozen=True)
class State:
    value: str
    reason: str
    reason_data: str | None
    updated: float
    transitioned: float
    suppressed_by: str = ""


class AlarmName(Protocol):
    """The settings that every kind of alarm has."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...


class AnyAlarm(Protocol):
    """A metric alarm or a composite one."""

    arn: str
    state: State
    actions_enabled: bool
    history: "list[Transition]"

    @property
    def settings(self) -> AlarmName: ...

    def set_state(self, value: str, reason: str, reason_data: str | None, now: float) -> "Transition | None": ...


@dataclass(frozen=True)
class Transition:
    """A change of value, or of a composite alarm's suppression; a new reason alone is none."""

    alarm: AnyAlarm
    previous: State
    state: State


class DataPoint(NamedTuple):
    at: float
    value: float


class Alarm:
    """One alarm. It starts as INSUFFICIENT_DATA, as a newly created one does. ``due`` is when it is next evaluated."""

    def __init__(self, settings: AlarmSettings, arn: str, now: float, *, actions_enabled: bool = True) -> None:
        self.settings = settings
        self.arn = arn
        self.created = now
        self.actions_enabled = actions_enabled
        self.state = State(INSUFFICIENT_DATA, "Unchecked: Initial alarm creation", None, now, now)
        self.history: list[Transition] = []
        self.due = self._next_due(now)

    @property
    def next_end(self) -> float:
        """The end of the period that is evaluated next."""
        return self.due - INGESTION_SECONDS

    def advance(self, now: float, metrics: Metrics) -> Transition | None:
        """Evaluates once for each period that ended."""
        if now < self.due:
            return None
        self.due = self._next_due(now)
        window = self.window(metrics, self._last_period_end(now))
        value = self.judge(window)
        if value == self.state.value:
            return None
        return self._enter(value, self._reason(value, window), self._reason_data(window, now), now)

    def set_state(self, value: str, reason: str, reason_data: str | None, now: float) -> Transition | None:
        """SetAlarmState: holds until the next evaluation says otherwise."""
        return self._enter(checked_state(value), reason, reason_data, now)

    def _enter(self, value: str, reason: str, reason_data: str | None, now: float) -> Transition | None:
        previous = self.state
        moved = value != previous.value
        self.state = State(value, reason, reason_data, now, now if moved else previous.transitioned)
        if not moved:
            return None
        transition = Transition(self, previous, self.state)
        self.history.append(transition)
        return transition

    def _next_due(self, now: float) -> float:
        """When the next period has ended and its data points are there."""
        return self._last_period_end(now) + self.settings.period + INGESTION_SECONDS

    def _last_period_end(self, now: float) -> float:
        return (now - INGESTION_SECONDS) // self.settings.period * self.settings.period

    def window(self, metrics: Metrics, end: float) -> list[DataPoint]:
        """The newest real data points of the evaluation range, oldest first: at most the evaluation periods."""
        settings, series = self.settings, metrics.series(self.settings.metric)
        real: list[DataPoint] = []
        for periods_ago in range(1, settings.evaluation_periods + EXTRA_PERIODS + 1):
            at = end - periods_ago * settings.period
            value = series.statistic(settings.statistic, at, at + settings.period)
            if value is not None:
                real.append(DataPoint(at, value))
            if len(real) == settings.evaluation_periods:
                break
        return real[::-1]

    def judge(self, window: list[DataPoint]) -> str:
        """The state that these data points make. Missing ones are filled in only when there are too few real ones."""
        settings = self.settings
        breaching = sum(map(self.breaches, window))
        missing = settings.evaluation_periods - len(window)
        if missing and settings.missing_data == "breaching":
            breaching += missing
        if not missing or settings.missing_data in {"breaching", "notBreaching"}:
            return ALARM if breaching >= settings.datapoints_to_alarm else OK
        if breaching < len(window):
            return ALARM if breaching >= settings.datapoints_to_alarm else OK
        if settings.missing_data == "ignore":
            return self.state.value
        return ALARM if window else INSUFFICIENT_DATA

    def breaches(self, point: DataPoint) -> bool:
        compare, _ = COMPARISONS[self.settings.comparison]
        return bool(compare(point.value, self.settings.threshold))

    def _reason(self, value: str, window: list[DataPoint]) -> str:
        settings = self.settings
        periods = settings.evaluation_periods
        if value == INSUFFICIENT_DATA:
            return f"Insufficient Data: {periods} datapoints were unknown."
        if not window:
            treated = {"breaching": "Breaching", "notBreaching": "NonBreaching"}[settings.missing_data]
            return (
                f"Threshold Crossed: no datapoints were received for {periods} periods and {periods} missing "
                f"datapoints were treated as [{treated}]."
            )
        telling = [point for point in window if self.breaches(point) == (value == ALARM)]
        listed = ", ".join(f"{p.value} ({datetime.fromtimestamp(p.at, UTC):%d/%m/%y %H:%M:%S})" for p in telling)
        _, words = COMPARISONS[settings.comparison]
        return (
            f"Threshold Crossed: {len(telling)} out of the last {periods} datapoints [{listed}] "
            f"{'were' if value == ALARM else 'were not'} {words} the threshold ({settings.threshold}) "
            f"(minimum {settings.datapoints_to_alarm} datapoints for OK -> ALARM transition)."
        )

    def _reason_data(self, window: list[DataPoint], now: float) -> str:
        settings = self.settings
        data = {
            "version": "1.0",
            "queryDate": offset(now),
            "statistic": settings.statistic,
            "period": settings.period,
            "recentDatapoints": [point.value for point in window],
            "threshold": settings.threshold,
            "evaluatedDatapoints": [{"timestamp": offset(p.at), "value": p.value} for p in reversed(window)],
        }
        return json.dumps(data)


def checked_state(value: str) -> str:
    """Raises ValidationError for what is no alarm's state."""
    if value not in STATES:
        raise AwsError("ValidationError", f"State {value!r} is none of {', '.join(STATES)}.")
    return value
