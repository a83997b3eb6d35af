"""CloudWatch alarm mute rules: windows in which alarms' actions are muted.

Source: CloudWatch API Reference, PutAlarmMuteRule: the alarms go on being evaluated, changing state and sending events;
only their actions rest. The lab has one-time windows, ``at(yyyy-MM-ddThh:mm)`` in UTC, and no recurring ones.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from lab.errors import AwsError

SCHEDULED, ACTIVE, EXPIRED = "SCHEDULED", "ACTIVE", "EXPIRED"
SHORTEST_SECONDS, LONGEST_SECONDS = 60, 15 * 24 * 3600

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d)\)")
_DURATION = re.compile(r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?")


@dataclass(frozen=True)
class MuteRule:
    """A window from ``begin`` for ``seconds``, over the alarms named."""

    name: str
    arn: str
    expression: str
    duration: str
    alarms: tuple[str, ...]
    description: str
    updated: float
    begin: float
    seconds: float

    def status(self, now: float) -> str:
        if now < self.begin:
            return SCHEDULED
        return ACTIVE if now < self.begin + self.seconds else EXPIRED


def begin_of(expression: str) -> float:
    """When an ``at`` expression's window begins. Raises ValidationError."""
    found = _AT.fullmatch(expression)
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp() if found else _refuse(expression)
    except ValueError:
        return _refuse(expression)


def seconds_of(duration: str) -> float:
    """A duration such as ``PT4H`` or ``P2DT12H``: 1 minute to 15 days. Raises ValidationError."""
    found = _DURATION.fullmatch(duration)
    days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    seconds = (days * 24 + hours) * 3600 + minutes * 60
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise AwsError("ValidationError", f"Duration {duration!r} is not between PT1M and P15D")
    return seconds


def expression_at(at: float) -> str:
    """The expression for a window that begins in the minute of ``at``."""
    return f"at({datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M})"


def _refuse(expression: str) -> float:
    raise AwsError("ValidationError", f"The lab mutes once, by at(yyyy-MM-ddThh:mm), not by {expression!r}")
