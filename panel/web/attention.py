"""Which applications need a person first."""

from __future__ import annotations

from enum import IntEnum

from failover.model import AlarmState, Position


class Attention(IntEnum):
    """Why an application stands where it does in the list; the lowest comes first."""

    ALARM = 0
    MOVING = 1
    UNREAD = 2
    FAILED = 3
    AWAY = 4
    HELD = 5
    NO_DATA = 6
    QUIET = 7


COLOURS = {Attention.ALARM: "alarm", Attention.MOVING: "now", Attention.QUIET: ""}


def judge(*, alarm: str, position: str, stale: bool, active: bool, failed: bool, held: bool) -> Attention:
    """`alarm` is the worst state of its alarms, empty where they were not read; `failed`: nobody looked at it yet."""
    found = (
        (Attention.UNREAD, stale and not active),
        (Attention.ALARM, alarm == AlarmState.ALARM and position != Position.ECS),
        (Attention.MOVING, active),
        (Attention.UNREAD, position == Position.UNKNOWN or not alarm),
        (Attention.FAILED, failed),
        (Attention.AWAY, position != Position.LAMBDA),
        (Attention.HELD, held),
        (Attention.NO_DATA, alarm == AlarmState.INSUFFICIENT_DATA),
    )
    return next((level for level, true in found if true), Attention.QUIET)
