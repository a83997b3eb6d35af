"""Alarms in the world file."""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.alarm_rules import AlarmRuleError, parse
from lab.alarms import COMPARISONS, MISSING_DATA
from lab.cloudwatch import percentile_of
from lab.spellings import ALARM_NAME
from lab.tables import one_of, ranges, spelled

ACCOUNT_METRICS = ("ClaimedAccountConcurrency", "UnreservedConcurrentExecutions")
LAMBDA_METRICS = ("ConcurrentExecutions", "Throttles", "Invocations", "Errors", "Duration", *ACCOUNT_METRICS)
DAY_SECONDS = 86_400  # the longest that an alarm looks back
STATISTICS = ("Sum", "SampleCount", "Average", "Maximum", "Minimum")


@dataclass(frozen=True)
class AlarmTable:
    """An alarm on a metric of the application's function."""

    name: str
    metric: str
    statistic: str
    threshold: float
    comparison: str = "GreaterThanOrEqualToThreshold"
    period_seconds: int = 5
    evaluation_periods: int = 3
    datapoints_to_alarm: int = 2
    missing_data: str = "missing"
    description: str = ""
    actions_enabled: bool = True

    def problems(self) -> list[str]:
        return [
            *one_of("metric", self.metric, LAMBDA_METRICS),
            *_statistic_problem(self.statistic),
            *one_of("comparison", self.comparison, tuple(COMPARISONS)),
            *one_of("missing_data", self.missing_data, MISSING_DATA),
            *spelled("name", self.name, *ALARM_NAME),
            *one_of("period_seconds", self.period_seconds, (5, 10, 20, 30, *range(60, 3601, 60))),
            *ranges(self, evaluation_periods=(1, DAY_SECONDS // max(self.period_seconds, 1))),
            *one_of("datapoints_to_alarm", self.datapoints_to_alarm, range(1, self.evaluation_periods + 1)),
        ]


@dataclass(frozen=True)
class CompositeAlarmTable:
    """An alarm over other alarms; ``suppressor`` is an alarm's name, the periods are in seconds."""

    name: str
    rule: str
    description: str = ""
    actions_enabled: bool = True
    suppressor: str = ""
    wait_seconds: float = 0.0
    extension_seconds: float = 0.0

    def problems(self) -> list[str]:
        try:
            parse(self.rule)
        except AlarmRuleError as error:
            return [f"rule: {error}"]
        return [
            *spelled("name", self.name, *ALARM_NAME),
            *ranges(self, wait_seconds=(0, DAY_SECONDS), extension_seconds=(0, DAY_SECONDS)),
        ]

    def asks_for(self) -> Iterator[str]:
        """The names of the alarms that it depends on."""
        yield from parse(self.rule).names
        yield from [self.suppressor] if self.suppressor else []


def _statistic_problem(statistic: str) -> list[str]:
    if statistic in STATISTICS:
        return []
    try:
        percentile_of(statistic)
    except ValueError:
        return [f"statistic: {statistic!r} is not allowed; allowed are {', '.join(STATISTICS)} and p0 to p100"]
    return []
