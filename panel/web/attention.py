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
    if stale and not active:
        return Attention.UNREAD
    if alarm == AlarmState.ALARM and position != Position.ECS:
        return Attention.ALARM
    if active:
        return Attention.MOVING
    if position == Position.UNKNOWN or not alarm:
        return Attention.UNREAD
    return Attention.FAILED if failed else _at_rest(alarm, position, held=held)


def _at_rest(alarm: str, position: str, *, held: bool) -> Attention:
    if position != Position.LAMBDA:
        return Attention.AWAY
    if held:
        return Attention.HELD
    return Attention.NO_DATA if alarm == AlarmState.INSUFFICIENT_DATA else Attention.QUIET
